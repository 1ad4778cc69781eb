import os

CONTROL_TOKEN = "the token of these tests"  # what the service gets from its deployment

os.environ["GREENLIGHT_CONTROL_TOKEN"] = CONTROL_TOKEN
