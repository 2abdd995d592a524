"""Maps records of the Service Layer to the bot's: states, quantities, amounts.

Docs: platform/erp/records.md#states
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bot.erp.keys import fingerprint
from bot.erp.model import (
    Bill,
    Invoice,
    InvoiceStatus,
    Money,
    OrderLine,
    OrderStatus,
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
from bot.erp.record_parts import GoodsParts, InvoiceParts, LineParts, RecordOrigin
from bot.erp.sap_b1.client import UserNames
from bot.erp.sap_b1.decisions import ApprovalRequest
from bot.erp.sap_b1.mapping import Row, ValueReader, day_of, is_yes, rows_of
from bot.erp.sap_b1.query import GOODS_RETURNS, PRODUCTION, PURCHASES, RETURNS, DocumentEntity
from bot.erp.values import code, number, progress, text

_AUTHORIZED = {
    "dasPending": ReviewState.WAITING,
    "dasApproved": ReviewState.APPROVED,
    "dasRejected": ReviewState.REJECTED,
    "dasCancelled": ReviewState.CANCELLED,
}
"""States of drafts whose request cannot be read, from the draft's own field."""
_PRODUCTION = {
    "boposPlanned": ProductionStatus.PLANNED,
    "boposReleased": ProductionStatus.RELEASED,
    "boposClosed": ProductionStatus.DONE,
    "boposCancelled": ProductionStatus.CANCELLED,
}
_EDITED = ("UpdateDate", "UpdateTime", "DocDueDate", "CardName")
SALES_ORDER, PURCHASE_ORDER, GOODS_RECEIPT = "17", "22", "20"
"""Object types."""


def order_status(row: Row, delivery: Progress | None, *, draft: bool) -> OrderStatus:
    """Return a sales order's state; both delivered and manually closed orders are closed."""
    if is_cancelled(row):
        return OrderStatus.CANCELLED
    if draft:
        return OrderStatus.DRAFT
    match code(row.get("DocumentStatus")):
        case "bost_Close" | "bost_Paid":
            return OrderStatus.CLOSED
        case "bost_Delivered":
            return OrderStatus.DELIVERED
        case _:
            return OrderStatus.OPEN if delivery in (None, Progress.NONE) else OrderStatus.PARTLY_DELIVERED


def invoice_status(row: Row, total: Decimal, paid: Decimal, *, draft: bool) -> InvoiceStatus:
    """Return an invoice's state. Closed means paid, even if a credit note settled it."""
    if is_cancelled(row):
        return InvoiceStatus.VOID
    if draft:
        return InvoiceStatus.DRAFT
    if code(row.get("DocumentStatus")) in ("bost_Close", "bost_Paid") or (paid and paid >= total):
        return InvoiceStatus.PAID
    return InvoiceStatus.PART_PAID if paid else InvoiceStatus.UNPAID


def purchase_status(row: Row, request: ApprovalRequest | None, *, draft: bool) -> ReviewState:
    """Return a purchase order's state; that of a draft is its approval request's."""
    if is_cancelled(row):
        return ReviewState.CANCELLED
    if draft:
        known = request.status if request else _AUTHORIZED.get(code(row.get("AuthorizationStatus")))
        return known or ReviewState.DRAFT
    closed = code(row.get("DocumentStatus")) in ("bost_Close", "bost_Paid", "bost_Delivered")
    return ReviewState.DONE if closed else ReviewState.APPROVED


def production_status(state: str, produced: Decimal | None) -> ProductionStatus:
    """Return a production order's state; the ERP has no state for one in progress."""
    status = _PRODUCTION.get(state, ProductionStatus.PLANNED)
    return ProductionStatus.RUNNING if status is ProductionStatus.RELEASED and produced else status


def is_cancelled(row: Row) -> bool:
    """Return whether a document was cancelled or cancels another."""
    # Cancelling an invoice leaves two documents: the cancelled one and the cancelling one.
    return is_yes(row.get("Cancelled")) or code(row.get("CancelStatus")) == "csCancellation"


@dataclass(frozen=True, slots=True)
class DeliveryNames:
    """What deliveries refer to by key."""

    sellers: Mapping[str, str]
    carriers: Mapping[str, str]
    warehouses: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReceivedOrder:
    """What a receipt tells of a purchase order that its goods are of."""

    number: str
    owners: tuple[str, ...]


