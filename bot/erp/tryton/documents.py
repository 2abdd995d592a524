"""Maps Tryton's records to the bot's; the requested fields are listed next to the mapping that uses them.

Docs: platform/erp/tryton.md#areas
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bot.erp.model import (
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
    Review,
    ReviewState,
    SalesOrder,
)
from bot.erp.record_parts import GoodsParts, InvoiceParts, LineParts, RecordOrigin
from bot.erp.tryton.client import Row, at, some
from bot.erp.values import progress

CHANGED = "last_modified_at"
"""The time of the last change, or of creation; ``write_date`` is empty until the first change."""
CREATED_BY = ("create_uid.name", "create_uid.login")
ORIGIN = (CHANGED, *CREATED_BY)
"""The fields of `TrytonSite.origin`."""

PRODUCT = ("code", "name", "active", "default_uom.symbol", "default_uom.digits", "categories.name", "identifiers.code")

GOODS_TYPES = ("goods", "assets", "kit")
"""Types of products that are moved, as the client spells them; services are not (``stock.move.get_product_types``)."""

_DOCUMENT = ("number", "state", "total_amount", "currency.code", "party.name", *ORIGIN)

_LINE = tuple(
    f"lines.{name}"
    for name in (
        *("type", "description", "product.code", "product.name", "quantity", "unit.symbol", "unit.digits"),
        *("unit_price", "amount", "moves.quantity", "moves.state", "moves.unit"),
    )
)
SALE = (
    *_DOCUMENT,
    *("reference", "sale_date", "shipping_date", "shipment_state"),
    *("invoice_state", "invoice_method", "quoted_by.rec_name", "lines.product.type"),
)
SALE_LINES = (
    *_LINE,
    *("lines.moves.to_location.type", "lines.shipping_date"),
    *("lines.invoice_lines.quantity", "lines.invoice_lines.invoice.state"),
)
INVOICE = (
    *_DOCUMENT,
    *("reference", "invoice_date", "amount_to_pay", "sales.number"),
    *("lines_to_pay.maturity_date", "lines_to_pay.reconciliation"),
)
REVIEWED = ("_timestamp", "untaxed_amount", "company.id", "write_uid.login", "write_uid.name")
"""What is read besides of documents that are decided; rules for buttons ask for some of it."""
PURCHASE = (
    *_DOCUMENT,
    *("reference", "purchase_date", "delivery_date", "shipment_state", "warehouse.id", "quoted_by.rec_name"),
    *(f"lines.{name}" for name in ("type", "product.type", "quantity", "unit.digits", "moves.quantity", "moves.state")),
    *("lines.moves.unit", "lines.moves.from_location.type"),
)
PURCHASE_LINES = tuple(name for name in _LINE if name not in PURCHASE)
PRODUCTION = (
    *("number", "state", "reference", "product.code", "product.name", "quantity", "unit.symbol", "unit.digits"),
    *("planned_start_date", "planned_date", "effective_date"),
    *("outputs.product", "outputs.quantity", "outputs.state", *ORIGIN),
)

_SALES = {
    "draft": OrderStatus.DRAFT,
    "quotation": OrderStatus.DRAFT,
    "confirmed": OrderStatus.OPEN,
    "processing": OrderStatus.OPEN,
    "done": OrderStatus.CLOSED,
    "cancelled": OrderStatus.CANCELLED,
}
_SHIPPED = {
    "none": Progress.NONE,
    "waiting": Progress.NONE,
    "partially shipped": Progress.PARTIAL,
    "sent": Progress.FULL,
    "received": Progress.FULL,
    # "exception": some shipment was cancelled; nothing says how much was shipped before.
}
_INVOICES = {
    "draft": InvoiceStatus.DRAFT,
    "validated": InvoiceStatus.DRAFT,
    "posted": InvoiceStatus.UNPAID,
    "paid": InvoiceStatus.PAID,
    "cancelled": InvoiceStatus.VOID,
}
_PRODUCTIONS = {
    "request": ProductionStatus.PLANNED,
    "draft": ProductionStatus.PLANNED,
    "waiting": ProductionStatus.PLANNED,
    "assigned": ProductionStatus.RELEASED,
    "running": ProductionStatus.RUNNING,
    "done": ProductionStatus.DONE,
    "cancelled": ProductionStatus.CANCELLED,
}
_MATERIAL = {"waiting": False, "assigned": True, "running": True, "done": True}
"""Whether components are reserved or used; Tryton does not check before that or after a cancellation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrytonSite:
    """What the records of a source have in common: its name, and the web client's address for models, if there is
    one."""

    source: str
    web: str = ""

    def link(self, model: str, row: Row) -> str:
        """Return the address of a record in the web client, empty if there is none."""
        return f"{self.web}/{model}/{row['id']}" if self.web else ""

    def origin(self, model: str, row: Row) -> RecordOrigin:
        return {
            "id": str(row["id"]),
            "url": self.link(model, row),
            "changed_at": changed_at(row),
            "source": self.source,
            "created_by": tuple(name for path in CREATED_BY if (name := at(row, path))),
        }


