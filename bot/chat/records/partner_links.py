"""Buttons that lead from a document to its partner, and to what else there is with that partner."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.cards.actions import Ask
from bot.cards.view import Button
from bot.chat.parsing import command_line
from bot.erp.hub import ErpHub
from bot.erp.port import Capability
from bot.phrase import Phrase, phrase

_LABELS: Mapping[str, Phrase] = MappingProxyType(
    {
        "customer": phrase("Customer"),
        "order": phrase("Orders"),
        "invoice": phrase("Invoices"),
        "vendor": phrase("Vendor"),
        "po": phrase("Purchase orders"),
        "bill": phrase("Bills"),
        "payment": phrase("Payments"),
    }
)
_NEEDS: Mapping[str, Capability] = MappingProxyType(
    {
        "customer": Capability.CUSTOMERS,
        "order": Capability.SALES_ORDERS,
        "invoice": Capability.INVOICES,
        "vendor": Capability.VENDORS,
        "po": Capability.PURCHASE_ORDERS,
        "bill": Capability.BILLS,
        "payment": Capability.PAYMENTS,
    }
)


def offered_links(erp: ErpHub, *commands: str) -> tuple[str, ...]:
    """Return those of the commands that an ERP has an answer for: a button must not lead to a refusal."""
    return tuple(command for command in commands if erp.offers(_NEEDS[command]))


def partner_buttons(links: tuple[str, ...], partner: str) -> list[Button]:
    """Return a button for each command of ``links``, which it asks for the partner."""
    return [Button(_LABELS[command], Ask(command_line(command, partner))) for command in links]
