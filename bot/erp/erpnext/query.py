"""Requests to Frappe for each kind of list: fields, conditions, order.

The conditions of a filter agree with those that `bot.erp.listing` applies to the records.

Docs: platform/erp/erpnext.md#areas, #lists
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Generic

from bot.erp import kinds
from bot.erp.erpnext import documents, partners
from bot.erp.erpnext.client import Condition, ErpNextClient, ListRequest, Row, is_exact, pattern
from bot.erp.erpnext.documents import FINISHED, FULL, HELD, OVER, RECEIVED, RESTING
from bot.erp.erpnext.mapping import ApprovalWorkflow, Site, text_to_html
from bot.erp.kinds import D, Kind
from bot.erp.model import (
    Area,
    Bill,
    Customer,
    Feed,
    Followed,
    Invoice,
    Payment,
    ProductionOrder,
    PurchaseOrder,
    SalesOrder,
    Supplier,
)
from bot.erp.port import NEWEST_FIRST, Filter, ListQuery, Period


def _always(_row: Row) -> bool:
    return True


_DATED = "1900-01-01"
"""Excludes missing dates: Frappe compares them as the year 1, which is before every day."""


@dataclass(frozen=True, slots=True)
class FilterCondition:
    """The condition of one of the port's filters, and the field that orders the list.

    ``exact`` says whether every row meets the filter; otherwise the records have to be checked.
    """

    conditions: Callable[[date], list[Condition]]
    by: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class ChildField:
    """A field of a child table, which lists of documents lack, and the record's field that it is copied ``into``."""

    doctype: str
    field: str
    into: str


@dataclass(frozen=True, slots=True)
class ChildTable:
    """A child table that is read row by row: its fields, and what the document calls it."""

    doctype: str
    fields: tuple[str, ...]
    name: str

    def rows_of(self, doctype: str, names: Sequence[str], *, item: str = "") -> ListRequest:
        """Return the request for the rows of documents, in their order; for those of one ``item`` if it is given."""
        filters = [("parenttype", "=", doctype), ("parentfield", "=", self.name), ("parent", "in", names)]
        if item:
            filters.append(("item_code", "=", item))
        return ListRequest(
            self.doctype, ("parent", *self.fields), filters, order_by="parent asc, idx asc", parent=doctype
        )


@dataclass(frozen=True, slots=True)
class DocumentQuery(Generic[D]):
    """One kind of document: its DocType, fields of a list, searched fields, days and filters.

    ``due`` is the field of the due date, if it is one field; otherwise the records have to be checked.
    """

    doctype: str
    read: Callable[[Row, Site], D]
    fields: tuple[str, ...]
    searched: tuple[str, ...]
    day: str
    due: str
    restrictions: Mapping[Filter, FilterCondition]
    listing: Kind[D]
    child: ChildField | None = None
    tables: tuple[ChildTable, ...] = ()
    """What a single document has of its lines, and lists lack."""
    partner: str = ""
    """The field with the name of the customer or vendor."""
    base: tuple[Condition, ...] = ()
    """What holds for all that is listed."""
    of_company: bool = True
    """Whether such documents belong to a company."""
    is_meant: Callable[[Row], bool] = _always
    """Whether a single document is of this kind, where a DocType holds others, too."""

    def lookup(self, query: ListQuery, today: date, company: str) -> ListRequest:
        """Return the request for a list; ``company`` limits it to that company."""
        restriction: FilterCondition | None = self.restrictions.get(query.filter)
        filters = [*self.base, *([] if restriction is None else restriction.conditions(today))]
        is_dated = restriction is not None and query.filter in NEWEST_FIRST
        # What was done is dated by when that was.
        day = restriction.by if restriction is not None and is_dated else self.day
        if query.during is not None and day:
            filters += within(day, query.during)
        if query.due is not None and self.due:
            filters += within(self.due, query.due)
        elif query.due is not None and self.day:
            # Nothing is due before it starts.
            filters.append(_up_to(self.day, query.due.last))
        if self.of_company:
            filters += of_company(company)
        if query.partner:
            filters.append((self.partner, "=", query.partner) if self.partner else ("name", "in", [""]))
        order_by = "name asc" if not day else f"{day} desc, name asc"
        if restriction is not None and not is_dated:
            order_by = f"{restriction.by} asc, name asc"
        any_of = [(name, "like", pattern(query.text)) for name in self.searched] if query.text else []
        return ListRequest(self.doctype, self.fields, filters, any_of, order_by)

    def of_product(self, lookup: ListRequest, item: str) -> ListRequest:
        """Return the request for those documents of a list that have a row of an Item, spelled as it is there.

        Order and fields of both tables have the same names, so that those of the order say which are meant.
        """
        held = (self.tables[0].doctype, "item_code", "=", item)
        order = ", ".join(
            f"`tab{self.doctype}`.`{name}` {way}" for name, way in map(str.split, lookup.order_by.split(","))
        )
        return replace(lookup, filters=[*lookup.filters, held], order_by=order, repeats=True)

    def named(self, names: Sequence[str], company: str) -> ListRequest:
        """Return the request for documents by their names; ``company`` limits it to that company."""
        return ListRequest(self.doctype, self.fields, [("name", "in", names), *of_company(company)])

    def is_exact(self, query: ListQuery) -> bool:
        """Whether the rows of `lookup` are exactly those of the query, in its order."""
        restriction = self.restrictions.get(query.filter)
        known_days = (query.during is None or self.day) and (query.due is None or self.due)
        return is_exact(query.text) and bool(known_days) and (restriction is None or restriction.exact)


