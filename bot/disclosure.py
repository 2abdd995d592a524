"""The classes of fields that a company keeps from some readers, and the mark in place of what a reader may not see.

A field says its class where its record is declared: ``total: Annotated[Money | None, FieldClass.AMOUNT]``. Views,
lists, alerts and exports are built from the same records, so none of them can forget it.
"""

from __future__ import annotations

from enum import StrEnum


class FieldClass(StrEnum):
    """What a field tells about the company's business. Fields without a class may be seen by every reader."""

    QUANTITY = "quantity"
    """How much lies in stock, is ordered, delivered or produced."""
    AMOUNT = "amount"
    """Money on the side of sales: prices, totals, what is owed."""
    COST = "cost"
    """Money on the side of purchasing and production: purchase prices, totals, margins."""
    PARTNER = "partner"
    """The name of a customer or vendor."""
    CONTACT = "contact"
    """Phone numbers, addresses and accounts of people outside the company."""


ALL_FIELDS = frozenset(FieldClass)
"""What a reader sees who may see everything."""

SHARED_FIELDS = frozenset({FieldClass.QUANTITY, FieldClass.PARTNER})
"""What a conversation's shared card shows unless a rule says otherwise (docs: contracts.md#smallest-configurations)."""
