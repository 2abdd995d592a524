"""The reference company as ERPNext's documents; `tests.erp.fakes.erpnext_gaps` lists what they cannot represent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot.erp.kinds.quotations import Quotation, QuotationStatus
from bot.erp.model import (
    Bill,
    Invoice,
    InvoiceStatus,
    Money,
    OrderLine,
    OrderStatus,
    Product,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    Quantities,
    Review,
    ReviewState,
    SalesOrder,
    StockLevel,
)
from bot.erp.model.goods import ComponentUse, DeliveryStatus, GoodsDelivery, GoodsReceipt, ReceiptLine, Supply
from bot.kit.testing.reference_goods import order_of_line
from bot.kit.testing.reference_records import CompanyUser
from tests.erp.fakes import erpnext_doctypes as shapes
from tests.erp.fakes import staff
from tests.erp.fakes.erpnext_doctypes import Document, head, rich, rows
from tests.erp.fakes.erpnext_workflow import workflow_state

COMPANY = "Reference company"
_PERCENT = {Progress.NONE: 0.0, Progress.PARTIAL: 50.0, Progress.FULL: 100.0, None: 0.0}


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _moment(day: date | None) -> str | None:
    return None if day is None else f"{day.isoformat()} 08:00:00.000000"


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _amounts(total: Money | None) -> Document:
    amount = _float(total.amount) if total else 0.0
    names = ("grand_total", "base_grand_total", "rounded_total", "base_rounded_total")
    return dict.fromkeys(names, amount) | {"currency": total.currency if total else "CNY", "company": COMPANY}


def projected(figures: Quantities) -> Decimal:
    """Return a Bin's projected quantity: everything promised is assumed to be delivered."""
    return (figures.on_hand or Decimal(0)) + (figures.incoming or Decimal(0)) - (figures.reserved or Decimal(0))


def item(product: Product, level: StockLevel | None, changed_at: datetime, supplies: Iterable[Supply] = ()) -> Document:
    """Return an Item; its reorder level is that of its first warehouse."""
    document = shapes.ITEM | head("Item", product.sku, changed_at)
    document |= {
        "item_code": product.sku,
        "item_name": product.name,
        "description": rich(product.spec or product.name),
        "stock_uom": product.unit,
        "item_group": product.category,
        "disabled": int(not product.is_active),
        "is_stock_item": 1,
        "has_batch_no": int(bool(level and level.lots)),
        "has_variants": 0,
        "variant_of": None,
    }
    barcodes = [{"barcode": product.barcode, "barcode_type": ""}] if product.barcode else []
    point = level.reorder_point if level else None
    levels = [] if point is None else [{"warehouse": "MAIN", "warehouse_reorder_level": float(point)}]
    document["barcodes"] = rows(document, "barcodes", "Item Barcode", barcodes)
    document["reorder_levels"] = rows(document, "reorder_levels", "Item Reorder", levels)
    vendors = ({"supplier": each.vendor, "supplier_part_no": each.code or None} for each in supplies)
    document["supplier_items"] = rows(document, "supplier_items", "Item Supplier", vendors)
    return document


def item_price(sku: str, price: Money, changed_at: datetime) -> Document:
    """Return the price of an Item in the only list."""
    return head("Item Price", f"price-{sku}", changed_at) | {
        "item_code": sku,
        "price_list": "Standard Selling",
        "selling": 1,
        "buying": 0,
        "customer": None,
        "price_list_rate": float(price.amount),
        "currency": price.currency,
        "valid_from": "2026-01-01",
        "valid_upto": None,
    }


def bill_of_materials(whole: Product, parts: Iterable[ComponentUse], changed_at: datetime) -> Document:
    """Return the BOM of four units."""
    document = head("BOM", f"BOM-{whole.sku}-001", changed_at) | {
        "docstatus": 1,
        "is_default": 1,
        "is_active": 1,
        "item": whole.sku,
        "item_name": whole.name,
        "uom": whole.unit,
        "quantity": 4.0,
    }
    lines = (
        {"item_code": part.sku, "item_name": part.name, "uom": part.unit, "qty": float(part.quantity * 4)}
        for part in parts
    )
    document["items"] = rows(document, "items", "BOM Item", lines)
    return document


