"""The command responsible for a document wherever it appears: rules on /invoice also govern alerts about invoices."""

from __future__ import annotations

from types import MappingProxyType

AREA_COMMANDS = MappingProxyType(
    {"stock": "stock", "order": "order", "invoice": "invoice", "po": "po", "production": "mo"}
)
"""Area, the first word of an event's type → the command that shows such documents."""

OF_PARTNERS = frozenset({"order", "invoice", "po"})
"""Commands whose documents have a customer or vendor."""

CREATED = frozenset({"order"})
"""Commands whose documents are begun from the chat."""
NEW = "new"
"""The command that begins them: rules on it say which ones."""

EVERY_AREA = tuple(AREA_COMMANDS.values())
"""The areas of a command that does not declare whose documents it shows: it is closed if any of them is."""


def command_of(area: str) -> str | None:
    """Return the command for an area or an event type, such as ``invoice.overdue`` or ``custom.invoice``.

    None for news outside the ERP's areas, such as ``custom.door``: only the rules on /alerts govern them.
    """
    return AREA_COMMANDS.get(area.removeprefix("custom.").partition(".")[0])
