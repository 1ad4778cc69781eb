"""Counts the last full hour; for a timer."""

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from core.services import analytics


class Command(BaseCommand):
    """Repeating replaces the snapshot of the same hour."""

    help = "Writes the analytics snapshot of the last full hour, or of the running one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declares --running."""
        parser.add_argument("--running", action="store_true", help="the hour that is not over yet")

    def handle(self, *args: Any, **options: Any) -> None:
        """Aggregates and reports."""
        period = analytics.hour_of(timezone.now()) - timedelta(hours=0 if options["running"] else 1)
        items = analytics.aggregate(period)
        self.stdout.write(json.dumps({"period_start": period.isoformat(), "items": items}))
