"""Who answers: colour, release and version of this process."""

import os

from mobile_sync import __version__

COLOUR = os.environ.get("GREENLIGHT_COLOUR") or "none"
RELEASE = os.environ.get("GREENLIGHT_RELEASE") or "dev"
VERSION = os.environ.get("GREENLIGHT_VERSION") or __version__

IDENTITY = {"colour": COLOUR, "release": RELEASE, "version": VERSION}
SERVED_BY = f"{COLOUR}/{RELEASE}/{VERSION}"