_COMMON = ("name", "docstatus", "status", "company", "modified")


def of_company(company: str) -> list[Condition]:
    """Return the condition for what belongs to a company; none if no company is configured."""
    return [("company", "=", company)] if company else []


def within(name: str, period: Period) -> list[Condition]:
    """Return the conditions for days, or times on them, in a period."""
    return [(name, ">=", period.first.isoformat()), _up_to(name, period.last)]


def _up_to(name: str, day: date) -> Condition:
    """Return the condition for days, and for times on them."""
    return (name, "<", (day + timedelta(days=1)).isoformat())


def _before(name: str, today: date) -> list[Condition]:
    return [(name, "<", today.isoformat()), (name, ">", _DATED)]


_PRICED = ("item_code", "item_name", "uom", "qty", "rate", "amount")
_TAX = ("included_in_print_rate",)

SALES_ORDERS: DocumentQuery[SalesOrder] = DocumentQuery(
    doctype="Sales Order",
    read=documents.sales_order,
    fields=(
        *_COMMON,
        *("customer", "customer_name", "transaction_date", "delivery_date", "delivery_status", "per_delivered"),
        *("per_billed", "grand_total", "currency"),
    ),
    searched=("name", "customer_name"),
    day="transaction_date",
    due="delivery_date",
    partner="customer_name",
    restrictions={
        # Only the record shows whether a held order still owes anything.
        Filter.OPEN: FilterCondition(
            lambda today: [("docstatus", "=", 1), ("status", "not in", list(OVER))], by="delivery_date", exact=False
        ),
        Filter.LATE: FilterCondition(
            lambda today: [
                ("docstatus", "=", 1),
                ("status", "not in", [*OVER, HELD]),
                ("delivery_status", "!=", "Not Applicable"),
                ("per_delivered", "<", float(FULL)),
                *_before("delivery_date", today),
            ],
            by="delivery_date",
        ),
    },
    listing=kinds.SALES_ORDERS,
    child=ChildField("Sales Team", "sales_person", into="salesperson"),
    tables=(
        ChildTable("Sales Order Item", (*_PRICED, "delivered_qty", "delivery_date"), "items"),
        ChildTable("Sales Taxes and Charges", _TAX, "taxes"),
    ),
)

