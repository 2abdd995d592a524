"""The port's lists as Tryton's domains and orders: it filters, sorts and counts everything except overdue invoices."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from bot.erp import kinds
from bot.erp.keys import escape_like
from bot.erp.kinds import Kind
from bot.erp.port import NEWEST_FIRST, Filter, ListQuery, Period
from bot.erp.tryton import documents, partners
from bot.erp.tryton.client import Domain, Order, Row, containing
from bot.erp.tryton.decisions import TrytonApproval

CASH = ["cash", "statement"]
"""The journals in which payments end."""
_UNDER_WAY: Domain = [["state", "in", ["confirmed", "processing"]]]
_OF_GOODS: Domain = ["lines.product.template.type", "in", list(documents.GOODS_TYPES)]

Filters = Mapping[Filter, tuple[Callable[[date], Domain], str]]
"""For each filter, its domain on a given day, and the field to sort by, oldest first unless `NEWEST_FIRST`."""


_UNNUMBERED = re.compile(r"\((\d{1,9})\)")


def unnumbered(text: str, number: str = "number") -> Domain:
    """Return the conditions for an unnumbered document if ``text`` is its id, such as ``(12)``; else none."""
    named = _UNNUMBERED.fullmatch(text)
    return [["id", "=", int(named[1])], [number, "=", None]] if named else []


def _of_several(text: str) -> Domain:
    """Return the conditions for a payment's line that its move's number does not identify; none for others."""
    named = partners.line_of_several(text)
    return [["move.number", "ilike", escape_like(named[0])], ["id", "=", named[1]]] if named else []


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
    unsorted: frozenset[Filter] = frozenset()
    """Filters whose day Tryton cannot sort by."""
    exact_due: bool = True
    """Whether the documents that the field ``due`` matches are those that are due then."""
    partner: str = "party.name"
    number: str = "number"
    called: Callable[[Row], str] = documents.number_of
    """The number of a document as the bot shows it."""

    def is_exact(self, query: ListQuery) -> bool:
        """Return whether the domain matches the documents of a query and no others."""
        return query.filter not in self.inexact and (query.due is None or self.exact_due)

    def has(self, query: ListQuery) -> bool:
        """Return whether documents of this kind can have what a query asks for: a partner, days."""
        asked = ((query.partner, self.partner), (query.during, self.day), (query.due, self.due))
        return all(name for wanted, name in asked if wanted)

    def domain_of(self, query: ListQuery, today: date) -> Domain:
        filtered = self.filters[query.filter][0](today) if query.filter in self.filters else []
        days = [*within(self.day_in(query.filter), query.during), *within(self.due, query.due)]
        of_partner = [[self.partner, "ilike", escape_like(query.partner)]] if query.partner else []
        of_product = [["lines.product.code", "ilike", escape_like(query.product)]] if query.product else []
        return [*self.domain, *filtered, *days, *of_partner, *of_product, *self._with_text(query.text)]

    def day_in(self, wanted: Filter) -> str:
        """Return the field by which a list is dated: of what was done when that was."""
        return self.filters[wanted][1] if wanted in NEWEST_FIRST and wanted in self.filters else self.day

    def domain_called(self, number: str) -> Domain:
        """Return the conditions for documents with this number, in any case."""
        exact: Domain = [[self.number, "ilike", escape_like(number)]]
        return [*self.domain, *(self._by_id(number) or exact)]

    def domain_of_all(self, numbers: Sequence[str]) -> Domain:
        """Return the conditions for documents with these numbers, spelled as the bot tells them."""
        by_id = [domain for number in numbers if (domain := self._by_id(number))]
        return [*self.domain, ["OR", [[self.number, "in", list(numbers)]], *by_id]]

    def _with_text(self, text: str) -> Domain:
        found = containing(text, self.texts)
        return [["OR", *found, by_id]] if (by_id := self._by_id(text)) else found

    def _by_id(self, text: str) -> Domain:
        return unnumbered(text, self.number) or (_of_several(text) if self.model == "account.move.line" else [])

    def order_of(self, query: ListQuery) -> Order:
        """Return the order of a list, unique by its last field; documents without a day come last."""
        by_day = [[self.day, "DESC NULLS LAST"]] if self.day else []
        if query.filter not in NEWEST_FIRST:
            by_day = [[self.filters[query.filter][1], "ASC NULLS LAST"]]
        return [*by_day, [self.number, "ASC"], ["id", "ASC"]]


def within(name: str, period: Period | None) -> Domain:
    """Return the conditions for a day in a period, if there is one."""
    return [] if period is None else [[name, ">=", period.first], [name, "<=", period.last]]


SALES = DocumentQuery(
    "sale.sale",
    documents.SALE,
    documents.SALE_LINES,
    ("number", "party.name"),
    "sale_date",
    "shipping_date",
    {
        Filter.OPEN: (lambda today: [*_UNDER_WAY, ["shipment_state", "!=", "sent"], _OF_GOODS], "shipping_date"),
        Filter.LATE: (
            lambda today: [*_UNDER_WAY, ["shipment_state", "!=", "sent"], _OF_GOODS, ["shipping_date", "<", today]],
            "shipping_date",
        ),
    },
)
_INVOICE_FILTERS: Filters = {
    # Something posted may be settled without being paid, and Tryton has no state "overdue": paid lines match too. So
    # the records are checked.
    Filter.OPEN: (lambda today: [["state", "=", "posted"]], "invoice_date"),
    Filter.OVERDUE: (
        lambda today: [["state", "=", "posted"], ["move.lines.maturity_date", "<", today]],
        "invoice_date",
    ),
}
INVOICES = DocumentQuery(
    "account.invoice",
    documents.INVOICE,
    (),
    ("number", "party.name"),
    "invoice_date",
    "move.lines.maturity_date",
    _INVOICE_FILTERS,
    domain=[["type", "=", "out"]],
    inexact=frozenset(_INVOICE_FILTERS),
    exact_due=False,
)
BILLS = replace(INVOICES, fields=partners.BILL, texts=(*INVOICES.texts, "reference"), domain=[["type", "=", "in"]])
PURCHASES = DocumentQuery(
    "purchase.purchase",
    documents.PURCHASE,
    documents.PURCHASE_LINES,
    ("number", "party.name"),
    "purchase_date",
    "delivery_date",
    {
        Filter.OPEN: (lambda today: [*_UNDER_WAY, ["shipment_state", "!=", "received"], _OF_GOODS], "delivery_date"),
        Filter.LATE: (
            lambda today: [*_UNDER_WAY, ["shipment_state", "!=", "received"], _OF_GOODS, ["delivery_date", "<", today]],
            "delivery_date",
        ),
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
        Filter.OPEN: (lambda today: [["state", "not in", ["done", "cancelled"]]], "planned_date"),
        Filter.LATE: (
            lambda today: [["state", "not in", ["done", "cancelled"]], ["planned_date", "<", today]],
            "planned_date",
        ),
        Filter.DONE: (lambda today: [["state", "=", "done"]], "effective_date"),
    },
    # Tryton sorts by this day as by the effective start (`Production.order_effective_date`).
    unsorted=frozenset({Filter.DONE}),
    partner="",
)
# Every way to pay ends as a line on the partner's account in a journal of cash or, with its module, of statements.
PAYMENTS = DocumentQuery(
    "account.move.line",
    partners.PAYMENT,
    partners.SETTLED,
    ("move.number", "party.name"),
    "move.date",
    "",
    {
        # Either of them is 0, and the other may be negative.
        Filter.RECEIVED: (lambda today: [["debit", "<=", 0], ["credit", ">=", 0]], "move.date"),
        Filter.SPENT: (lambda today: [["OR", ["debit", ">", 0], ["credit", "<", 0]]], "move.date"),
    },
    domain=[
        ["move.journal.type", "in", CASH],
        ["party", "!=", None],
        ["OR", ["account.type.receivable", "=", True], ["account.type.payable", "=", True]],
    ],
    number="move.number",
    called=partners.payment_number,
)
CUSTOMERS = DocumentQuery(
    "party.party",
    partners.CUSTOMER,
    (),
    ("code", "name"),
    "",
    "",
    partner="name",
    number="code",
    called=partners.code_of,
)
VENDORS = replace(CUSTOMERS, fields=partners.VENDOR)
KINDS: Mapping[Kind[Any], DocumentQuery] = {
    kinds.SALES_ORDERS: SALES,
    kinds.INVOICES: INVOICES,
    kinds.PURCHASE_ORDERS: PURCHASES,
    kinds.PRODUCTION_ORDERS: PRODUCTIONS,
    kinds.CUSTOMERS: CUSTOMERS,
    kinds.VENDORS: VENDORS,
    kinds.BILLS: BILLS,
    kinds.PAYMENTS: PAYMENTS,
}


def decided(query: DocumentQuery, approval: TrytonApproval) -> DocumentQuery:
    """Return the lists of a kind that is decided, with one of what waits, and what its reviews are made of."""
    waiting: Filters = {Filter.PENDING: (lambda today: [["state", "=", approval.waiting]], query.day)}
    return replace(query, fields=(*query.fields, *documents.REVIEWED), filters={**query.filters, **waiting})
