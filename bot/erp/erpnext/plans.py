"""The plan of each kind of document (docs: platform/erp/erpnext.md#areas, #lists).

The conditions of a named list agree with those that `bot.erp.kinds` applies to the records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from bot.erp import kinds
from bot.erp.erpnext import documents, partners, quotations
from bot.erp.erpnext.client import Condition, ListRequest, Row
from bot.erp.erpnext.decisions import DoctypeApprovals
from bot.erp.erpnext.documents import FINISHED, FULL, HELD, OVER, RECEIVED, RESTING
from bot.erp.erpnext.lots import read_lots_of_lines
from bot.erp.erpnext.mapping import SUBMITTING, ApprovalWorkflow, Site, number
from bot.erp.erpnext.query import before
from bot.erp.erpnext.reads import NOWHERE, ChildRows, ErpNextPlan, ErpNextReads, FrappeTerms, OfOrder
from bot.erp.kinds import Kind
from bot.erp.model.goods import GoodsReceipt
from bot.erp.plans.plan import NamedRows
from bot.erp.port import Filter

_COMMON = ("name", "docstatus", "status", "company", "modified")
_PRICED = ("item_code", "item_name", "uom", "qty", "rate", "amount")
_TAX = ("included_in_print_rate",)


def _lines(of: str, into: str, doctype: str, *fields: str) -> ChildRows:
    """Return the join with a table of lines, for documents that are shown with them."""
    return ChildRows(of=of, into=into, doctype=doctype, fields=fields, with_lines=True)


def _told(of: str, into: str, doctype: str, field: str) -> ChildRows:
    """Return the join with the one field of a table that lists tell, too."""
    return ChildRows(of=of, into=into, doctype=doctype, fields=(field,))


SELLERS = _told("Sales Order", "sales_team", "Sales Team", "sales_person")
VARIANTS = _told("Item", "attributes", "Item Variant Attribute", "attribute_value")
BARCODES = _told("Item", "barcodes", "Item Barcode", "barcode")


async def credit_notes(doctype: str, reads: ErpNextReads, rows: list[Row], whole: bool) -> None:
    """Join what credit notes take off invoices that they settled: the status only says that some did."""
    credited = [row["name"] for row in rows if documents.is_credited(row)]
    if not credited:
        return
    conditions: list[Condition] = [("return_against", "in", credited), ("is_return", "=", 1), ("docstatus", "=", 1)]
    found = await reads.frappe.rows(ListRequest(doctype, ("return_against", "grand_total"), conditions))
    for row in rows:
        notes = (note for note in found if note["return_against"] == row["name"])
        row["taken_off"] = sum((abs(number(note.get("grand_total")) or Decimal(0)) for note in notes), Decimal(0))


async def credit_limits(reads: ErpNextReads, rows: list[Row], whole: bool) -> None:
    """Join customers' credit limits, of which each company has its own; none where the account sees no company."""
    currencies = await reads.currencies() if rows else {}
    if not currencies:
        return
    conditions: list[Condition] = [("parent", "in", [row["name"] for row in rows])]
    fields = ("parent", "company", "credit_limit")
    found = await reads.frappe.rows(ListRequest("Customer Credit Limit", fields, conditions, parent="Customer"))
    for row in rows:
        own = [limit for limit in found if limit["parent"] == row["name"]]
        row["limit"] = partners.credit_limit(own, reads.company, currencies)


async def lots(reads: ErpNextReads, rows: list[Row], whole: bool) -> None:
    """Join the lots of lines by the lines' names; none if the account may not read them."""
    lines = [line for row in rows for line in row.get("items") or ()] if whole else []
    read = await read_lots_of_lines(reads.frappe, lines)
    for row in rows:
        row["lots"] = read


async def with_owners(reads: ErpNextReads, receipts: Sequence[GoodsReceipt]) -> Sequence[GoodsReceipt]:
    """Return receipts with the owners of their orders, by account and by name."""
    orders = sorted({number for receipt in receipts for number in receipt.order_numbers})
    if not orders:
        return receipts
    rows = await reads.frappe.rows(ListRequest("Purchase Order", ("name", "owner"), [("name", "in", orders)]))
    accounts = {str(row["name"]): str(row["owner"]) for row in rows if row.get("owner")}
    names = await reads.names_of(accounts.values())
    return [
        replace(
            receipt,
            owners=tuple(
                dict.fromkeys(
                    known
                    for number in receipt.order_numbers
                    if (account := accounts.get(number))
                    for known in (account, names[account])
                )
            ),
        )
        for receipt in receipts
    ]