def batches(levels: Iterable[StockLevel], changed_at: datetime) -> list[Document]:
    """Return the Batches of all Items, and one that is used up."""
    last_days = {(level.product.sku, lot.number): lot.expires_on for level in levels for lot in level.lots}
    last_days |= {(sku, "used up"): None for sku, _ in last_days}
    return [
        head("Batch", number, changed_at)
        | {"item": sku, "batch_id": number, "expiry_date": last_day and last_day.isoformat(), "disabled": 0}
        for (sku, number), last_day in last_days.items()
    ]


def batch_quantities(level: StockLevel) -> list[Document]:
    """Return what ERPNext tells of an Item's Batches in all warehouses: those that are reserved, too, if asked so."""
    return [{"batch_no": lot.number, "warehouse": lot.warehouse, "qty": _float(lot.quantity)} for lot in level.lots]


def bins(level: StockLevel) -> list[Document]:
    """Return a Bin for every warehouse that ever held the item."""
    return [
        head("Bin", f"{level.product.sku}@{place.code}", level.as_of)
        | {
            "item_code": level.product.sku,
            "warehouse": place.code,
            "stock_uom": level.product.unit,
            "actual_qty": _float(place.quantities.on_hand),
            "reserved_qty": _float(place.quantities.reserved),
            "reserved_qty_for_production": 0.0,
            "reserved_qty_for_sub_contract": 0.0,
            "ordered_qty": _float(place.quantities.incoming),
            "indented_qty": 0.0,
            "planned_qty": 0.0,
            "projected_qty": float(projected(place.quantities)),
        }
        for place in level.per_warehouse
    ]


def warehouses(names: Mapping[str, str], changed_at: datetime) -> list[Document]:
    """Return the warehouses."""
    return [
        head("Warehouse", code, changed_at) | {"warehouse_name": name, "company": COMPANY, "is_group": 0, "disabled": 0}
        for code, name in names.items()
    ]


def users(people: Iterable[CompanyUser], bot: str, changed_at: datetime) -> list[Document]:
    """Return the users: those of the company, the bot's, a customer of the portal, and those that ship with Frappe."""
    system, portal = "System User", "Website User"
    others = ((bot, system), ("customer", portal), ("Administrator", system), ("Guest", portal))
    kinds = [(one.id, one.name, system) for one in people] + [(name, name, kind) for name, kind in others]
    return [
        head("User", user, changed_at)
        | {"full_name": name, "email": f"{user}@mail.example", "mobile_no": "", "enabled": 1, "user_type": kind}
        for user, name, kind in kinds
    ]


def employees(people: Iterable[CompanyUser], changed_at: datetime) -> list[Document]:
    """Return the employees, those with a number of their own and those whose name is the number."""
    return [
        head("Employee", f"HR-EMP-{number}" if number % 2 else staff.job_number(one.id), changed_at)
        | {
            "user_id": one.id,
            "employee_number": staff.job_number(one.id) if number % 2 else None,
            "cell_number": staff.mobile(one.id),
            "company_email": staff.mail(one.id),
            "status": "Active",
        }
        for number, one in enumerate(people)
    ]


def _line(line: OrderLine | PurchaseLine) -> Document:
    return {
        "item_code": line.sku,
        "item_name": line.name,
        "description": rich(line.name),
        "uom": line.unit,
        "stock_uom": line.unit,
        "qty": float(line.quantity),
        "rate": _float(line.price.amount) if line.price else 0.0,
        "amount": _float(line.amount.amount) if line.amount else 0.0,
    }


_DELIVERY = {Progress.NONE: "Not Delivered", Progress.PARTIAL: "Partly Delivered", Progress.FULL: "Fully Delivered"}
_BILLING = {Progress.NONE: "Not Billed", Progress.PARTIAL: "Partly Billed", Progress.FULL: "Fully Billed"}


