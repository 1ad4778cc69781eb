"""Shows how the synchronisation goes; for people and for timers."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.services import monitoring


class Command(BaseCommand):
    """Exit status 1 when something is critical."""

    help = "Counts of the last hours, and what in them needs attention. Exit status 1 if anything is critical."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declares --hours and --json."""
        parser.add_argument("--hours", type=int, default=1)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Counts and reports."""
        counted = monitoring.figures(options["hours"])
        raised = monitoring.alerts(counted)
        status = monitoring.status(raised)
        if options["json"]:
            report = {"status": status, "hours": options["hours"], "figures": counted, "alerts": raised}
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write(f"{status} over the last {options['hours']} h")
            for name, value in counted.items():
                self.stdout.write(f"  {name:<20} {value}")
            for alert in raised:
                self.stdout.write("  {severity}: {figure} is {value}, limit {above}".format(**alert))
        if status == monitoring.CRITICAL:
            sys.exit(1)