SALES_ORDERS = ErpNextPlan(
    model="Sales Order",
    build=documents.sales_order,
    fields=(
        *_COMMON,
        *("customer", "customer_name", "transaction_date", "delivery_date", "delivery_status", "per_delivered"),
        *("per_billed", "grand_total", "currency"),
    ),
    texts=("name", "customer_name"),
    days=("transaction_date",),
    due="delivery_date",
    partners=("customer_name",),
    lists={
        # Only the record shows whether a held order still owes anything.
        Filter.OPEN: NamedRows(
            "delivery_date", lambda terms: [("docstatus", "=", 1), ("status", "not in", list(OVER))], exact=False
        ),
        Filter.LATE: NamedRows(
            "delivery_date",
            lambda terms: [
                ("docstatus", "=", 1),
                ("status", "not in", [*OVER, HELD]),
                ("delivery_status", "!=", "Not Applicable"),
                ("per_delivered", "<", float(FULL)),
                *before("delivery_date", terms.today),
            ],
        ),
    },
    kind=kinds.SALES_ORDERS,
    product="Sales Order Item",
    joins=(
        _lines("Sales Order", "items", "Sales Order Item", *_PRICED, "delivered_qty", "delivery_date"),
        _lines("Sales Order", "taxes", "Sales Taxes and Charges", *_TAX),
        SELLERS,
    ),
)

QUOTATIONS = ErpNextPlan(
    model="Quotation",
    build=quotations.quotation,
    fields=(*_COMMON, "party_name", "customer_name", "transaction_date", "valid_till", "grand_total", "currency"),
    texts=("name", "customer_name"),
    days=("transaction_date",),
    due="valid_till",
    partners=("customer_name",),
    lists={
        Filter.OPEN: NamedRows("valid_till", lambda _: quotations.UNANSWERED, exact=False),
        Filter.LATE: NamedRows("valid_till", lambda t: [*quotations.UNANSWERED, *before("valid_till", t.today)]),
    },
    kind=kinds.QUOTATIONS,
    product="Quotation Item",
    joins=(_lines("Quotation", "items", "Quotation Item", *_PRICED), quotations.orders),
)

_UNSETTLED: Mapping[Filter, NamedRows[FrappeTerms]] = {
    # An overpaid invoice is not open; whether it is overpaid depends on its being a return.
    Filter.OPEN: NamedRows(
        "due_date", lambda terms: [("docstatus", "=", 1), ("outstanding_amount", "!=", 0)], exact=False
    ),
    Filter.OVERDUE: NamedRows(
        # Not by the status “Overdue”, which a job sets once a day.
        "due_date",
        lambda terms: [
            ("docstatus", "=", 1),
            ("is_return", "=", 0),
            ("outstanding_amount", ">", 0),
            *before("due_date", terms.today),
        ],
    ),
}

_AMOUNTS = (
    *("posting_date", "due_date", "grand_total", "rounded_total", "base_grand_total", "base_rounded_total"),
    *("outstanding_amount", "currency", "party_account_currency", "is_return"),
)

INVOICES = ErpNextPlan(
    model="Sales Invoice",
    build=documents.invoice,
    fields=(*_COMMON, "customer", "customer_name", *_AMOUNTS),
    texts=("name", "customer_name"),
    days=("posting_date",),
    due="due_date",
    partners=("customer_name",),
    lists=_UNSETTLED,
    kind=kinds.INVOICES,
    joins=(
        _told("Sales Invoice", "items", "Sales Invoice Item", "sales_order"),
        partial(credit_notes, "Sales Invoice"),
    ),
)

