"""Deletes what has expired; for a timer."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from core.services.cleanup import delete_expired


class Command(BaseCommand):
    """Safe to run at any time, on any host."""

    help = "Deletes expired idempotency records and their upload sessions."

    def handle(self, *args: Any, **options: Any) -> None:
        """Deletes and reports."""
        self.stdout.write(json.dumps({"deleted": delete_expired()}))