_UNSETTLED: Mapping[Filter, FilterCondition] = {
    # An overpaid invoice is not open; whether it is overpaid depends on its being a return.
    Filter.OPEN: FilterCondition(
        lambda today: [("docstatus", "=", 1), ("outstanding_amount", "!=", 0)], by="due_date", exact=False
    ),
    Filter.OVERDUE: FilterCondition(
        # Not by the status “Overdue”, which a job sets once a day.
        lambda today: [
            ("docstatus", "=", 1),
            ("is_return", "=", 0),
            ("outstanding_amount", ">", 0),
            *_before("due_date", today),
        ],
        by="due_date",
    ),
}

_AMOUNTS = (
    *("posting_date", "due_date", "grand_total", "rounded_total", "base_grand_total", "base_rounded_total"),
    *("outstanding_amount", "currency", "party_account_currency", "is_return"),
)

INVOICES: DocumentQuery[Invoice] = DocumentQuery(
    doctype="Sales Invoice",
    read=documents.invoice,
    fields=(*_COMMON, "customer", "customer_name", *_AMOUNTS),
    searched=("name", "customer_name"),
    day="posting_date",
    due="due_date",
    partner="customer_name",
    restrictions=_UNSETTLED,
    listing=kinds.INVOICES,
    child=ChildField("Sales Invoice Item", "sales_order", into="order_number"),
)

PRODUCTION_ORDERS: DocumentQuery[ProductionOrder] = DocumentQuery(
    doctype="Work Order",
    read=documents.production_order,
    fields=(
        *_COMMON,
        *("production_item", "item_name", "stock_uom", "qty", "produced_qty", "process_loss_qty", "skip_transfer"),
        *("material_transferred_for_manufacturing", "planned_start_date", "planned_end_date", "actual_end_date"),
        *("expected_delivery_date", "sales_order"),
    ),
    searched=("name", "production_item", "item_name"),
    day="planned_start_date",
    due="",
    restrictions={
        Filter.OPEN: FilterCondition(
            lambda today: [("docstatus", "<", 2), ("status", "not in", [*FINISHED, "Cancelled"])],
            by="planned_end_date",
            exact=False,
        ),
        Filter.DONE: FilterCondition(
            lambda today: [("docstatus", "=", 1), ("status", "in", list(FINISHED))], by="actual_end_date"
        ),
        Filter.LATE: FilterCondition(
            # The due date is whichever of two fields is set, so the records are checked.
            lambda today: [("docstatus", "<", 2), ("status", "not in", list(RESTING))],
            by="planned_end_date",
            exact=False,
        ),
    },
    listing=kinds.PRODUCTION_ORDERS,
)


def purchase_orders(workflow: ApprovalWorkflow) -> DocumentQuery[PurchaseOrder]:
    """Return the kind of Purchase Orders, whose states depend on their Workflow."""
    not_open = sorted(workflow.waiting | workflow.rejected)
    own = () if workflow.submits else (workflow.field,)
    awaited: list[Condition] = [
        ("docstatus", "=", 1),
        (workflow.field, "not in", not_open),
        ("status", "not in", list(RECEIVED)),
        ("per_received", "<", float(FULL)),
    ]
    return DocumentQuery(
        doctype="Purchase Order",
        read=partial(documents.purchase_order, workflow=workflow),
        fields=(
            *_COMMON,
            *("supplier", "supplier_name", "owner", "modified_by", "transaction_date", "schedule_date", "per_received"),
            *("grand_total", "currency", *own),
        ),
        searched=("name", "supplier_name"),
        day="transaction_date",
        due="schedule_date",
        partner="supplier_name",
        restrictions={
            Filter.OPEN: FilterCondition(lambda today: awaited, by="schedule_date", exact=False),
            Filter.LATE: FilterCondition(
                lambda today: [*awaited, *_before("schedule_date", today)], by="schedule_date"
            ),
            Filter.PENDING: FilterCondition(
                lambda today: [("docstatus", "<", 2), (workflow.field, "in", sorted(workflow.waiting))],
                by="transaction_date",
            ),
        },
        listing=kinds.PURCHASE_ORDERS,
        tables=(
            ChildTable("Purchase Order Item", (*_PRICED, "received_qty"), "items"),
            ChildTable("Purchase Taxes and Charges", _TAX, "taxes"),
        ),
    )