PRODUCTION_ORDERS = ErpNextPlan(
    model="Work Order",
    build=documents.production_order,
    fields=(
        *_COMMON,
        *("production_item", "item_name", "stock_uom", "qty", "produced_qty", "process_loss_qty", "skip_transfer"),
        *("material_transferred_for_manufacturing", "planned_start_date", "planned_end_date", "actual_end_date"),
        *("expected_delivery_date", "sales_order"),
    ),
    texts=("name", "production_item", "item_name"),
    days=("planned_start_date",),
    lists={
        Filter.OPEN: NamedRows(
            "planned_end_date",
            lambda terms: [("docstatus", "<", 2), ("status", "not in", [*FINISHED, "Cancelled"])],
            exact=False,
        ),
        Filter.DONE: NamedRows(
            "actual_end_date", lambda terms: [("docstatus", "=", 1), ("status", "in", list(FINISHED))]
        ),
        Filter.LATE: NamedRows(
            # The due date is whichever of two fields is set, so the records are checked.
            "planned_end_date",
            lambda terms: [("docstatus", "<", 2), ("status", "not in", list(RESTING))],
            exact=False,
        ),
    },
    kind=kinds.PRODUCTION_ORDERS,
)


def purchase_orders(workflow: ApprovalWorkflow) -> ErpNextPlan:
    """Return the plan of Purchase Orders, whose states depend on their Workflow."""
    not_open = sorted(workflow.waiting | workflow.rejected)
    awaited: list[Condition] = [
        ("docstatus", "=", 1),
        (workflow.field, "not in", not_open),
        ("status", "not in", list(RECEIVED)),
        ("per_received", "<", float(FULL)),
    ]
    return ErpNextPlan(
        model="Purchase Order",
        build=partial(documents.purchase_order, workflow=workflow),
        fields=(
            *_COMMON,
            *(
                "supplier",
                "supplier_name",
                "transaction_date",
                "schedule_date",
                "per_received",
                "grand_total",
                "currency",
            ),
        ),
        texts=("name", "supplier_name"),
        days=("transaction_date",),
        due="schedule_date",
        partners=("supplier_name",),
        lists={
            Filter.OPEN: NamedRows("schedule_date", lambda terms: awaited, exact=False),
            Filter.LATE: NamedRows("schedule_date", lambda terms: [*awaited, *before("schedule_date", terms.today)]),
        },
        kind=kinds.PURCHASE_ORDERS,
        product="Purchase Order Item",
        joins=(
            _lines("Purchase Order", "items", "Purchase Order Item", *_PRICED, "received_qty"),
            _lines("Purchase Order", "taxes", "Purchase Taxes and Charges", *_TAX),
        ),
    )


def reviewed(plan: ErpNextPlan, workflow: ApprovalWorkflow) -> ErpNextPlan:
    """Return the plan of a kind that is decided and whose states do not depend on its Workflow."""
    return replace(plan, build=partial(documents.reviewed, build=plan.build, workflow=workflow))


def decided(plan: ErpNextPlan, workflow: ApprovalWorkflow, approvals: DoctypeApprovals) -> ErpNextPlan:
    """Return the plan of a kind that is decided: its documents tell who did, and a list those that wait."""
    own = () if workflow.submits else (workflow.field,)
    waiting: list[Condition] = [("docstatus", "<", 2), (workflow.field, "in", sorted(workflow.waiting))]
    return replace(
        plan,
        fields=tuple(dict.fromkeys((*plan.fields, "owner", "modified_by", *own))),
        lists={**plan.lists, Filter.PENDING: NamedRows(plan.days[0], lambda _: waiting)},
        complete=lambda _, found: approvals.complete(found),
    )


def _parties(
    listed: Kind[Any], doctype: str, read: Callable[[Row, Site], Any], *more: str, joins: tuple[Any, ...] = ()
) -> ErpNextPlan:
    """Return the plan of customers or suppliers, with the fields that only those have."""
    kind: str = doctype.lower()
    return ErpNextPlan(
        model=doctype,
        build=read,
        fields=(
            *("name", f"{kind}_name", f"{kind}_primary_contact", "mobile_no", "email_id", "primary_address"),
            *("payment_terms", "disabled", "modified", "owner", *more),
        ),
        texts=("name", f"{kind}_name"),
        kind=listed,
        partners=(f"{kind}_name",),
        where=lambda _: [("disabled", "=", 0)],
        shared=True,
        joins=joins,
    )


