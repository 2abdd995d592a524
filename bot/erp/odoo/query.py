"""Domains of Odoo's searches for the port's lists and look-ups.

User input is only ever a value of a condition, never part of its notation, so only LIKE wildcards need escaping.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp import kinds
from bot.erp.keys import escape_like
from bot.erp.kinds import Kind
from bot.erp.port import NEWEST_FIRST, Filter, ListQuery, Period

Condition = list[Any]


def any_of(*conditions: Condition) -> Condition:
    """Return a condition that holds if any of several single conditions does."""
    return ["|"] * (len(conditions) - 1) + list(conditions)


def _joined(operator: str, *domains: Condition) -> Condition:
    """Return one domain of several, each of which is a single condition or joined already."""
    return [operator] * (len(domains) - 1) + [term for domain in domains for term in domain]


def equals(name: str, text: str) -> Condition:
    """Return the condition that a field equals a text, ignoring case."""
    return [name, "=ilike", escape_like(text)]


def contains(names: tuple[str, ...], text: str) -> Condition:
    """Return the condition that one of several fields contains a text, ignoring case; none for an empty text."""
    return any_of(*([name, "ilike", escape_like(text)] for name in names)) if text else []


def of_company(company: int | None, *, shared: bool = False) -> Condition:
    """Return the condition that a record belongs to a company or, if ``shared``, to none."""
    if company is None:
        return []
    return [["company_id", "in", [False, company]]] if shared else [["company_id", "=", company]]


def is_searchable(text: str) -> bool:
    """Whether PostgreSQL accepts the text: it refuses null characters."""
    return "\0" not in text


def timestamp(at: datetime) -> str:
    """Return a time in Odoo's format."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class DayStart:
    """The start of a day in the company's zone: as a date, and as a time in UTC."""

    day: str
    moment: str

    @classmethod
    def of(cls, day: date, zone: ZoneInfo) -> DayStart:
        """Return the start of a day in the company's zone."""
        return cls(day.isoformat(), timestamp(datetime.combine(day, time(), zone)))

    def of_field(self, name: str) -> str:
        """Return the start as Odoo stores the values of a field."""
        return self.day if name in _DATES else self.moment


_DATES = frozenset({"invoice_date", "invoice_date_due", "date"})
"""Fields of days; the other days of documents are times."""


BY_ID = re.compile(r"(.*)\*([1-9][0-9]{0,8})")
"""How a record is called whose code or number is no name for it: there is none (``*12``), or others have it too
(``A-1*12``)."""


def of_product(sku: str) -> Condition:
    """Return the condition that an order has a line of the product with a code, or with the id behind it."""
    exact = equals("order_line.product_id.default_code", sku)
    by_id = BY_ID.fullmatch(sku)
    return any_of(exact, ["order_line.product_id", "=", int(by_id[2])]) if by_id else [exact]


_NOTHING: Condition = [["id", "=", 0]]


def within(name: str, period: Period, zone: ZoneInfo) -> Condition:
    """Return the condition that the day of a field lies in a period; a record without the field is in none."""
    if not name:
        return _NOTHING
    first, after = DayStart.of(period.first, zone), DayStart.of(period.last + timedelta(days=1), zone)
    return [[name, ">=", first.of_field(name)], [name, "<", after.of_field(name)]]


def _known(paths: tuple[str, ...], available: frozenset[str]) -> tuple[str, ...]:
    """Return the paths whose first field this release has, and its applications."""
    return tuple(path for path in paths if path.partition(".")[0] in available)