def requester_of(row: Row, request: ApprovalRequest | None, people: UserNames) -> str:
    """Return the account of who asked for the approval of a document, or else of who made it."""
    return (request.requester if request else "") or people.account(code(row.get("UserSign")))


@dataclass(frozen=True, slots=True)
class DocumentMapper:
    """Builds the documents of one source; a missing key raises `KeyError`, a wrong value `ValueError`."""

    source: str
    values: ValueReader

    def order(self, entity: DocumentEntity, row: Row, sellers: Mapping[str, str]) -> SalesOrder:
        """Return a sales order; only other documents show what was invoiced or paid."""
        currency = _DocumentCurrency(self.values, row)
        lines = tuple(
            OrderLine(delivered=_done(line), due_on=day_of(line.get("ShipDate")), **_line(line, currency))
            for line in rows_of(row, "DocumentLines")
        )
        delivery = progress((line.delivered, line.quantity) for line in lines)
        return SalesOrder(
            number=entity.number(row),
            customer=text(row.get("CardName")),
            status=order_status(row, delivery, draft=bool(entity.drafts_of)),
            delivery=delivery,
            ordered_on=day_of(row.get("DocDate")),
            promised_on=day_of(row.get("DocDueDate")),
            total=currency.total(row),
            lines=lines,
            salesperson=sellers.get(code(row.get("SalesPersonCode")), ""),
            **self._origin(row),
        )

    def _origin(self, row: Row) -> RecordOrigin:
        return {"id": code(row["DocEntry"]), "changed_at": self.values.changed(row), "source": self.source}

    def invoice(self, entity: DocumentEntity, row: Row, orders: Mapping[str, str]) -> Invoice:
        """Return an invoice, or a credit note with negative amounts; ``orders`` are order numbers by key."""
        parts = self._invoiced(entity, row, _first_order(row, SALES_ORDER, orders))
        return Invoice(customer=text(row.get("CardName")), **parts)

    def bill(self, entity: DocumentEntity, row: Row, orders: Mapping[str, str]) -> Bill:
        """Return an invoice by a vendor, or a credit note with negative amounts; ``orders`` are numbers by key."""
        return Bill(
            vendor=text(row.get("CardName")),
            reference=text(row.get("NumAtCard")),
            **self._invoiced(entity, row, _first_order(row, PURCHASE_ORDER, orders)),
        )

    def _invoiced(self, entity: DocumentEntity, row: Row, order_number: str) -> InvoiceParts:
        currency = _DocumentCurrency(self.values, row)
        total = number(row.get("DocTotalFc" if currency.foreign else "DocTotal")) or Decimal(0)
        paid = number(row.get("PaidToDateFC" if currency.foreign else "PaidToDate")) or Decimal(0)
        status = invoice_status(row, total, paid, draft=bool(entity.drafts_of))
        open_amount = Decimal(0) if status in (InvoiceStatus.PAID, InvoiceStatus.VOID) else total - paid
        sign = -1 if entity.is_credit_note else 1
        return {
            **self._origin(row),
            "number": entity.number(row),
            "status": status,
            "issued_on": day_of(row.get("DocDate")),
            "due_on": day_of(row.get("DocDueDate")),
            "total": currency.money(sign * total),
            "open_amount": currency.money(sign * open_amount),
            "is_credit_note": entity.is_credit_note,
            "order_number": order_number,
            "extra": {},
        }

    def delivery(
        self, entity: DocumentEntity, row: Row, orders: Mapping[str, str], names: DeliveryNames
    ) -> GoodsDelivery:
        """Return a delivery note, with which goods have left, or a return with negative quantities."""
        cancelled, sign = is_cancelled(row), -1 if entity is RETURNS else 1
        lines = rows_of(row, "DocumentLines")
        return GoodsDelivery(
            number=entity.number(row),
            order_number=_first_order(row, SALES_ORDER, orders),
            customer=text(row.get("CardName")),
            status=DeliveryStatus.CANCELLED if cancelled else DeliveryStatus.SHIPPED,
            planned_on=day_of(row.get("DocDueDate")),
            shipped_on=None if cancelled else day_of(row.get("DocDate")),
            carrier=names.carriers.get(code(row.get("TransportationCode")), ""),
            tracking=text(row.get("TrackingNumber")),
            is_return=entity is RETURNS,
            lines=tuple(
                DeliveryLine(
                    **_goods_of(line),
                    quantity=sign * (number(line["Quantity"]) or Decimal(0)),
                )
                for line in lines
            ),
            salesperson=names.sellers.get(code(row.get("SalesPersonCode")), ""),
            warehouse=_place(lines, names.warehouses),
            **self._origin(row),
        )

    def receipt(
        self, entity: DocumentEntity, row: Row, orders: Sequence[ReceivedOrder], places: Mapping[str, str]
    ) -> GoodsReceipt:
        """Return a goods receipt, or a return to the vendor with negative quantities."""
        lines = rows_of(row, "DocumentLines")
        sign = -1 if entity is GOODS_RETURNS else 1
        return GoodsReceipt(
            number=entity.number(row),
            order_numbers=tuple(order.number for order in orders),
            vendor=text(row.get("CardName")),
            received_on=day_of(row.get("DocDate")),
            warehouse=_place(lines, places),
            is_return=entity is GOODS_RETURNS,
            lines=tuple(
                ReceiptLine(
                    **_goods_of(line), quantity=sign * (number(line["Quantity"]) or Decimal(0)), lot=_lots_of(line)
                )
                for line in lines
            ),
            owners=tuple(dict.fromkeys(owner for order in orders for owner in order.owners)),
            **self._origin(row),
        )

    def purchase_order(self, entity: DocumentEntity, row: Row, buyers: Mapping[str, str]) -> PurchaseOrder:
        """Return a purchase order, or the draft of one; `reviewed` tells of its approval."""
        currency = _DocumentCurrency(self.values, row)
        lines = tuple(
            PurchaseLine(received=_done(line), **_line(line, currency)) for line in rows_of(row, "DocumentLines")
        )
        return PurchaseOrder(
            number=entity.number(row),
            vendor=text(row.get("CardName")),
            review=Review(state=purchase_status(row, None, draft=bool(entity.drafts_of)), version=""),
            buyer=buyers.get(code(row.get("SalesPersonCode")), ""),
            ordered_on=day_of(row.get("DocDate")),
            due_on=day_of(row.get("DocDueDate")),
            total=currency.total(row),
            received=progress((line.received, line.quantity) for line in lines),
            lines=lines,
            **self._origin(row),
        )

    def reviewed(
        self, document: Any, entity: DocumentEntity, row: Row, request: ApprovalRequest | None, people: UserNames
    ) -> Any:
        """Return a document or a draft with its review, by its approval request if there is one."""
        draft = bool(entity.drafts_of)
        state = purchase_status(row, request, draft=draft)
        if state is ReviewState.DONE and entity is not PURCHASES:
            # Whether others are done, their own status tells.
            state = ReviewState.APPROVED
        undecided = request is None or state in (ReviewState.DRAFT, ReviewState.CANCELLED)
        approval = None if undecided or request is None else request.approval()
        requester = requester_of(row, request, people)
        changes = (document.changed_at, request.decided_at if request else None)
        named = {requester, *(approval.pending_for if approval else ()), approval.decided_by if approval else ""}
        content = (*(row.get(key) for key in _EDITED), state, document.total, *getattr(document, "lines", ()), request)
        review = Review(
            state=state,
            # The time of change alone only has whole seconds.
            version=fingerprint(*map(str, content)),
            approval=approval,
            requester=requester,
            people={account: people.names[account] for account in named if account in people.names},
        )
        return replace(
            document,
            review=review,
            changed_at=max((at for at in changes if at is not None), default=None),
            # Approved, but the document was not generated yet.
            extra=document.extra | {"generated": "no"} if draft and state is ReviewState.APPROVED else document.extra,
        )

    def production_order(self, row: Row) -> ProductionOrder:
        produced = number(row.get("CompletedQuantity"))
        parts = [
            (number(line.get("IssuedQuantity")), number(line.get("PlannedQuantity")) or Decimal(0))
            for line in rows_of(row, "ProductionOrderLines")
        ]
        of_order = code(row.get("ProductionOrderOrigin")) == "bopooSalesOrder"
        status = production_status(code(row.get("ProductionOrderStatus")), produced)
        return ProductionOrder(
            id=code(row["AbsoluteEntry"]),
            number=PRODUCTION.number(row),
            sku=code(row.get("ItemNo")),
            name=text(row.get("ProductDescription")),
            unit=text(row.get("InventoryUOM")),
            planned=number(row["PlannedQuantity"]) or Decimal(0),
            produced=produced,
            scrapped=number(row.get("RejectedQuantity")),
            status=status,
            start_on=day_of(row.get("StartDate")),
            due_on=day_of(row.get("DueDate")),
            finished_on=day_of(row.get("ClosingDate")) if status is ProductionStatus.DONE else None,
            # Material that was not issued may or may not be available.
            material_ready=True if progress(parts) is Progress.FULL else None,
            sales_order=code(row.get("ProductionOrderOriginNumber")) if of_order else "",
            source=self.source,
        )