def number_of(row: Row) -> str:
    """Return a document's number; without one (mostly drafts), the id as Tryton's client shows it: ``(12)``."""
    return row["number"] or f"({row['id']})"


def quantity(value: Any, digits: int | None) -> Decimal:
    """Return a quantity, which Tryton computes as a float, rounded to the digits of its unit."""
    exact = Decimal(value)
    return exact if digits is None else round(exact, digits)


def goods_of(row: Row) -> GoodsParts:
    """Return the product of a line, a move or a production order."""
    return {
        "sku": at(row, "product.code") or "",
        "name": at(row, "product.name") or "",
        "unit": at(row, "unit.symbol") or "",
    }


def product(row: Row) -> Product:
    return Product(
        sku=row["code"],
        name=row["name"] or "",
        unit=at(row, "default_uom.symbol") or "",
        category=", ".join(category["name"] for category in some(row, "categories")),
        barcode=next((identifier["code"] for identifier in some(row, "identifiers")), ""),
        is_active=bool(row["active"]),
    )


def sale(row: Row, site: TrytonSite, *, lines: bool) -> SalesOrder:
    # Of services alone there are no shipments, and nothing is owed that could be late.
    delivery = _SHIPPED.get(row["shipment_state"]) if _has_goods(row) else None
    return SalesOrder(
        number=number_of(row),
        customer=at(row, "party.name") or "",
        status=_sale_status(row["state"], delivery if _has_goods(row) else Progress.FULL),
        delivery=delivery,
        billing=_billing(row["invoice_state"], row["invoice_method"], delivery),
        payment=_payment(row["invoice_state"]),
        ordered_on=row["sale_date"],
        promised_on=row["shipping_date"],
        total=_money(row, "total_amount"),
        lines=tuple(_sale_line(line, at(row, "currency.code")) for line in _goods(row)) if lines else (),
        salesperson=at(row, "quoted_by.rec_name") or "",
        extra=_extra(row, "reference", "shipment_state"),
        **site.origin("sale.sale", row),
    )


def _sale_status(state: str, delivery: Progress | None) -> OrderStatus:
    status = _SALES[state]
    if status is OrderStatus.OPEN and delivery is Progress.PARTIAL:
        return OrderStatus.PARTLY_DELIVERED
    if status is OrderStatus.OPEN and delivery is Progress.FULL:
        return OrderStatus.DELIVERED
    return status


def _billing(state: str, method: str, delivery: Progress | None) -> Progress | None:
    """Return the billing progress: Tryton's state says whether there are invoices, its method how much they cover."""
    if state in ("none", "pending"):
        return Progress.NONE
    if state == "exception" or method == "manual":
        return None
    if method == "order":
        return Progress.FULL
    return Progress.FULL if delivery is Progress.FULL else Progress.PARTIAL


def _payment(state: str) -> Progress | None:
    paid = {"paid": Progress.FULL, "partially paid": Progress.PARTIAL, "exception": None}
    return paid.get(state, Progress.NONE)


def _sale_line(line: Row, currency: str | None) -> OrderLine:
    billed = (row for row in some(line, "invoice_lines") if at(row, "invoice.state") in ("posted", "paid"))
    return OrderLine(
        delivered=_moved(line, lambda move: at(move, "to_location.type") == "customer"),
        invoiced=quantity(sum(Decimal(row["quantity"]) for row in billed), at(line, "unit.digits")),
        due_on=line["shipping_date"],
        **_line(line, currency),
    )


def _line(line: Row, currency: str | None) -> LineParts:
    goods = goods_of(line)
    return {
        **goods,
        "name": goods["name"] or line["description"] or "",
        "quantity": quantity(line["quantity"], at(line, "unit.digits")),
        "price": price_of(line["unit_price"], currency),
        "amount": price_of(line["amount"], currency),
        "taxed": False,
    }


def invoice_parts(row: Row, site: TrytonSite, orders: str, *extra: str) -> InvoiceParts:
    """Return what an invoice of either kind says; a credit note has negative amounts.

    ``orders`` is the field of the orders that it bills, ``extra`` are fields to show as they are.
    """
    total, owed = row["total_amount"], row["amount_to_pay"]
    return {
        **site.origin("account.invoice", row),
        "number": number_of(row),
        "status": _invoice_status(row["state"], total, owed),
        "issued_on": row["invoice_date"],
        "due_on": _due(some(row, "lines_to_pay")),
        "total": _money(row, "total_amount"),
        "open_amount": _money(row, "amount_to_pay"),
        "is_credit_note": total is not None and total < 0,
        "order_number": next((order["number"] for order in some(row, orders) if order["number"]), ""),
        "extra": _extra(row, *extra),
    }


