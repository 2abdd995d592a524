"""Maps ERPNext's items and documents to the bot's records (docs: platform/erp/erpnext.md#areas)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from bot.erp.erpnext.client import Row
from bot.erp.erpnext.mapping import ApprovalWorkflow, Site, html_to_text, money, number, required_number
from bot.erp.model import (
    Invoice,
    InvoiceStatus,
    OrderLine,
    OrderStatus,
    Product,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    Review,
    ReviewState,
    SalesOrder,
)
from bot.erp.model.goods import DeliveryLine, DeliveryStatus, GoodsDelivery, GoodsReceipt, ReceiptLine
from bot.erp.record_parts import GoodsParts, LineParts, ReversibleParts
from bot.erp.values import text

FULL = Decimal("99.999999")
"""The percentage from which on ERPNext itself considers an order fully delivered, received or billed."""

OVER = ("Completed", "Closed")
"""Final statuses of sales orders."""
HELD = "On Hold"
"""The status of a submitted order that somebody stopped, and may resume."""
RECEIVED = ("Completed", "Closed", "Delivered")
"""Final statuses of purchase orders; “Delivered” means that the supplier shipped straight to the customer."""

_PRODUCTION = {
    "Draft": ProductionStatus.PLANNED,
    "Submitted": ProductionStatus.RELEASED,
    "Not Started": ProductionStatus.RELEASED,
    "Stock Reserved": ProductionStatus.RELEASED,
    "Stock Partially Reserved": ProductionStatus.RELEASED,
    "In Process": ProductionStatus.RUNNING,
    "Completed": ProductionStatus.DONE,
    "Closed": ProductionStatus.DONE,
    "Stopped": ProductionStatus.ON_HOLD,
    "Cancelled": ProductionStatus.CANCELLED,
}
_UNDER_WAY = {ProductionStatus.RELEASED, ProductionStatus.RUNNING, ProductionStatus.ON_HOLD}
_RESTING = {ProductionStatus.DONE, ProductionStatus.CANCELLED, ProductionStatus.ON_HOLD}
FINISHED = tuple(status for status, meaning in _PRODUCTION.items() if meaning is ProductionStatus.DONE)
"""Statuses of work orders that are finished."""
RESTING = tuple(status for status, meaning in _PRODUCTION.items() if meaning in _RESTING)
"""Statuses of work orders that cannot be late."""


# Products


def product(row: Row, site: Site, barcode: str = "") -> Product:
    """Return an Item; ``barcode`` is for rows of a list, which have no child tables."""
    name, spec = str(row.get("item_name") or row["name"]), html_to_text(row.get("description"))
    variant = variant_of(row.get("attributes") or ())
    return Product(
        sku=row["name"],
        name=name,
        # Without a description, ERPNext stores the name there.
        spec=with_variant("" if spec == name else spec, variant),
        unit=str(row.get("stock_uom") or ""),
        category=str(row.get("item_group") or ""),
        is_active=row.get("disabled") != 1,
        barcode=first_barcode(row.get("barcodes") or ()) or barcode,
    )


def variant_of(rows: Iterable[Row]) -> str:
    """Return the values that make a variant; Frappe leaves out fields that the account's role may not read."""
    return joined(row.get("attribute_value") for row in rows)


def first_barcode(rows: Iterable[Row]) -> str:
    """Return the first of a product's barcodes, if there are any."""
    return next((str(row["barcode"]) for row in rows if row.get("barcode")), "")


def with_variant(spec: str, values: str) -> str:
    """Return a spec with the values that make a variant, such as *蓝色*, unless they are in it."""
    return spec if not values or values in spec else f"{values} {spec}".rstrip()


# Sales


def sales_order(row: Row, site: Site) -> SalesOrder:
    currency = row.get("currency")
    return SalesOrder(
        number=row["name"],
        # `title` may be an unfilled template such as {customer_name}.
        customer=str(row.get("customer_name") or row.get("customer") or ""),
        status=order_status(row),
        delivery=None if _owes_no_goods(row) else progress(row.get("per_delivered")),
        billing=progress(row.get("per_billed")),
        ordered_on=site.day(row.get("transaction_date")),
        promised_on=site.day(row.get("delivery_date")),
        total=money(row.get("grand_total"), currency),
        lines=tuple(order_line(line, site, currency, _taxed(row)) for line in row.get("items") or ()),
        salesperson=joined(line.get("sales_person") for line in row.get("sales_team") or ()),
        extra=extra_of(row, "status", "company"),
        **site.origin("Sales Order", row),
    )