Late = Callable[[frozenset[str], DayStart], Condition]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentQuery:
    """How one kind of document is read, searched, ordered and filtered."""

    model: str
    fields: tuple[str, ...]
    days: tuple[str, ...] = ()
    """Fields to sort by, newest first: the first of them that this release has; without any by the key."""
    due: str = ""
    texts: tuple[str, ...]
    """Fields that are searched; those of applications that are not installed are left out."""
    base: Condition = field(default_factory=list)
    given: Callable[[frozenset[str]], Condition] = lambda _: []
    """What holds besides, by the fields that this release has, and its applications."""
    filters: Mapping[Filter, tuple[str, Late]] = field(default_factory=dict)
    """Per filter, the field to sort by (oldest first, unless the list is `NEWEST_FIRST`) and the condition."""
    key: str = "name"
    """The field with the number or code."""
    partners: tuple[str, ...] = ("partner_id.name", "partner_id.parent_id.name")
    """The names of the customer or vendor, those of the company that somebody works for included; as ``texts``."""
    excluded: tuple[str, ...] = ()
    """Fields that mark what is not meant, where this release has them."""
    in_lines: bool = False
    """Whether its lines are of products."""
    shared: bool = False
    """Whether a record may belong to no company, and whether disabled ones are found by their code."""

    def domain_of(self, query: ListQuery, available: frozenset[str], today: date, zone: ZoneInfo) -> Condition:
        """Return the domain of a list; ``available`` are the fields that this release has."""
        domain = [*self.base_of(available), *contains(_known(self.texts, available), query.text)]
        if query.during is not None:
            domain += within(self._day_in(query.filter, available), query.during, zone)
        if query.due is not None:
            domain += within(self.due, query.due, zone)
        if query.partner:
            named = [equals(name, query.partner) for name in _known(self.partners, available)]
            domain += any_of(*named) if named else _NOTHING
        if query.product:
            domain += of_product(query.product) if self.in_lines else _NOTHING
        if query.filter is Filter.ALL:
            return domain
        return [*domain, *self.filters[query.filter][1](available, DayStart.of(today, zone))]

    def _day_in(self, wanted: Filter, available: frozenset[str]) -> str:
        """Return the field by which a list is dated: of what was done when that was."""
        if wanted in NEWEST_FIRST and wanted in self.filters:
            return self.filters[wanted][0]
        return next((name for name in self.days if name in available), "")

    def base_of(self, available: frozenset[str]) -> Condition:
        """Return the condition that holds for all documents of the kind."""
        return [
            *self.base,
            *self.given(available),
            *([name, "=", False] for name in self.excluded if name in available),
        ]

    def order_of(self, query: ListQuery, available: frozenset[str]) -> str:
        """Return the order of a list, unique by its last field."""
        by_key = f"{self.key} asc, id asc"
        if query.filter not in NEWEST_FIRST:
            return f"{self.filters[query.filter][0]} asc, {by_key}"
        day = self._day_in(query.filter, available)
        return f"{day} desc, {by_key}" if day else by_key


def _overdue(due: str, status: str) -> Late:
    """Return the condition that something was due before today and is still owed."""
    owed = _still_owed(status)
    return lambda available, start: [[due, "<", start.moment], *owed(available, start)]


def _still_owed(status: str) -> Late:
    """Return the condition that something is still owed: by ``status`` or, before 16, by open transfers."""
    billed = {"delivery_status": ["invoiced", "upselling"], "receipt_status": ["invoiced"]}[status]
    states = {"delivery_status": ["sale", "done"], "receipt_status": ["purchase", "done"]}[status]

    def owed(available: frozenset[str], start: DayStart) -> Condition:
        unlocked = ["locked", "=", False] if "locked" in available else ["state", "!=", "done"]
        service = ["&", unlocked, ["invoice_status", "not in", billed]]
        found = [["state", "in", states]]
        if status == "receipt_status" and status in available:
            # Of services alone there is no such status, and nothing is to come.
            return [*found, [status, "!=", "full"], [status, "!=", False]]
        if status == "receipt_status" and "picking_ids" in available:
            return [*found, ["picking_ids.state", "not in", ["done", "cancel"]]]
        if status in available:
            # Services have no such status: they are owed until they are billed or the order is locked.
            return [*found, [status, "!=", "full"], "|", [status, "!=", False], *service]
        if "picking_ids" in available:
            return [*found, "|", ["picking_ids.state", "not in", ["done", "cancel"]], "&", ["picking_ids", "=", False],
                    *service]  # fmt: skip
        return [*found, *service]

    return owed


_UNSETTLED: Condition = [
    ["state", "=", "posted"],
    ["payment_state", "not in", ["paid", "in_payment", "reversed"]],
    # Of blocked and imported invoices only the amounts are reliable.
    *any_of(["payment_state", "in", ["not_paid", "partial"]], ["amount_residual", "!=", 0]),
]


def _unpaid(move_type: str) -> Late:
    """Return the condition that an invoice or bill was due before today, and something of it is not paid."""
    return lambda _, start: [
        ["move_type", "=", move_type],
        *_UNSETTLED,
        ["amount_residual", ">", 0],
        ["invoice_date_due", "<", start.day],
    ]


SALES_ORDERS = DocumentQuery(
    model="sale.order",
    fields=(
        "name", "state", "partner_id", "amount_total", "currency_id", "delivery_status", "invoice_status",
        "invoice_ids", "date_order", "commitment_date", "user_id", "order_line", "locked", "write_date",
    ),
    days=("date_order",),
    due="commitment_date",
    texts=("name", "partner_id.name", "partner_id.parent_id.name"),
    in_lines=True,
    filters={
        Filter.OPEN: ("commitment_date", _still_owed("delivery_status")),
        Filter.LATE: ("commitment_date", _overdue("commitment_date", "delivery_status")),
    },
)  # fmt: skip


