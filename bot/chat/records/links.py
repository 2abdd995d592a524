"""Buttons that lead from a record to what else the ERP tells of it or of its partner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.cards.actions import Ask
from bot.cards.view import Button
from bot.chat.parsing import command_line
from bot.erp.hub import Answer, ErpHub
from bot.erp.port import Capability
from bot.phrase import phrase

_LINKS = {
    "arrivals": (Capability.ARRIVALS, phrase("On its way")),
    "bill": (Capability.BILLS, phrase("Bills")),
    "customer": (Capability.CUSTOMERS, phrase("Customer")),
    "delivery": (Capability.DELIVERIES, phrase("Deliveries")),
    "invoice": (Capability.INVOICES, phrase("Invoices")),
    "mo": (Capability.PRODUCTION_ORDERS, phrase("Production orders")),
    "order": (Capability.SALES_ORDERS, phrase("Orders")),
    "payment": (Capability.PAYMENTS, phrase("Payments")),
    "po": (Capability.PURCHASE_ORDERS, phrase("Purchase orders")),
    "price": (Capability.PRICES, phrase("Prices")),
    "product": (Capability.PRODUCT_DETAILS, phrase("Product")),
    "receipt": (Capability.RECEIPTS, phrase("Goods receipts")),
    "stock": (Capability.STOCK, phrase("Stock")),
    "vendor": (Capability.VENDORS, phrase("Vendor")),
}
"""What a command asks the ERP for, and what its button is called."""


def offered(erp: ErpHub, *commands: str, of: Answer[Any]) -> tuple[str, ...]:
    """Return those of the commands that a source can answer that has what is shown.

    A button must not lead to a refusal, nor to a source that knows nothing of it.
    """
    return tuple(command for command in commands if erp.offers(_LINKS[command][0], at=of.sources))


_HOLDING = {
    "order": (Capability.ORDERS_OF_PRODUCT, phrase("Open orders")),
    "po": (Capability.PURCHASES_OF_PRODUCT, phrase("Open purchase orders")),
}
"""The commands whose open lists may be those of a product."""


def holding_offered(erp: ErpHub, *, of: Answer[Any]) -> tuple[str, ...]:
    """Return the commands that can list the documents of a product, at a source that has it."""
    return tuple(command for command, (capability, _) in _HOLDING.items() if erp.offers(capability, at=of.sources))


def holding_buttons(commands: Iterable[str], sku: str) -> Sequence[Button]:
    """Return a button for each command that asks it for the open documents of a product."""
    return [Button(_HOLDING[command][1], Ask(command_line(command, "open", sku))) for command in commands]


def more_buttons(commands: Iterable[str], word: str) -> Sequence[Button]:
    """Return a button for each command that asks it about ``word``, such as a number or a partner."""
    return [Button(_LINKS[command][1], Ask(command_line(command, word))) for command in commands] if word else []