def order_status(row: Row) -> OrderStatus:
    """Return the state of a Sales Order."""
    if docstatus(row) == 0:
        return OrderStatus.DRAFT
    if docstatus(row) == 2:
        return OrderStatus.CANCELLED
    if row.get("status") in OVER:
        return OrderStatus.CLOSED
    if row.get("status") == HELD:
        return OrderStatus.ON_HOLD
    if _owes_no_goods(row):
        return OrderStatus.DELIVERED
    states = {
        Progress.NONE: OrderStatus.OPEN,
        Progress.PARTIAL: OrderStatus.PARTLY_DELIVERED,
        Progress.FULL: OrderStatus.DELIVERED,
    }
    return states[progress(row.get("per_delivered")) or Progress.NONE]


def _owes_no_goods(row: Row) -> bool:
    """Whether an order contains only services: nothing is delivered, and its percentage stays 0."""
    return row.get("delivery_status") == "Not Applicable"


def order_line(line: Row, site: Site, currency: Any, taxed: bool | None = None) -> OrderLine:
    """Return a line of a sales order or of a quotation; ``taxed`` says whether its amount includes taxes."""
    return OrderLine(
        # `delivered_qty` is in the line's unit, like `qty`.
        delivered=number(line.get("delivered_qty")),
        due_on=site.day(line.get("delivery_date")),
        **_line(line, currency, taxed),
    )


def goods_of(line: Row) -> GoodsParts:
    """Return the item of a document's line."""
    return {
        "sku": str(line.get("item_code") or ""),
        "name": str(line.get("item_name") or ""),
        "unit": str(line.get("uom") or ""),
    }


def _line(line: Row, currency: Any, taxed: bool | None) -> LineParts:
    return {
        **goods_of(line),
        "quantity": required_number(line.get("qty")),
        "price": money(line.get("rate"), currency),
        "amount": money(line.get("amount"), currency),
        "taxed": taxed,
    }


def invoice_parts(row: Row, site: Site, doctype: str, orders: str) -> ReversibleParts:
    """Return what an invoice of either kind says; ``orders`` is the field of its lines' orders."""
    # The outstanding amount is in the currency of the partner's account, which may differ from the invoice's.
    account_currency = row.get("party_account_currency") or row.get("currency")
    status = invoice_status(row)
    open_amount = 0 if status is InvoiceStatus.VOID else row.get("outstanding_amount")
    return {
        **site.origin(doctype, row),
        "number": row["name"],
        "status": status,
        "issued_on": site.day(row.get("posting_date")),
        "due_on": site.day(row.get("due_date")),
        "total": money(row.get("grand_total"), row.get("currency")),
        "open_amount": money(open_amount, account_currency),
        "is_credit_note": row.get("is_return") == 1,
        "is_reversed": _is_reversed(row),
        "order_number": joined(line.get(orders) for line in row.get("items") or ()),
        "extra": extra_of(row, "status", "company"),
    }


def invoice(row: Row, site: Site) -> Invoice:
    """Return a Sales Invoice."""
    customer = str(row.get("customer_name") or row.get("customer") or "")
    return Invoice(customer=customer, **invoice_parts(row, site, "Sales Invoice", "sales_order"))


def invoice_status(row: Row) -> InvoiceStatus:
    """Return the state of a Sales Invoice from its amounts: “Overdue” is set once a day and hides “Partly Paid”."""
    if docstatus(row) == 0:
        return InvoiceStatus.DRAFT
    if docstatus(row) == 2:
        return InvoiceStatus.VOID
    sign = -1 if row.get("is_return") == 1 else 1
    open_amount = sign * (number(row.get("outstanding_amount")) or Decimal(0))
    if open_amount <= 0:
        return InvoiceStatus.PAID
    payable = _payable(row)
    return InvoiceStatus.PART_PAID if payable is not None and open_amount < sign * payable else InvoiceStatus.UNPAID


_CREDITED = frozenset({"Credit Note Issued", "Debit Note Issued"})
"""Of invoices and of bills: nothing is open, and a credit note is one of the reasons."""


def is_credited(row: Row) -> bool:
    """Return whether credit notes settled an invoice, or a part of it."""
    return row.get("status") in _CREDITED