CUSTOMERS = _parties(kinds.CUSTOMERS, "Customer", partners.customer, "account_manager", joins=(credit_limits,))
VENDORS = _parties(kinds.VENDORS, "Supplier", partners.vendor)

BILLS = ErpNextPlan(
    model="Purchase Invoice",
    build=partners.bill,
    fields=(*_COMMON, "supplier", "supplier_name", "bill_no", *_AMOUNTS),
    texts=("name", "supplier_name", "bill_no"),
    days=("posting_date",),
    due="due_date",
    lists=_UNSETTLED,
    kind=kinds.BILLS,
    joins=(
        _told("Purchase Invoice", "items", "Purchase Invoice Item", "purchase_order"),
        partial(credit_notes, "Purchase Invoice"),
    ),
    partners=("supplier_name",),
)

PAYMENTS = ErpNextPlan(
    model="Payment Entry",
    build=partners.payment,
    fields=(
        *_COMMON,
        *("payment_type", "party_type", "party", "party_name", "posting_date", "mode_of_payment", "paid_amount"),
        *("received_amount", "paid_from_account_currency", "paid_to_account_currency"),
    ),
    texts=("name", "party_name"),
    days=("posting_date",),
    lists={
        Filter.RECEIVED: NamedRows("posting_date", lambda terms: [("payment_type", "=", "Receive")]),
        Filter.SPENT: NamedRows("posting_date", lambda terms: [("payment_type", "=", "Pay")]),
    },
    kind=kinds.PAYMENTS,
    partners=("party_name",),
    where=lambda _: [
        ("party_type", "in", list(partners.PARTY_TYPES)),
        ("payment_type", "in", list(partners.DIRECTIONS)),
    ],
    is_meant=partners.is_payment,
)

DELIVERIES = ErpNextPlan(
    model="Delivery Note",
    build=documents.delivery,
    fields=(
        *_COMMON,
        *("customer", "customer_name", "posting_date", "is_return", "transporter_name", "lr_no", "set_warehouse"),
    ),
    texts=("name", "customer_name"),
    days=("posting_date",),
    due="posting_date",
    partners=("customer_name",),
    # A draft whose day has passed is late.
    lists={
        Filter.LATE: NamedRows(
            "posting_date", lambda terms: [("docstatus", "=", 0), *before("posting_date", terms.today)]
        )
    },
    owed=(("docstatus", "!=", 1),),
    kind=kinds.DELIVERIES,
    order=OfOrder("Sales Order", "against_sales_order"),
    joins=(
        _told("Delivery Note", "orders", "Delivery Note Item", "against_sales_order"),
        _told("Delivery Note", "sales_team", "Sales Team", "sales_person"),
    ),
)

RECEIPTS = ErpNextPlan(
    model="Purchase Receipt",
    build=documents.receipt,
    fields=(*_COMMON, "supplier", "supplier_name", "posting_date", "is_return", "set_warehouse"),
    texts=("name", "supplier_name"),
    days=("posting_date",),
    partners=("supplier_name",),
    # A draft did not come in yet.
    where=lambda _: [("docstatus", "=", 1)],
    is_meant=lambda row: documents.docstatus(row) == 1,
    # What came in is not due any more.
    owed=(NOWHERE,),
    kind=kinds.RECEIPTS,
    order=OfOrder("Purchase Order", "purchase_order"),
    joins=(_told("Purchase Receipt", "orders", "Purchase Receipt Item", "purchase_order"), lots),
    complete=with_owners,
)

PLANS: Mapping[Kind[Any], ErpNextPlan] = {
    kinds.SALES_ORDERS: SALES_ORDERS,
    kinds.INVOICES: INVOICES,
    kinds.PURCHASE_ORDERS: purchase_orders(SUBMITTING),
    kinds.PRODUCTION_ORDERS: PRODUCTION_ORDERS,
    kinds.CUSTOMERS: CUSTOMERS,
    kinds.VENDORS: VENDORS,
    kinds.BILLS: BILLS,
    kinds.PAYMENTS: PAYMENTS,
    kinds.DELIVERIES: DELIVERIES,
    kinds.RECEIPTS: RECEIPTS,
    kinds.QUOTATIONS: QUOTATIONS,
}
"""The plan of purchase orders is that of a site without a Workflow."""