def _parties(listed: Kind[D], doctype: str, read: Callable[[Row, Site], D], *more: str) -> DocumentQuery[D]:
    """Return the kind of customers or suppliers, with the fields that only those have."""
    kind: str = doctype.lower()
    return DocumentQuery(
        doctype=doctype,
        read=read,
        fields=(
            *("name", f"{kind}_name", f"{kind}_primary_contact", "mobile_no", "email_id", "primary_address"),
            *("payment_terms", "disabled", "modified", *more),
        ),
        searched=("name", f"{kind}_name"),
        day="",
        due="",
        restrictions={},
        listing=listed,
        partner=f"{kind}_name",
        base=(("disabled", "=", 0),),
        of_company=False,
    )


CUSTOMERS: DocumentQuery[Customer] = _parties(kinds.CUSTOMERS, "Customer", partners.customer, "account_manager")
VENDORS: DocumentQuery[Supplier] = _parties(kinds.VENDORS, "Supplier", partners.vendor)

BILLS: DocumentQuery[Bill] = DocumentQuery(
    doctype="Purchase Invoice",
    read=partners.bill,
    fields=(*_COMMON, "supplier", "supplier_name", "bill_no", *_AMOUNTS),
    searched=("name", "supplier_name", "bill_no"),
    day="posting_date",
    due="due_date",
    restrictions=_UNSETTLED,
    listing=kinds.BILLS,
    child=ChildField("Purchase Invoice Item", "purchase_order", into="order_number"),
    partner="supplier_name",
)

PAYMENTS: DocumentQuery[Payment] = DocumentQuery(
    doctype="Payment Entry",
    read=partners.payment,
    fields=(
        *_COMMON,
        *("payment_type", "party_type", "party", "party_name", "posting_date", "mode_of_payment", "paid_amount"),
        *("received_amount", "paid_from_account_currency", "paid_to_account_currency"),
    ),
    searched=("name", "party_name"),
    day="posting_date",
    due="",
    restrictions={
        Filter.RECEIVED: FilterCondition(lambda today: [("payment_type", "=", "Receive")], by="posting_date"),
        Filter.SPENT: FilterCondition(lambda today: [("payment_type", "=", "Pay")], by="posting_date"),
    },
    listing=kinds.PAYMENTS,
    partner="party_name",
    base=(("party_type", "in", list(partners.PARTY_TYPES)), ("payment_type", "in", list(partners.DIRECTIONS))),
    is_meant=partners.is_payment,
)

KINDS: Mapping[Kind[Any], DocumentQuery[Any]] = {
    kinds.SALES_ORDERS: SALES_ORDERS,
    kinds.INVOICES: INVOICES,
    kinds.PRODUCTION_ORDERS: PRODUCTION_ORDERS,
    kinds.CUSTOMERS: CUSTOMERS,
    kinds.VENDORS: VENDORS,
    kinds.BILLS: BILLS,
    kinds.PAYMENTS: PAYMENTS,
}
"""All but purchase orders, whose states depend on the site's Workflow."""

CHANGE_SOURCES: Mapping[Followed, tuple[str, str]] = {
    Area.PRODUCTS: ("Item", "name"),
    # An item has one Bin per warehouse: it changed when any of its Bins did.
    Area.STOCK: ("Bin", "item_code"),
    Area.SALES: ("Sales Order", "name"),
    Area.FINANCE: ("Sales Invoice", "name"),
    Area.PURCHASING: ("Purchase Order", "name"),
    Area.PRODUCTION: ("Work Order", "name"),
    Feed.BILLS: ("Purchase Invoice", "name"),
    Feed.PAYMENTS: ("Payment Entry", "name"),
    Feed.DELIVERIES: ("Delivery Note", "name"),
}
"""The DocTypes to follow, and the field with the record's key."""


_OF_ALL_COMPANIES = (Area.PRODUCTS, Area.STOCK)