class _DocumentCurrency:
    """The currency of a document: its own if that differs from the company's, else the company's.

    Amounts in the document's own currency are 0 if it is the company's.

    Docs: platform/erp/sap-b1.md#amounts-and-dates
    """

    def __init__(self, values: ValueReader, row: Row) -> None:
        self._values = values
        self.foreign = bool(number(row.get("DocTotalFc")))
        self._iso = values.iso(code(row.get("DocCurrency")))

    def money(self, amount: Any) -> Money | None:
        return self._values.money(amount, self._iso)

    def total(self, row: Row) -> Money | None:
        return self.money(row.get("DocTotalFc" if self.foreign else "DocTotal"))

    def line_total(self, line: Row) -> Money | None:
        """Return a line's total, without tax."""
        return self.money(line.get("RowTotalFC" if self.foreign else "LineTotal"))

    def price(self, line: Row) -> Money | None:
        """Return a line's price after discount, None if it is not in the document's currency."""
        own = self._values.iso(code(line.get("Currency")))
        return self.money(line.get("Price")) if own in ("", self._iso) else None


def has_item(row: Row, sku: str) -> bool:
    """Return whether a document, read whole, has a line of an item."""
    return any(code(line.get("ItemCode")).casefold() == sku.casefold() for line in row.get("DocumentLines") or ())