def invoice(row: Row, site: TrytonSite) -> Invoice:
    """Return a customer invoice."""
    return Invoice(customer=at(row, "party.name") or "", **invoice_parts(row, site, "sales", "reference"))


def _invoice_status(state: str, total: Decimal | None, owed: Decimal | None) -> InvoiceStatus:
    status = _INVOICES[state]
    if status is InvoiceStatus.UNPAID and total is not None and owed is not None and owed != total:
        return InvoiceStatus.PART_PAID if owed else InvoiceStatus.PAID
    return status


def _due(lines: list[Row]) -> date | None:
    """Return the due day of the first unpaid instalment, else of the last one."""
    owed = [line["maturity_date"] for line in lines if line["maturity_date"] and not line["reconciliation"]]
    done = [line["maturity_date"] for line in lines if line["maturity_date"]]
    return min(owed) if owed else max(done, default=None)


def purchase(row: Row, site: TrytonSite, review: Review, *, lines: bool) -> PurchaseOrder:
    kept = _kept(row)
    return PurchaseOrder(
        number=number_of(row),
        vendor=at(row, "party.name") or "",
        review=replace(review, state=ReviewState.DONE) if row["state"] == "done" else review,
        buyer=at(row, "quoted_by.rec_name") or "",
        ordered_on=row["purchase_date"],
        due_on=row["delivery_date"],
        total=_money(row, "total_amount"),
        received=kept,
        awaits_goods=kept is Progress.FULL or (_has_goods(row) and row["shipment_state"] != "received"),
        lines=tuple(
            PurchaseLine(received=received(line), **_line(line, at(row, "currency.code"))) for line in _goods(row)
        )
        if lines
        else (),
        extra=_extra(row, "reference", "shipment_state"),
        **site.origin("purchase.purchase", row),
    )


def _has_goods(row: Row) -> bool:
    """Return whether an order has anything that is moved: of services there are no moves."""
    return any(at(line, "product.type") in GOODS_TYPES for line in some(row, "lines"))


def _kept(row: Row) -> Progress | None:
    """Return how much of a purchase came and was kept; None for services alone.

    ``received`` says that nothing more is to come: moves that somebody ignored count for it as those that are done.
    """
    if not _has_goods(row):
        return None
    state = row["shipment_state"]
    if state != "received":
        return _SHIPPED.get(state)
    moved = (line for line in _goods(row) if at(line, "product.type") in GOODS_TYPES)
    return progress((received(line), Decimal(line["quantity"])) for line in moved) or Progress.FULL


def received(line: Row) -> Decimal | None:
    """Return what of a purchase's line was received, less returns; None if a move has another unit."""
    return _moved(line, lambda move: at(move, "from_location.type") == "supplier")


def production(row: Row, site: TrytonSite) -> ProductionOrder:
    digits = at(row, "unit.digits")
    outputs = (
        output
        for output in some(row, "outputs")
        if output["state"] == "done" and output["product"] == at(row, "product.id")
    )
    return ProductionOrder(
        number=number_of(row),
        planned=quantity(row["quantity"] or 0, digits),
        produced=quantity(sum(Decimal(output["quantity"]) for output in outputs), digits),
        status=_PRODUCTIONS[row["state"]],
        start_on=row["planned_start_date"],
        due_on=row["planned_date"],
        finished_on=row["effective_date"] if row["state"] == "done" else None,
        material_ready=_MATERIAL.get(row["state"]),
        extra=_extra(row, "reference"),
        **goods_of(row),
        **site.origin("production", row),
    )


def changed_at(row: Row, path: str = CHANGED) -> datetime:
    moment = at(row, path)
    if not isinstance(moment, datetime):
        raise ValueError("a record without a time of change")
    return moment


def _goods(row: Row) -> list[Row]:
    """Return the lines with goods or services, without titles, subtotals and comments."""
    return [line for line in some(row, "lines") if line["type"] == "line" and line["quantity"] is not None]


def _moved(line: Row, is_forward: Any) -> Decimal | None:
    """Return the quantity shipped or received, less returns; None if a move has another unit."""
    done = [move for move in some(line, "moves") if move["state"] == "done"]
    if any(move["unit"] != at(line, "unit.id") for move in done):
        return None
    moved = sum(Decimal(move["quantity"]) * (1 if is_forward(move) else -1) for move in done)
    return quantity(moved, at(line, "unit.digits"))


def _money(row: Row, name: str) -> Money | None:
    return price_of(row[name], at(row, "currency.code"))


def price_of(amount: Decimal | None, currency: str | None) -> Money | None:
    """Return an amount; None without amount or currency."""
    return None if amount is None or currency is None else Money(amount, currency)


def _extra(row: Row, *names: str) -> Mapping[str, str]:
    """Return extra fields of Tryton: the partner's reference, and whether a shipment needs attention."""
    return {name: row[name] for name in names if row[name] and (name != "shipment_state" or row[name] == "exception")}