def _is_reversed(row: Row) -> bool:
    """Return whether credit notes settled an invoice alone, so that no money moved."""
    total = money(row.get("grand_total"), row.get("currency"))
    return is_credited(row) and total is not None and row.get("taken_off", 0) >= total.amount


def _payable(row: Row) -> Decimal | None:
    """Return the payable amount in the currency of the outstanding amount; it may be rounded."""
    foreign = row.get("party_account_currency") not in (None, "", row.get("currency"))
    prefix = "base_" if foreign else ""
    return number(row.get(f"{prefix}rounded_total")) or number(row.get(f"{prefix}grand_total"))


# Deliveries

_DELIVERIES = {0: DeliveryStatus.PLANNED, 1: DeliveryStatus.SHIPPED, 2: DeliveryStatus.CANCELLED}


def delivery(row: Row, site: Site) -> GoodsDelivery:
    """Return a Delivery Note; it has one day, on which it leaves once it is submitted."""
    lines, status = row.get("items") or (), _DELIVERIES[docstatus(row)]
    on = site.day(row.get("posting_date"))
    shipped = status is DeliveryStatus.SHIPPED
    return GoodsDelivery(
        number=row["name"],
        order_number=joined(line.get("against_sales_order") for line in row.get("orders") or lines),
        customer=str(row.get("customer_name") or row.get("customer") or ""),
        status=status,
        planned_on=None if shipped else on,
        shipped_on=on if shipped else None,
        carrier=str(row.get("transporter_name") or ""),
        tracking=str(row.get("lr_no") or ""),
        is_return=row.get("is_return") == 1,
        lines=tuple(DeliveryLine(**goods_of(line), quantity=required_number(line.get("qty"))) for line in lines),
        salesperson=joined(line.get("sales_person") for line in row.get("sales_team") or ()),
        warehouse=str(row.get("set_warehouse") or ""),
        **site.origin("Delivery Note", row),
    )


# Purchasing


def receipt(row: Row, site: Site) -> GoodsReceipt:
    """Return a Purchase Receipt without the owners of its orders; ``lots`` of its row are by the names of its lines."""
    lines, lots = row.get("items") or (), row.get("lots") or {}
    ordered = row.get("orders") or lines
    return GoodsReceipt(
        number=row["name"],
        order_numbers=tuple(dict.fromkeys(filter(None, (text(line.get("purchase_order")) for line in ordered)))),
        vendor=str(row.get("supplier_name") or row.get("supplier") or ""),
        received_on=site.day(row.get("posting_date")),
        warehouse=str(row.get("set_warehouse") or ""),
        is_return=row.get("is_return") == 1,
        lines=tuple(
            ReceiptLine(
                **goods_of(line),
                # With what was rejected, as orders count it.
                quantity=number(line.get("received_qty")) or required_number(line.get("qty")),
                lot=lots.get(str(line.get("name")), ""),
            )
            for line in lines
        ),
        **site.origin("Purchase Receipt", row),
    )


def purchase_order(row: Row, site: Site, workflow: ApprovalWorkflow) -> PurchaseOrder:
    """Return a Purchase Order without its approval."""
    currency = row.get("currency")
    return PurchaseOrder(
        number=row["name"],
        vendor=str(row.get("supplier_name") or row.get("supplier") or ""),
        review=replace(review(row, workflow), state=purchase_status(row, workflow)),
        ordered_on=site.day(row.get("transaction_date")),
        due_on=site.day(row.get("schedule_date")),
        total=money(row.get("grand_total"), currency),
        received=progress(row.get("per_received")),
        lines=tuple(
            PurchaseLine(received=number(line.get("received_qty")), **_line(line, currency, _taxed(row)))
            for line in row.get("items") or ()
        ),
        extra=extra_of(row, "status", "company", workflow.field),
        **site.origin("Purchase Order", row),
    )


def purchase_status(row: Row, workflow: ApprovalWorkflow) -> ReviewState:
    """Return the state of a Purchase Order; with a Workflow, its ``status`` stays “Draft” until it is submitted."""
    state = _review_state(row, workflow)
    return ReviewState.DONE if state is ReviewState.APPROVED and row.get("status") in RECEIVED else state


def review(row: Row, workflow: ApprovalWorkflow) -> Review:
    """Return how far a document is, without who decided on it and for whom it waits."""
    return Review(
        state=_review_state(row, workflow),
        version=version(row, workflow),
        requester=str(row.get("owner") or ""),
        changed_by=str(row.get("modified_by") or ""),
    )


