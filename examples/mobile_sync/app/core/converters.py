"""Parts of addresses."""

from django.urls import register_converter

from core.sync.items import NAME


class NameConverter:
    """A name that a client chose: of a device, for example."""

    regex = NAME.pattern

    def to_python(self, value: str) -> str:
        """The name itself."""
        return value

    to_url = to_python


def register() -> None:
    """Makes <name:...> known to path()."""
    register_converter(NameConverter, "name")
