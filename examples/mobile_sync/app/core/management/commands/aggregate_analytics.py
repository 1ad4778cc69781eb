"""Counts the last full hour; for a timer."""

import json
from datetime import timedelta

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.services import analytics


class Command(BaseCommand):
    """Repeating replaces the snapshot of the same hour."""

    help = "Writes the analytics snapshot of the last full hour, or of the running one."

    def add_arguments(self, parser):
        """Declares --running."""
        parser.add_argument("--running", action="store_true", help="the hour that is not over yet")

    def handle(self, *args, **options):
        """Aggregates and reports."""
        period = analytics.hour_of(timezone.now()) - timedelta(hours=0 if options["running"] else 1)
        items = analytics.aggregate(period)
        self.stdout.write(json.dumps({"period_start": period.isoformat(), "items": items}))