def _account_moves(invoice: str, refund: str, *more: str) -> DocumentQuery:
    """Return the kind of invoices or bills; ``more`` are fields that are searched as well."""
    return DocumentQuery(
        model="account.move",
        fields=(
            "name", "move_type", "state", "payment_state", "partner_id", "amount_total", "amount_residual",
            "currency_id", "invoice_date", "invoice_date_due", "invoice_origin", "write_date", *more,
        ),
        days=("invoice_date",),
        due="invoice_date_due",
        texts=("name", "partner_id.name", "partner_id.parent_id.name", *more),
        base=[["move_type", "in", [invoice, refund]]],
        filters={
            Filter.OPEN: ("invoice_date_due", lambda _there, _start: _UNSETTLED),
            Filter.OVERDUE: ("invoice_date_due", _unpaid(invoice)),
        },
    )  # fmt: skip


INVOICES = _account_moves("out_invoice", "out_refund")
BILLS = _account_moves("in_invoice", "in_refund", "ref")
PURCHASE_ORDERS = DocumentQuery(
    model="purchase.order",
    fields=(
        "name", "state", "partner_id", "amount_total", "currency_id", "date_order", "date_planned", "date_approve",
        "user_id", "create_uid", "receipt_status", "invoice_status", "order_line", "locked", "write_date", "write_uid",
    ),
    days=("date_order",),
    due="date_planned",
    texts=("name", "partner_id.name", "partner_id.parent_id.name"),
    in_lines=True,
    filters={
        Filter.OPEN: ("date_planned", _still_owed("receipt_status")),
        Filter.LATE: ("date_planned", _overdue("date_planned", "receipt_status")),
        Filter.PENDING: ("date_order", lambda _there, _start: [["state", "=", "to approve"]]),
    },
)  # fmt: skip
PRODUCTION_ORDERS = DocumentQuery(
    model="mrp.production",
    fields=(
        "name", "state", "product_id", "product_qty", "qty_produced", "product_uom_id", "date_planned_start",
        "date_start", "date_deadline", "date_finished", "origin", "reservation_state",
        "components_availability_state", "write_date",
    ),
    days=("date_planned_start", "date_start"),
    due="date_deadline",
    texts=("name", "product_id.default_code", "product_id.name"),
    partners=(),
    filters={
        Filter.OPEN: ("date_deadline", lambda _there, _start: [["state", "not in", ["done", "cancel"]]]),
        Filter.LATE: (
            "date_deadline",
            lambda _, start: [["state", "not in", ["done", "cancel"]], ["date_deadline", "<", start.moment]],
        ),
        Filter.DONE: ("date_finished", lambda _there, _start: [["state", "=", "done"]]),
    },
)  # fmt: skip

_DONE: Condition = [["state", "=", "done"]]
_NOT_TO_VENDOR: Condition = [["location_dest_id.usage", "!=", "supplier"]]


def _of_customers(available: frozenset[str]) -> Condition:
    """Return the condition that goods leave for a customer, or came back from one.

    The kind of a transfer does not tell: what comes back is mostly of the kind of receipts, and what goes back to a
    vendor of the kind of deliveries. A sister company is sent goods by a place in between, and so is another warehouse,
    but that is for no order.
    """
    sold = [["sale_id", "!=", False]] if "sale_id" in available else []
    leaves = [
        [["picking_type_code", "=", "outgoing"]],
        [["location_id.usage", "!=", "customer"]],
        _NOT_TO_VENDOR,
        any_of(["location_dest_id.usage", "!=", "transit"], *sold),
    ]
    senders: list[Condition] = [[["location_id.usage", "=", "customer"]]]
    if {"sale_id", "return_id"} <= available:
        of_sister = (["location_id.usage", "=", "transit"], ["picking_type_code", "!=", "outgoing"])
        senders.append(_joined("&", *([each] for each in (*of_sister, *sold, ["return_id", "!=", False]))))
    back = _joined("&", _DONE, _NOT_TO_VENDOR, _joined("|", *senders))
    return _joined("|", _joined("&", *leaves), back)


DELIVERIES = DocumentQuery(
    model="stock.picking",
    fields=(
        "name", "state", "origin", "sale_id", "partner_id", "scheduled_date", "date_done", "carrier_id",
        "carrier_tracking_ref", "picking_type_id", "location_id", "location_dest_id", "write_date",
    ),
    days=("scheduled_date",),
    texts=("name", "origin", "partner_id.name", "partner_id.parent_id.name"),
    given=_of_customers,
    filters={
        Filter.LATE: (
            "scheduled_date",
            lambda _, start: [["state", "not in", ["done", "cancel"]], ["scheduled_date", "<", start.moment]],
        )
    },
    partners=("partner_id.name", "partner_id.parent_id.name"),
)  # fmt: skip
LEFT = replace(DELIVERIES, base=_DONE, days=("date_done",))
"""Deliveries whose day is when they left; the others have the day they are planned for."""
NOT_LEFT = replace(DELIVERIES, base=[["state", "!=", "done"]])