def quotation(offer: Quotation, today: date) -> Document:
    """Return a Quotation; a job marks those that expired."""
    assert offer.changed_at is not None
    document = shapes.SALES_ORDER | head("Quotation", offer.number, offer.changed_at) | _amounts(offer.total)
    expired = offer.days_late(today) > 0
    document |= {
        "docstatus": {QuotationStatus.DRAFT: 0, QuotationStatus.CANCELLED: 2}.get(offer.status, 1),
        "title": "{customer_name}",
        "quotation_to": "Customer",
        "party_name": f"CUST-{offer.customer[:3]}",
        "customer_name": offer.customer,
        "status": {
            QuotationStatus.DRAFT: "Draft",
            QuotationStatus.SENT: "Expired" if expired else "Open",
            QuotationStatus.ACCEPTED: "Ordered",
            QuotationStatus.LOST: "Lost",
            QuotationStatus.CANCELLED: "Cancelled",
        }[offer.status],
        "transaction_date": _day(offer.quoted_on),
        "valid_till": _day(offer.valid_until),
    }
    lines = (shapes.SALES_ORDER_LINE | _line(line) for line in offer.lines)
    document["items"] = rows(document, "items", "Quotation Item", lines)
    return document


def sales_order(order: SalesOrder, quotation: str | None = None) -> Document:
    """Return a Sales Order, which was made of a quotation."""
    assert order.changed_at is not None
    document = shapes.SALES_ORDER | head("Sales Order", order.number, order.changed_at) | _amounts(order.total)
    document |= {
        "docstatus": {OrderStatus.DRAFT: 0, OrderStatus.CANCELLED: 2}.get(order.status, 1),
        "title": "{customer_name}",
        "customer": f"CUST-{order.customer[:3]}",
        "customer_name": order.customer,
        "status": _order_status(order),
        "delivery_status": _DELIVERY[order.delivery or Progress.NONE],
        "billing_status": _BILLING[order.billing or Progress.NONE],
        "transaction_date": _day(order.ordered_on),
        "delivery_date": _day(order.promised_on),
        "per_delivered": _PERCENT[order.delivery],
        "per_billed": _PERCENT[order.billing],
    }
    lines = (
        shapes.SALES_ORDER_LINE
        | _line(line)
        | {
            "delivered_qty": _float(line.delivered),
            "billed_amt": float(line.amount.amount) if line.amount and line.invoiced == line.quantity else 0.0,
            "delivery_date": _day(line.due_on),
            "prevdoc_docname": quotation,
        }
        for line in order.lines
    )
    document["items"] = rows(document, "items", "Sales Order Item", lines)
    people = [{"sales_person": order.salesperson, "allocated_percentage": 100.0}]
    document["sales_team"] = rows(document, "sales_team", "Sales Team", people)
    return document


def _order_status(order: SalesOrder) -> str:
    full = (Progress.FULL, Progress.FULL)
    match order.status:
        case OrderStatus.DRAFT:
            return "Draft"
        case OrderStatus.CANCELLED:
            return "Cancelled"
        case OrderStatus.CLOSED if (order.delivery, order.billing) != full:
            return "Closed"
    if (order.delivery, order.billing) == full:
        return "Completed"
    return "To Bill" if order.delivery is Progress.FULL else "To Deliver and Bill"


def sales_invoice(invoice: Invoice, today: date) -> Document:
    """Return a Sales Invoice."""
    document = shapes.SALES_INVOICE | head_of_invoice("Sales Invoice", invoice, today)
    document |= {"customer": f"CUST-{invoice.customer[:3]}", "customer_name": invoice.customer}
    line = shapes.SALES_INVOICE_LINE | {
        "item_code": "SKU123",
        "item_name": "Hex bolt M6×20",
        "description": "Hex bolt M6×20",
        "uom": "PCS",
        "stock_uom": "PCS",
        "qty": 1.0,
        "rate": document["grand_total"] / 2,
        "amount": document["grand_total"] / 2,
        "delivered_qty": 0.0,
        "sales_order": invoice.order_number or None,
    }
    document["items"] = rows(document, "items", "Sales Invoice Item", [line, line])
    return document


