"""The entry point: `daphne mobile_sync.asgi:application`."""

import os

import django
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobile_sync.settings")
django.setup(set_prefix=False)
# By name, since models can be imported only now.
application = import_string("mobile_sync.routing.application")
