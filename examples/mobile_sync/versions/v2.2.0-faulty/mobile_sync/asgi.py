"""The entry point: `daphne mobile_sync.asgi:application`, with the faults that MOBILE_SYNC_FAULT asks for."""

import os

import django
from django.utils.module_loading import import_string

from mobile_sync import faults
from mobile_sync.identity import SERVED_BY

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobile_sync.settings")
django.setup(set_prefix=False)
# By name, since models can be imported only now.
application = faults.Faulty(
    import_string("mobile_sync.routing.application"),
    faults.parse(os.environ.get("MOBILE_SYNC_FAULT", "")),
    [(b"x-greenlight-served-by", SERVED_BY.encode())],
)
if application.has("ignore_drain"):
    import_string("greenlight_drain.sockets.OpenSocket").ask = faults.ignore