def head_of_invoice(doctype: str, invoice: Invoice | Bill, today: date) -> Document:
    """Return what invoices of both sides hold.

    A nightly job sets “Overdue”, so that one due yesterday does not have it yet.
    """
    assert invoice.changed_at is not None
    document = head(doctype, invoice.number, invoice.changed_at) | _amounts(invoice.total)
    late = invoice.due_on is not None and invoice.due_on < today - timedelta(days=1)
    status = {
        InvoiceStatus.DRAFT: "Draft",
        InvoiceStatus.VOID: "Cancelled",
        InvoiceStatus.PAID: "Paid",
        InvoiceStatus.PART_PAID: "Overdue" if late else "Partly Paid",
        InvoiceStatus.UNPAID: "Overdue" if late else "Unpaid",
    }[invoice.status]
    return document | {
        "docstatus": {InvoiceStatus.DRAFT: 0, InvoiceStatus.VOID: 2}.get(invoice.status, 1),
        "status": "Return" if invoice.is_credit_note else status,
        "is_return": int(invoice.is_credit_note),
        "posting_date": _day(invoice.issued_on),
        "due_date": _day(invoice.due_on),
        # A cancelled invoice keeps its outstanding amount.
        "outstanding_amount": document["grand_total"]
        if invoice.status is InvoiceStatus.VOID
        else _float(invoice.open_amount.amount if invoice.open_amount else None),
        "party_account_currency": document["currency"],
    }


def purchase_order(order: PurchaseOrder) -> Document:
    """Return a Purchase Order."""
    assert order.changed_at is not None
    document = shapes.PURCHASE_ORDER | head("Purchase Order", order.number, order.changed_at)
    document |= _amounts(order.total)
    drafts = {ReviewState.DRAFT, ReviewState.WAITING, ReviewState.REJECTED}
    docstatus = 0 if order.status in drafts else 2 if order.status is ReviewState.CANCELLED else 1
    status = ("Draft", "Completed" if order.status is ReviewState.DONE else "To Receive and Bill", "Cancelled")
    document |= {
        "docstatus": docstatus,
        "title": "{supplier_name}",
        "supplier": f"SUPP-{order.vendor[:3]}",
        "supplier_name": order.vendor,
        "status": status[docstatus],
        "transaction_date": _day(order.ordered_on),
        "schedule_date": _day(order.due_on),
        "per_received": _PERCENT[order.received],
        "per_billed": 0.0,
    }
    lines = (
        shapes.PURCHASE_ORDER_LINE
        | _line(line)
        | {"received_qty": _float(line.received), "billed_amt": 0.0, "schedule_date": _day(order.due_on)}
        for line in order.lines
    )
    document["items"] = rows(document, "items", "Purchase Order Item", lines)
    return document


def in_review(document: Document, review: Review | None, workflow: bool) -> Document:
    """Return a document that is decided; with a Workflow, its state is more specific than its status."""
    if review is None:
        return document
    state = {"workflow_state": workflow_state(review)} if workflow else {}
    return {**document, "owner": review.requester, "modified_by": review.changed_by, **state}


def delivery_note(delivery: GoodsDelivery) -> Document:
    """Return a Delivery Note: it has one day, which is that of leaving once it is submitted."""
    assert delivery.changed_at is not None
    docstatus = {DeliveryStatus.SHIPPED: 1, DeliveryStatus.CANCELLED: 2}.get(delivery.status, 0)
    document = head("Delivery Note", delivery.number, delivery.changed_at) | {
        "docstatus": docstatus,
        "status": ("Draft", "To Bill", "Cancelled")[docstatus],
        "company": COMPANY,
        "customer": f"CUST-{delivery.customer[:3]}",
        "customer_name": delivery.customer,
        "posting_date": _day(delivery.day),
        "is_return": 0,
        "transporter_name": delivery.carrier or None,
        "lr_no": delivery.tracking or None,
        "set_warehouse": "MAIN",
    }
    lines = (
        {
            "item_code": line.sku,
            "item_name": line.name,
            "uom": line.unit,
            "qty": float(line.quantity),
            "against_sales_order": delivery.order_number,
        }
        for line in delivery.lines
    )
    document["items"] = rows(document, "items", "Delivery Note Item", lines)
    people = [{"sales_person": delivery.salesperson, "allocated_percentage": 100.0}]
    document["sales_team"] = rows(document, "sales_team", "Sales Team", people)
    return document


def purchase_receipts(receipts: Iterable[GoodsReceipt], purchases: Mapping[str, PurchaseOrder]) -> list[Document]:
    """Return Purchase Receipts, the first one as a draft and cancelled, too."""
    first, *others = receipts
    return [
        *(_purchase_receipt(receipt, purchases) for receipt in (first, *others)),
        _purchase_receipt(replace(first, number="GRN-DRAFT"), purchases, docstatus=0),
        _purchase_receipt(replace(first, number="GRN-CANCELLED"), purchases, docstatus=2),
    ]


