"""The port's lists as Tryton's domains and orders: it filters, sorts and counts everything except overdue invoices."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bot.erp import listing
from bot.erp.listing import Listing
from bot.erp.port import Filter, ListQuery, Period
from bot.erp.tryton import documents
from bot.erp.tryton.client import Domain, Order, containing

Filters = Mapping[Filter, tuple[Callable[[date], Domain], str]]
"""For each filter, its domain on a given day, and the field to sort by, oldest first."""


_UNNUMBERED = re.compile(r"\((\d{1,9})\)")


def unnumbered(text: str) -> Domain:
    """Return the conditions for an unnumbered document if ``text`` is its id, such as ``(12)``; else none."""
    named = _UNNUMBERED.fullmatch(text)
    return [["id", "=", int(named[1])], ["number", "=", None]] if named else []


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """One kind of document: its model, the fields to read, the searched fields, the days and the filters."""

    model: str
    fields: tuple[str, ...]
    line_fields: tuple[str, ...]
    texts: tuple[str, ...]
    day: str
    due: str
    filters: Filters = field(default_factory=dict)
    domain: Domain = field(default_factory=list)
    inexact: frozenset[Filter] = frozenset()
    """Filters whose domain also matches other documents."""
    exact_due: bool = True
    """Whether the documents that the field ``due`` matches are those that are due then."""

    def is_exact(self, query: ListQuery) -> bool:
        """Return whether the domain matches the documents of a query and no others."""
        return query.filter not in self.inexact and (query.due is None or self.exact_due)

    def domain_of(self, query: ListQuery, today: date) -> Domain:
        filtered = self.filters[query.filter][0](today) if query.filter in self.filters else []
        days = [*_within(self.day, query.during), *_within(self.due, query.due)]
        return [*self.domain, *filtered, *days, *self._with_text(query.text)]

    def _with_text(self, text: str) -> Domain:
        found = containing(text, self.texts)
        return [["OR", *found, unnumbered(text)]] if unnumbered(text) else found

    def order_of(self, query: ListQuery) -> Order:
        """Return the order of a list, unique by its last field; documents without a day come last."""
        by_day = [self.filters[query.filter][1], "ASC NULLS LAST"] if query.filter in self.filters else None
        return [by_day or [self.day, "DESC NULLS LAST"], ["number", "ASC"], ["id", "ASC"]]


def _within(name: str, period: Period | None) -> Domain:
    return [] if period is None else [[name, ">=", period.first], [name, "<=", period.last]]


SALES = DocumentQuery(
    "sale.sale",
    documents.SALE,
    documents.SALE_LINES,
    ("number", "party.name"),
    "sale_date",
    "shipping_date",
    {
        Filter.LATE: (
            lambda today: [
                ["state", "in", ["confirmed", "processing"]],
                ["shipment_state", "!=", "sent"],
                ["shipping_date", "<", today],
            ],
            "shipping_date",
        )
    },
)
INVOICES = DocumentQuery(
    "account.invoice",
    documents.INVOICE,
    (),
    ("number", "party.name"),
    "invoice_date",
    "move.lines.maturity_date",
    {
        # Tryton has no such state. Paid lines match too, so the records are checked.
        Filter.OVERDUE: (
            lambda today: [["state", "=", "posted"], ["move.lines.maturity_date", "<", today]],
            "invoice_date",
        )
    },
    domain=[["type", "=", "out"]],
    inexact=frozenset({Filter.OVERDUE}),
    exact_due=False,
)
PURCHASES = DocumentQuery(
    "purchase.purchase",
    documents.PURCHASE,
    documents.PURCHASE_LINES,
    ("number", "party.name"),
    "purchase_date",
    "delivery_date",
    {
        Filter.LATE: (
            lambda today: [
                ["state", "in", ["confirmed", "processing"]],
                ["shipment_state", "!=", "received"],
                ["delivery_date", "<", today],
            ],
            "delivery_date",
        ),
        Filter.PENDING: (lambda today: [["state", "=", "quotation"]], "purchase_date"),
    },
)
PRODUCTIONS = DocumentQuery(
    "production",
    documents.PRODUCTION,
    (),
    ("number", "product.code", "product.template.name"),
    "planned_start_date",
    "planned_date",
    {
        Filter.LATE: (
            lambda today: [["state", "not in", ["done", "cancelled"]], ["planned_date", "<", today]],
            "planned_date",
        )
    },
)
KINDS: Mapping[Listing[Any], DocumentQuery] = {
    listing.SALES_ORDERS: SALES,
    listing.INVOICES: INVOICES,
    listing.PURCHASE_ORDERS: PURCHASES,
    listing.PRODUCTION_ORDERS: PRODUCTIONS,
}
