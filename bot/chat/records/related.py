"""Buttons from a record to what else the ERP tells of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.cards.actions import Ask
from bot.cards.view import Button
from bot.chat.parsing import command_line
from bot.erp.hub import ErpHub
from bot.erp.port import Capability
from bot.phrase import phrase

_NEEDS = {
    "arrivals": Capability.ARRIVALS,
    "bill": Capability.BILLS,
    "delivery": Capability.DELIVERIES,
    "invoice": Capability.INVOICES,
    "mo": Capability.PRODUCTION_ORDERS,
    "price": Capability.PRICES,
    "product": Capability.PRODUCT_DETAILS,
    "stock": Capability.STOCK,
}
"""What a command asks the ERP for."""
_LABELS = {
    "arrivals": phrase("On its way"),
    "bill": phrase("Bills"),
    "delivery": phrase("Deliveries"),
    "invoice": phrase("Invoices"),
    "mo": phrase("Production orders"),
    "price": phrase("Prices"),
    "product": phrase("Product"),
    "stock": phrase("Stock"),
}


def offered(erp: ErpHub, *commands: str) -> tuple[str, ...]:
    """Return those of the commands that any source can answer."""
    return tuple(command for command in commands if erp.offers(_NEEDS[command]))


def more_buttons(commands: Iterable[str], word: str) -> Sequence[Button]:
    """Return a button for each command that asks it about ``word``."""
    return [Button(_LABELS[command], Ask(command_line(command, word))) for command in commands] if word else []