def reviewed(row: Row, site: Site, *, build: Callable[[Row, Site], Any], workflow: ApprovalWorkflow) -> Any:
    """Return a document of a kind that is decided, as ``build`` makes it, with its review."""
    document = build(row, site)
    extra = {**document.extra, **extra_of(row, workflow.field)}
    return replace(document, review=review(row, workflow), extra=extra)


def _review_state(row: Row, workflow: ApprovalWorkflow) -> ReviewState:
    state = workflow.state_of(row)
    if state in workflow.rejected:
        return ReviewState.REJECTED
    if docstatus(row) == 2:
        return ReviewState.CANCELLED
    if state in workflow.waiting:
        return ReviewState.WAITING
    return ReviewState.DRAFT if docstatus(row) == 0 else ReviewState.APPROVED


def version(row: Row, workflow: ApprovalWorkflow) -> str:
    """Return the revision: ``modified`` and, as that may not change, a hash of what matters to a decision."""
    total = number(row.get("grand_total"))
    seen = (docstatus(row), workflow.state_of(row), total and total.normalize(), row.get("currency"))
    return f"{row.get('modified')}~{blake2b(repr(seen).encode(), digest_size=6).hexdigest()}"


def modified_of(version: str) -> str:
    """Return the ``modified`` that a version contains."""
    return version.partition("~")[0]


# Production


def production_order(row: Row, site: Site) -> ProductionOrder:
    planned, status = required_number(row.get("qty")), production_status(row)
    return ProductionOrder(
        number=row["name"],
        sku=str(row.get("production_item") or ""),
        name=str(row.get("item_name") or ""),
        unit=str(row.get("stock_uom") or ""),
        planned=planned,
        produced=number(row.get("produced_qty")),
        scrapped=number(row.get("process_loss_qty")),
        status=status,
        start_on=site.day(row.get("planned_start_date")),
        # Without operations ERPNext schedules nothing, and only the promised day is known.
        due_on=site.day(row.get("planned_end_date") or row.get("expected_delivery_date")),
        # An operation that has ended is known before the whole order has.
        finished_on=site.day(row.get("actual_end_date")) if status is ProductionStatus.DONE else None,
        material_ready=_material_ready(row, status, planned),
        sales_order=str(row.get("sales_order") or ""),
        extra=extra_of(row, "status", "company"),
        **site.origin("Work Order", row),
    )


def production_status(row: Row) -> ProductionStatus:
    """Return the state of a Work Order."""
    if docstatus(row) == 2:
        return ProductionStatus.CANCELLED
    return ProductionStatus.PLANNED if docstatus(row) == 0 else _PRODUCTION[row["status"]]


def _material_ready(row: Row, status: ProductionStatus, planned: Decimal) -> bool | None:
    """Return whether all material was transferred. Where it was not, it may well be in its warehouse."""
    transferred = number(row.get("material_transferred_for_manufacturing"))
    if transferred is None or row.get("skip_transfer") == 1 or status not in _UNDER_WAY:
        return None
    return True if transferred >= planned else None


# Parts


def docstatus(row: Row) -> int:
    """Return 0 for drafts, 1 for submitted, 2 for cancelled documents; from the status if the field is missing."""
    known = row.get("docstatus")
    return int(known) if known is not None else {"Draft": 0, "Cancelled": 2}.get(row["status"], 1)


def progress(percent: Any) -> Progress | None:
    """Return the progress that a percentage stands for."""
    percentage = number(percent)
    if percentage is None:
        return None
    if percentage <= 0:
        return Progress.NONE
    return Progress.FULL if percentage >= FULL else Progress.PARTIAL


def _taxed(row: Row) -> bool | None:
    """Return whether the lines' amounts include the taxes of the document; None where it has none."""
    taxes = row.get("taxes") or ()
    return any(tax.get("included_in_print_rate") == 1 for tax in taxes) if taxes else None


def joined(values: Iterable[Any]) -> str:
    """Return the distinct names in their order."""
    return ", ".join(dict.fromkeys(str(value) for value in values if value))


def extra_of(row: Row, *names: str) -> dict[str, str]:
    """Return fields of a document as they are, those without a value left out."""
    return {name: str(row[name]) for name in names if row.get(name)}