def base_keys(row: Row, kind: str) -> list[str]:
    """Return the keys of the documents of an object type that a document's lines were copied from directly."""
    lines = rows_of(row, "DocumentLines")
    return list(dict.fromkeys(code(line.get("BaseEntry")) for line in lines if code(line.get("BaseType")) == kind))


def _first_order(row: Row, kind: str, orders: Mapping[str, str]) -> str:
    return next(filter(None, (orders.get(entry, "") for entry in base_keys(row, kind))), "")


def _line(line: Row, currency: _DocumentCurrency) -> LineParts:
    return {
        **_goods_of(line),
        "quantity": number(line["Quantity"]) or Decimal(0),
        "price": currency.price(line),
        "amount": currency.line_total(line),
        "taxed": False,
    }


def _goods_of(line: Row) -> GoodsParts:
    return {"sku": code(line.get("ItemCode")), "name": text(line.get("ItemDescription")), "unit": _unit(line)}


def _place(lines: Sequence[Row], names: Mapping[str, str]) -> str:
    """Return the name of the warehouse of all lines, or its code; empty where they have several."""
    places = {code(line.get("WarehouseCode")) for line in lines}
    place = places.pop() if len(places) == 1 else ""
    return names.get(place) or place


def _lots_of(line: Row) -> str:
    # Where the metadata is made for WCF, the number is called after its type.
    batches = rows_of(line, "BatchNumbers")
    return ", ".join(
        filter(None, (code(each.get("BatchNumber") or each.get("BatchNumberProperty")) for each in batches))
    )


def _done(line: Row) -> Decimal | None:
    """Return how much of a line is delivered or received."""
    quantity, remaining = number(line["Quantity"]) or Decimal(0), number(line.get("RemainingOpenQuantity"))
    return None if remaining is None else max(Decimal(0), quantity - remaining)


def _unit(line: Row) -> str:
    """Return the unit of a line's quantity; for the unit group "Manual" it is free text."""
    unit = text(line.get("UoMCode"))
    return text(line.get("MeasureUnit")) or unit if unit in ("", "Manual") else unit
