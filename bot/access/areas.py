"""Which command answers for a document wherever it appears: rules on /invoice bind an alert about an invoice, too."""

from __future__ import annotations

from types import MappingProxyType

AREA_COMMANDS = MappingProxyType(
    {"stock": "stock", "order": "order", "invoice": "invoice", "po": "po", "production": "mo"}
)
"""Area, the first word of an event's type → the command that shows such documents."""

OF_PARTNERS = frozenset({"order", "invoice", "po"})
"""Commands whose documents have a customer or vendor."""

_ORDERS, _ALL = ("po",), tuple(AREA_COMMANDS.values())
_REPORTED = ("order", "invoice", "po", "mo")

DOCUMENT_COMMANDS = MappingProxyType(
    {
        "customer": ("order", "invoice"),
        "vendor": _ORDERS,
        "bill": _ORDERS,
        "payment": ("invoice", "po"),
        "pending": _ORDERS,
        "why": _ORDERS,
        "approve": _ORDERS,
        "reject": _ORDERS,
        "report": _REPORTED,
        "chart": ("order", "invoice"),
        "export": _ALL,
        "subscribe": _ALL,
        "alerts": _ALL,
        "find": _ALL,
        "product": ("stock", "order", "po"),
        "price": ("order", "po"),
        "arrivals": ("stock", "po", "mo"),
        "delivery": ("order",),
        "receipt": ("po",),
        "shortage": ("stock",),
        "watch": _ALL,
        "watches": _ALL,
        "unwatch": _ALL,
    }
)
"""Command → the commands whose documents it shows."""


def command_of(area: str) -> str | None:
    """Return the command for an area or for a type of event, such as ``invoice.overdue`` or ``custom.invoice``.

    None for news of no area of the ERP, such as ``custom.door``: the rules on /alerts are all that binds them.
    """
    return AREA_COMMANDS.get(area.removeprefix("custom.").partition(".")[0])
