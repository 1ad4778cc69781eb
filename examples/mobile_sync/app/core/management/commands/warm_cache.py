"""Fills the cache of this release before clients come."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from core.services import policies
from mobile_sync.identity import RELEASE


class Command(BaseCommand):
    """Touches only keys of this release."""

    help = "Puts every tenant's conflict policies into the cache of this release."

    def handle(self, *args: Any, **options: Any) -> None:
        """Warms and reports."""
        self.stdout.write(json.dumps({"release": RELEASE, "policies": policies.warm()}))