def _purchase_receipt(receipt: GoodsReceipt, purchases: Mapping[str, PurchaseOrder], *, docstatus: int = 1) -> Document:
    """Return a Purchase Receipt: a line in a lot names its batch, or has it in a bundle only."""
    assert receipt.changed_at is not None
    document = head("Purchase Receipt", receipt.number, receipt.changed_at) | {
        "docstatus": docstatus,
        "status": ("Draft", "Return" if receipt.is_return else "To Bill", "Cancelled")[docstatus],
        "company": COMPANY,
        "supplier": f"SUP-{receipt.vendor[:3]}",
        "supplier_name": receipt.vendor,
        "posting_date": _day(receipt.received_on),
        "is_return": int(receipt.is_return),
        "set_warehouse": "MAIN",
    }
    lines = (
        {
            "item_code": line.sku,
            "item_name": line.name,
            "uom": line.unit,
            # One of what came in was rejected.
            "qty": float(line.quantity - 1 if line.quantity > 1 else line.quantity),
            "rejected_qty": float(line.quantity > 1),
            "received_qty": float(line.quantity),
            "purchase_order": order_of_line(receipt, line, purchases).number,
            "batch_no": _batch(line.lot) if line.lot and n % 2 else None,
            "serial_and_batch_bundle": _bundle(receipt, line.lot) if line.lot else None,
        }
        for n, line in enumerate(receipt.lines)
    )
    document["items"] = rows(document, "items", "Purchase Receipt Item", lines)
    return document


def bundles(receipts: Iterable[GoodsReceipt], changed_at: datetime) -> list[Document]:
    """Return a Serial and Batch Bundle of each lot that came in."""
    found = []
    for receipt, line in _in_lots(receipts):
        bundle = head("Serial and Batch Bundle", _bundle(receipt, line.lot), changed_at)
        entry = {"batch_no": _batch(line.lot), "qty": float(line.quantity)}
        found.append({**bundle, "entries": rows(bundle, "entries", "Serial and Batch Entry", [entry])})
    return found


def received_batches(receipts: Iterable[GoodsReceipt], changed_at: datetime) -> list[Document]:
    """Return the Batches that came in: their names are not their numbers, as from 17 on."""
    return [
        head("Batch", _batch(line.lot), changed_at)
        | {"item": line.sku, "batch_id": line.lot, "expiry_date": None, "disabled": 0}
        for _, line in _in_lots(receipts)
    ]


def _in_lots(receipts: Iterable[GoodsReceipt]) -> Iterator[tuple[GoodsReceipt, ReceiptLine]]:
    return ((receipt, line) for receipt in receipts for line in receipt.lines if line.lot)


def _batch(lot: str) -> str:
    return f"batch of {lot}"


def _bundle(receipt: GoodsReceipt, lot: str) -> str:
    return f"SABB-{receipt.id}-{lot}"


_PRODUCTION = {
    ProductionStatus.PLANNED: "Draft",
    ProductionStatus.RELEASED: "Not Started",
    ProductionStatus.RUNNING: "In Process",
    ProductionStatus.DONE: "Completed",
    ProductionStatus.CANCELLED: "Cancelled",
}


def work_order(order: ProductionOrder) -> Document:
    """Return a Work Order."""
    assert order.changed_at is not None
    return head("Work Order", order.number, order.changed_at) | {
        "docstatus": {ProductionStatus.PLANNED: 0, ProductionStatus.CANCELLED: 2}.get(order.status, 1),
        "company": COMPANY,
        "status": _PRODUCTION[order.status],
        "production_item": order.sku,
        "item_name": order.name,
        "stock_uom": order.unit,
        "qty": float(order.planned),
        "produced_qty": _float(order.produced),
        "process_loss_qty": _float(order.scrapped),
        "skip_transfer": 0,
        "material_transferred_for_manufacturing": float(order.planned) if order.material_ready else 0.0,
        "planned_start_date": _moment(order.start_on),
        "planned_end_date": _moment(order.due_on),
        "actual_end_date": _moment(order.start_on if order.status is ProductionStatus.RUNNING else order.finished_on),
        "expected_delivery_date": None,
        "sales_order": order.sales_order or None,
    }
