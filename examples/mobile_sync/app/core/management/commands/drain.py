"""Tells the sockets of some client classes to move."""

import asyncio
import json
from typing import Any

from channels.layers import get_channel_layer
from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis import RedisError

from core.sync import classes
from mobile_sync.identity import COLOUR


class Command(BaseCommand):
    """Needs Redis only; reaches every instance of the colour on every host."""

    help = "Asks sockets of client classes to close (4012), each at a random moment within some seconds."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declares --classes, --over, --colour."""
        parser.add_argument("--classes", required=True, help="such as 0-9,15; none = unclassed sockets; all")
        parser.add_argument("--over", type=float, default=0.0, help="seconds over which they are spread")
        parser.add_argument("--colour", default=COLOUR, help="default: this environment's colour (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sends one message to each group."""
        try:
            names = classes.parse(options["classes"])
        except ValueError as error:
            raise CommandError(f"--classes: {error}") from error
        if not 0 <= options["over"] < float("inf"):
            raise CommandError(f"--over is {options['over']}: expected seconds from 0 on")
        try:
            asyncio.run(self._send(options["colour"], names, options["over"]))
        except (RedisError, OSError) as error:
            raise CommandError(f"Redis does not answer, see REDIS_URL: {error}") from error
        self.stdout.write(json.dumps({"colour": options["colour"], "classes": len(names), "over": options["over"]}))

    async def _send(self, colour: str, names: list[str], over: float) -> None:
        layer = get_channel_layer()
        for name in names:
            await layer.group_send(classes.group(colour, name), {"type": "deploy.drain", "over": over})
        await layer.flush()