_CAME_IN: Condition = [
    *_DONE,
    # What customers send back, and what goes from a vendor to a customer at once.
    ["location_id.usage", "!=", "customer"],
    ["location_dest_id.usage", "!=", "customer"],
]
_OF_VENDORS: tuple[Condition, ...] = (
    ["location_id.usage", "=", "supplier"],
    # Mostly a transfer of the kind of deliveries.
    ["location_dest_id.usage", "=", "supplier"],
)
_ON_THE_WAY = any_of(["location_id.usage", "=", "transit"], ["location_dest_id.usage", "=", "transit"])
"""What a sister company sends or takes back, but also what goes from one warehouse to another."""


def _from_or_to_vendors(available: frozenset[str]) -> Condition:
    of_vendors = any_of(*_OF_VENDORS)
    if "purchase_id" not in available:
        return of_vendors
    return _joined("|", of_vendors, _joined("&", [["purchase_id", "!=", False]], _ON_THE_WAY))


_OF_RECEIPTS = ("partner_id.name", "partner_id.parent_id.name", "purchase_id.partner_id.name")
RECEIPTS = DocumentQuery(
    model="stock.picking",
    fields=(
        "name", "state", "origin", "partner_id", "date_done", "picking_type_id", "location_id", "location_dest_id",
        "write_date",
    ),
    days=("date_done",),
    texts=("name", "origin", "purchase_id.name", *_OF_RECEIPTS),
    partners=_OF_RECEIPTS,
    base=_CAME_IN,
    given=_from_or_to_vendors,
)  # fmt: skip


def _partners(rank: str, *more: str) -> DocumentQuery:
    """Return the kind of customers or vendors, with the fields that only those have."""
    return DocumentQuery(
        model="res.partner",
        fields=(
            "ref", "name", "phone", "mobile", "email", "street", "street2", "zip", "city", "active", "currency_id",
            "write_date", *more,
        ),
        texts=("ref", "name"),
        base=[[rank, ">", 0], ["parent_id", "=", False]],
        key="ref",
        partners=("name",),
        shared=True,
    )  # fmt: skip


CUSTOMERS = _partners(
    "customer_rank", "user_id", "property_payment_term_id", "credit", "credit_limit", "use_partner_credit_limit"
)
VENDORS = _partners("supplier_rank", "buyer_id", "property_supplier_payment_term_id", "debit")
PAYMENTS = DocumentQuery(
    model="account.payment",
    fields=(
        "name", "state", "partner_id", "partner_type", "payment_type", "date", "amount", "currency_id", "journal_id",
        "reconciled_invoice_ids", "reconciled_bill_ids", "write_date",
    ),
    days=("date",),
    texts=("name", "partner_id.name", "partner_id.parent_id.name"),
    base=[["partner_id", "!=", False]],
    filters={
        Filter.RECEIVED: ("date", lambda _there, _start: [["payment_type", "=", "inbound"]]),
        Filter.SPENT: ("date", lambda _there, _start: [["payment_type", "!=", "inbound"]]),
    },
    excluded=("is_internal_transfer",),
)  # fmt: skip

KINDS: Mapping[Kind[Any], DocumentQuery] = {
    kinds.SALES_ORDERS: SALES_ORDERS,
    kinds.INVOICES: INVOICES,
    kinds.PURCHASE_ORDERS: PURCHASE_ORDERS,
    kinds.PRODUCTION_ORDERS: PRODUCTION_ORDERS,
    kinds.DELIVERIES: DELIVERIES,
    kinds.RECEIPTS: RECEIPTS,
    kinds.CUSTOMERS: CUSTOMERS,
    kinds.VENDORS: VENDORS,
    kinds.BILLS: BILLS,
    kinds.PAYMENTS: PAYMENTS,
}

PRODUCT_TEXTS = ("default_code", "name", "barcode", "product_template_attribute_value_ids.name")
PRODUCT_FIELDS = ("default_code", "name", "display_name", "barcode", "uom_id", "categ_id", "active")
KIND = ("type", "is_storable", "is_kits")
"""Whether stock of a product is kept, and whether it is a kit; releases have some of them."""
PRICE_FIELDS = ("lst_price", "standard_price", "currency_id", "cost_currency_id")
FIGURES = ("qty_available", "free_qty", "virtual_available", "incoming_qty", "outgoing_qty")
SALES_LINES = (
    "product_id", "name", "display_type", "product_uom_qty", "qty_delivered", "qty_invoiced", "price_unit",
    "price_total", "product_uom_id", "product_uom",
)  # fmt: skip
PURCHASE_LINES = (
    "product_id", "name", "display_type", "product_qty", "qty_received", "price_unit", "price_total", "product_uom_id",
    "product_uom",
)  # fmt: skip