def changes(area: Followed, since: datetime | None, site: Site, company: str) -> ListRequest:
    """Return the request for an area's changes since a time, oldest first; ``company`` limits it to its documents."""
    doctype, key = CHANGE_SOURCES[area]
    filters: list[Condition] = [] if area in _OF_ALL_COMPANIES else of_company(company)
    if since is not None:
        filters.append(("modified", ">=", site.text(since)))
    return ListRequest(doctype, tuple(dict.fromkeys((key, "modified"))), filters, order_by="modified asc, name asc")


def items(text: str = "", *, names: Sequence[str] = ()) -> ListRequest:
    """Return the search for items by part of code, name or spec, or by ``names`` instead."""
    filters: list[Condition] = [("disabled", "=", 0), ("has_variants", "=", 0)]
    if names:
        filters.append(("name", "in", names))
    any_of = []
    if text:
        # The description is HTML, so the text is escaped like it.
        any_of = [(name, "like", pattern(text)) for name in ("name", "item_name")]
        any_of.append(("description", "like", pattern(text_to_html(text).replace("<br>", "\n"))))
    return ListRequest(
        "Item",
        ("name", "item_name", "description", "stock_uom", "item_group", "variant_of"),
        filters,
        any_of,
        "name asc",
    )


def variants(text: str) -> ListRequest:
    """Return the search for items by a value that makes them a variant."""
    conditions = [("parenttype", "=", "Item"), ("attribute_value", "like", pattern(text))]
    return ListRequest("Item Variant Attribute", ("parent",), conditions, parent="Item")


def barcodes(text: str) -> ListRequest:
    """Return the search for items by part of a barcode."""
    return ListRequest("Item Barcode", ("parent", "barcode"), [("barcode", "like", pattern(text))], parent="Item")


def bins(item: str) -> ListRequest:
    """Return the request for an item's Bins."""
    fields = (
        *("warehouse", "actual_qty", "reserved_qty", "reserved_qty_for_production", "reserved_qty_for_sub_contract"),
        *("ordered_qty", "planned_qty", "projected_qty"),
    )
    return ListRequest("Bin", fields, [("item_code", "=", item)], order_by="warehouse asc")


def warehouses(names: Sequence[str], company: str) -> ListRequest:
    """Return the request for warehouses by name; ``company`` limits it to that company."""
    filters = [("name", "in", names), *of_company(company)]
    return ListRequest("Warehouse", ("name", "warehouse_name", "company"), filters)


def credit_limits(customers: Sequence[str]) -> ListRequest:
    """Return the request for customers' credit limits; each company has its own."""
    fields = ("parent", "company", "credit_limit")
    return ListRequest("Customer Credit Limit", fields, [("parent", "in", customers)], parent="Customer")


def credit_notes(doctype: str, invoices: Sequence[str]) -> ListRequest:
    """Return the request for the credit notes against invoices of a DocType."""
    filters: list[Condition] = [("return_against", "in", invoices), ("is_return", "=", 1), ("docstatus", "=", 1)]
    return ListRequest(doctype, ("return_against", "grand_total"), filters)


def companies() -> ListRequest:
    """Return the request for the currencies of all companies."""
    return ListRequest("Company", ("name", "default_currency"))


def children(doctype: str, child: str, field: str, names: Sequence[str]) -> ListRequest:
    """Return the request for a field of documents' child rows, in their order."""
    filters = [("parenttype", "=", doctype), ("parent", "in", names), (field, "is", "set")]
    return ListRequest(child, ("parent", field), filters, order_by="parent asc, idx asc", parent=doctype)


async def found_by_lines(
    frappe: ErpNextClient, doctype: str, child: str, field: str, text: str, *, own: Sequence[str], most: int
) -> list[Condition]:
    """Return alternative conditions for documents that have a text in fields of their ``own``, or in a line's field."""
    if not text:
        return []
    request = ListRequest(child, ("parent",), [(field, "like", pattern(text))], parent=doctype)
    names = sorted({str(row["parent"]) for row in await frappe.rows(request, limit=most)})
    conditions: list[Condition] = [(name, "like", pattern(text)) for name in own]
    return [*conditions, ("name", "in", names)] if names else conditions
