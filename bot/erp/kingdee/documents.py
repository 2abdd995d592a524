"""Maps records of the WebAPI to the bot's: states, quantities, amounts.

Docs: platform/erp/records.md#states
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bot.erp.header_lists import Header
from bot.erp.keys import fingerprint
from bot.erp.kingdee.decisions import AGAIN, AUDITED, CHECKING, KingdeeTask, was_rejected
from bot.erp.kingdee.mapping import Row, ValueReader, code, text, user
from bot.erp.kingdee.query import FINISHED, GOODS_IN, ORDER_OF_GOODS, PRODUCTION, PURCHASES, SHIPMENTS, Form
from bot.erp.model import (
    Approval,
    Bill,
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
from bot.erp.record_parts import GoodsParts, InvoiceParts, LineParts
from bot.erp.values import due_day, is_true, number, progress
from bot.erp.workflow import WorkflowRun

_CLOSED = _VOIDED = "B"
_WRITTEN_OFF = {"A": InvoiceStatus.UNPAID, "B": InvoiceStatus.PART_PAID, "C": InvoiceStatus.PAID}
_PRODUCTION = {
    "1": ProductionStatus.PLANNED,
    "2": ProductionStatus.PLANNED,
    "3": ProductionStatus.RELEASED,
    "4": ProductionStatus.RUNNING,
    "5": ProductionStatus.DONE,
    "6": ProductionStatus.DONE,
    "7": ProductionStatus.DONE,
}
_USERS = ("FCreatorId", "FModifierId")
_SAVED_BY = frozenset({*_USERS, "FModifierId.FName"})
PRODUCTION_UNFINISHED = tuple(key for key, status in _PRODUCTION.items() if status is not ProductionStatus.DONE)
PRODUCTION_FINISHED = tuple(key for key, status in _PRODUCTION.items() if status is ProductionStatus.DONE)

DocumentKey = tuple[Form, str]
"""The key of a document: each form has its own keys."""
Lines = Sequence[Row]
"""The lines of one bill; each repeats the header."""


def bills(rows: Iterable[Row], form: Form) -> dict[str, list[Row]]:
    """Return the lines of each document by its key, in order."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(code(row[form.key]), []).append(row)
    return grouped


def order_status(document: str, close: str, cancel: str, delivery: Progress | None) -> OrderStatus:
    if cancel == _VOIDED:
        return OrderStatus.CANCELLED
    if close == _CLOSED:
        return OrderStatus.CLOSED
    if document != AUDITED:
        return OrderStatus.DRAFT
    by_delivery = {Progress.PARTIAL: OrderStatus.PARTLY_DELIVERED, Progress.FULL: OrderStatus.DELIVERED}
    return by_delivery.get(delivery or Progress.NONE, OrderStatus.OPEN)


def invoice_status(document: str, cancel: str, written_off: str) -> InvoiceStatus:
    if cancel == _VOIDED:
        return InvoiceStatus.VOID
    return _WRITTEN_OFF.get(written_off, InvoiceStatus.UNPAID) if document == AUDITED else InvoiceStatus.DRAFT


def review_state(document: str, close: str, cancel: str, *, rejected: bool) -> ReviewState:
    """Return how far a bill is; ``rejected`` says that its workflow ended in a rejection."""
    if cancel == _VOIDED:
        return ReviewState.CANCELLED
    if close == _CLOSED:
        return ReviewState.DONE
    if document == AGAIN:
        # After UnAudit a bill has status D too.
        return ReviewState.REJECTED if rejected else ReviewState.DRAFT
    known = {CHECKING: ReviewState.WAITING, AUDITED: ReviewState.APPROVED}
    return known.get(document, ReviewState.DRAFT)


def shipment_status(document: str, cancel: str) -> DeliveryStatus:
    if cancel == _VOIDED:
        return DeliveryStatus.CANCELLED
    return DeliveryStatus.SHIPPED if document == AUDITED else DeliveryStatus.READY


def production_status(document: str, cancel: str, status: str) -> ProductionStatus:
    if cancel == _VOIDED:
        return ProductionStatus.CANCELLED
    return _PRODUCTION.get(status, ProductionStatus.PLANNED) if document == AUDITED else ProductionStatus.PLANNED


def product(row: Row) -> Product:
    """Return a material; quantities are in its base unit."""
    return Product(
        sku=code(row["FNumber"]),
        name=text(row["FName"]),
        spec=text(row["FSpecification"]),
        unit=text(row["FBaseUnitId.FName"]),
        category=text(row.get("FMaterialGroup.FName")),
        barcode=text(row.get("FBARCODE")),
        is_active=code(row["FForbidStatus"]) != "B",
    )


def reorder_point(rows: Lines) -> Decimal | None:
    """Return the reorder point of a material, else its safety stock.

    None if it is switched off, in another unit than stock, or different between organisations.
    """
    found = {_reorder_point(row) for row in rows}
    return found.pop() if len(found) == 1 else None


def _reorder_point(row: Row) -> Decimal | None:
    store_unit = text(row.get("FStoreUnitID.FName"))
    if store_unit and store_unit != text(row["FBaseUnitId.FName"]):
        return None
    for switch, figure in (("FIsEnableReOrder", "FReOrderGood"), ("FIsEnableSafeStock", "FSafeStock")):
        known = number(row.get(figure))
        if known is not None and (is_true(row[switch]) if switch in row else known > 0):
            return known
    return None


@dataclass(frozen=True, slots=True)
class DocumentMapper:
    """Builds the documents of one source."""

    values: ValueReader
    rejections: Sequence[str]

    def header(self, form: Form, row: Row) -> Header[DocumentKey]:
        """Return what sorting and searching need of a document, from the keys of `Form.head`."""
        texts = tuple(text(row[key]) for key in form.texts)
        day = self.values.day(row[form.day]) if form.day else None
        partner = text(row[form.partner]) if form.partner else ""
        return Header((form, code(row[form.key])), form.number(row), day, texts, partner)

    def order(self, lines: Lines) -> SalesOrder:
        head = lines[0]
        currency = self.values.currency(head, "FSettleCurrId")
        entries = [row for row in lines if code(row["FSaleOrderEntry_FEntryId"]) not in ("", "0")]
        parts = tuple(self._order_line(row, currency) for row in entries)
        delivery = progress((line.delivered, line.quantity) for line in parts)
        return SalesOrder(
            number=code(head["FBillNo"]),
            customer=text(head["FCustId.FName"]),
            status=order_status(*_states(head), delivery),
            delivery=delivery,
            billing=progress((line.invoiced, line.quantity) for line in parts),
            ordered_on=self.values.day(head["FDate"]),
            promised_on=due_day((line.due_on, line.delivered, line.quantity) for line in parts),
            total=self.values.money(head["FBillAllAmount"], currency),
            lines=parts,
            salesperson=text(head.get("FSalerId.FName")),
            extra=unknown_currency(head, "FSettleCurrId", currency),
            **self.values.origin(head),
        )

    def _line(self, row: Row, currency: str, unit: str) -> LineParts:
        return {
            **_goods_of(row, unit),
            "quantity": number(row["FQty"]) or Decimal(0),
            "price": self.values.money(row["FTaxPrice"], currency),
            "amount": self.values.money(row["FAllAmount"], currency),
            "taxed": True,
        }

    def _order_line(self, row: Row, currency: str) -> OrderLine:
        return OrderLine(
            delivered=number(row["FStockOutQty"]),
            invoiced=number(row.get("FInvoiceQty")),
            due_on=self.values.day(row["FDeliveryDate"]),
            **self._line(row, currency, "FUnitID"),
        )

    def invoice(self, lines: Lines, sources: Lines) -> Invoice:
        """Return a receivable from the lines of its payment plan and its details."""
        # The source bill of a receivable may be a delivery instead of an order.
        orders = {code(row.get("FSourceBillNo")) for row in sources if _is_order(row)}
        return Invoice(customer=text(lines[0]["FCUSTOMERID.FName"]), **self._planned(lines, orders))

    def bill(self, lines: Lines, sources: Lines) -> Bill:
        """Return a payable from the lines of its payment plan and its details."""
        orders = {code(row.get("FORDERNUMBER")) for row in sources}
        return Bill(vendor=text(lines[0]["FSUPPLIERID.FName"]), **self._planned(lines, orders))

    def _planned(self, lines: Lines, orders: set[str]) -> InvoiceParts:
        head, named = lines[0], orders - {""}
        currency = self.values.currency(head, "FCURRENCYID")
        total = number(head["FALLAMOUNTFOR"])
        cancel, written_off = code(head.get("FCancelStatus")), code(head["FWRITTENOFFSTATUS"])
        status = invoice_status(code(head["FDOCUMENTSTATUS"]), cancel, written_off)
        plan = [(self.values.day(row.get("FENDDATE")), _rest(row)) for row in lines]
        due = [day for day, amount in plan if day is not None and amount]
        return {
            **self.values.origin(head),
            "number": code(head["FBillNo"]),
            "status": status,
            "issued_on": self.values.day(head["FDATE"]),
            "due_on": min(due, default=self.values.day(head["FENDDATE_H"])),
            "total": self.values.money(total, currency),
            "open_amount": self.values.money(_open(status, total, [amount for _, amount in plan]), currency),
            "is_credit_note": total is not None and total < 0,
            "order_number": named.pop() if len(named) == 1 else "",
            "extra": unknown_currency(head, "FCURRENCYID", currency),
        }

    def shipment(self, lines: Lines) -> GoodsDelivery:
        """Return a delivery note: its goods leave stock when it is audited."""
        head = lines[0]
        status = shipment_status(code(head["FDocumentStatus"]), code(head["FCancelStatus"]))
        day, shipped = self.values.day(head["FDate"]), status is DeliveryStatus.SHIPPED
        return GoodsDelivery(
            number=code(head["FBillNo"]),
            order_number=", ".join(orders_of(SHIPMENTS, lines)),
            customer=text(head["FCustomerID.FName"]),
            status=status,
            planned_on=None if shipped else day,
            shipped_on=day if shipped else None,
            carrier=text(head.get("FCarrierID.FName")),
            tracking=text(head.get("FCarriageNO")),
            lines=tuple(
                DeliveryLine(
                    **_goods_of(row, "FUnitID"),
                    quantity=number(row["FRealQty"]) or Decimal(0),
                )
                for row in lines
                if code(row["FEntity_FEntryId"]) not in ("", "0")
            ),
            salesperson=text(head.get("FSalesManID.FName")),
            warehouse=_place(lines, "FStockID.FName"),
            **self.values.origin(head),
        )

    def receipt(self, form: Form, owners: Mapping[str, Sequence[str]], lines: Lines) -> GoodsReceipt:
        """Return what came in from a vendor or went back to it; ``owners`` are people by their orders' numbers."""
        head, orders, comes_in = lines[0], orders_of(form, lines), form is GOODS_IN
        entry, moved = ("FInStockEntry", "FRealQty") if comes_in else ("FPURMRBENTRY", "FRMREALQTY")
        return GoodsReceipt(
            number=code(head["FBillNo"]),
            order_numbers=orders,
            vendor=text(head["FSupplierId.FName"]),
            received_on=self.values.day(head["FDate"]),
            warehouse=_place(lines, "FStockId.FName"),
            is_return=not comes_in,
            lines=tuple(
                ReceiptLine(
                    **_goods_of(row, "FUnitID"),
                    quantity=(number(row[moved]) or Decimal(0)) * (1 if comes_in else -1),
                    lot=code(row.get("FLot.FNumber")),
                )
                for row in lines
                if code(row[f"{entry}_FEntryId"]) not in ("", "0")
            ),
            owners=tuple(dict.fromkeys(person for order in orders for person in owners.get(order, ()))),
            **self.values.origin(head),
        )

    def purchase_order(self, lines: Lines) -> PurchaseOrder:
        head = lines[0]
        currency = self.values.currency(head, "FSettleCurrId")
        entries = [row for row in lines if code(row["FPOOrderEntry_FEntryId"]) not in ("", "0")]
        parts = tuple(
            PurchaseLine(received=number(row["FStockInQty"]), **self._line(row, currency, "FUnitId")) for row in entries
        )
        due_days = (self.values.day(row["FDeliveryDate"]) for row in entries)
        return PurchaseOrder(
            number=code(head["FBillNo"]),
            vendor=text(head["FSupplierId.FName"]),
            review=self.review(PURCHASES, lines, None),
            buyer=text(head.get("FPurchaserId.FName")),
            ordered_on=self.values.day(head["FDate"]),
            due_on=due_day((day, line.received, line.quantity) for day, line in zip(due_days, parts, strict=True)),
            total=self.values.money(head["FBillAllAmount"], currency),
            received=progress((line.received, line.quantity) for line in parts),
            lines=parts,
            extra=unknown_currency(head, "FSettleCurrId", currency),
            **self.values.origin(head),
        )

    def reviewed(self, form: Form, document: Any, lines: Lines, run: WorkflowRun[KingdeeTask] | None) -> Any:
        """Return a document with its review; a decision of its workflow changes it, too."""
        last = run.last if run else None
        times = (document.changed_at, last.done_at if last else None)
        changed_at = max(filter(None, times), default=None)
        return replace(document, review=self.review(form, lines, run), changed_at=changed_at)

    def review(self, form: Form, lines: Lines, run: WorkflowRun[KingdeeTask] | None) -> Review:
        """Return how far a bill is; ``run`` is its workflow's, None if it has none or the account may not read it."""
        head = lines[0]
        rejected = run is not None and was_rejected(run, self.rejections)
        close = code(head["FCloseStatus"]) if form is PURCHASES else ""
        state = review_state(code(head[form.status]), close, code(head.get("FCancelStatus")), rejected=rejected)
        approval = self._approval(state, head, run)
        return Review(
            state=state,
            version=_version(lines, approval),
            approval=approval,
            requester=user(head, "FCreatorId"),
            changed_by=user(head, "FModifierId"),
            people={known: text(head.get(f"{key}.FName")) for key in _USERS if (known := user(head, key))},
        )

    def _approval(self, state: ReviewState, head: Row, run: WorkflowRun[KingdeeTask] | None) -> Approval | None:
        if state in (ReviewState.DRAFT, ReviewState.CANCELLED):
            return None
        if run is not None:
            return run.approval()
        # Audited by hand or with the bot's own account, so not a decision from the chat.
        return Approval(decided_at=self.values.time(head.get("FApproveDate")))

    def production_order(self, row: Row) -> ProductionOrder:
        """Return a production order from one line of a bill."""
        origin = self.values.origin(row)
        origin["id"] += f"-{code(row['FTreeEntity_FEntryId'])}"
        status = production_status(code(row["FDocumentStatus"]), code(row.get("FCancelStatus")), code(row["FStatus"]))
        return ProductionOrder(
            number=PRODUCTION.number(row),
            **_goods_of(row, "FUnitId"),
            planned=number(row["FQty"]) or Decimal(0),
            produced=number(row.get("FStockInQuaQty")),
            scrapped=number(row.get("FScrapQty")),
            status=status,
            start_on=self.values.day(row["FPlanStartDate"]),
            due_on=self.values.day(row["FPlanFinishDate"]),
            finished_on=self.values.day(row.get(FINISHED)) if status is ProductionStatus.DONE else None,
            sales_order=code(row.get("FSaleOrderNo")),
            **origin,
        )


def _goods_of(row: Row, unit: str) -> GoodsParts:
    return {
        "sku": code(row["FMaterialId.FNumber"]),
        "name": text(row["FMaterialId.FName"]),
        "unit": text(row[f"{unit}.FName"]),
    }


def orders_of(form: Form, lines: Lines) -> tuple[str, ...]:
    """Return the numbers of the orders that the goods of a bill are of."""
    return tuple(dict.fromkeys(filter(None, (code(row[ORDER_OF_GOODS[form]]) for row in lines))))


def owners_of(order: Row) -> tuple[str, ...]:
    """Return the buyer and the requester of a purchase order."""
    return tuple(filter(None, (text(order.get("FPurchaserId.FName")), user(order, "FCreatorId"))))


def _place(lines: Lines, key: str) -> str:
    """Return the warehouse of all lines; empty where they have several."""
    places = {text(row.get(key)) for row in lines}
    return places.pop() if len(places) == 1 else ""


def _states(head: Row) -> tuple[str, str, str]:
    return code(head["FDocumentStatus"]), code(head["FCloseStatus"]), code(head["FCancelStatus"])


def _is_order(row: Row) -> bool:
    return code(row.get("FSourceType")).upper() in ("", "SAL_SALEORDER")


def _rest(row: Row) -> Decimal | None:
    """Return the open amount of a line of a payment plan."""
    open_amount = number(row.get("FNOTVERIFICATEAMOUNT"))
    payable, done = number(row.get("FPAYAMOUNTFOR")), number(row.get("FWRITTENOFFAMOUNT"))
    return payable - done if open_amount is None and payable is not None and done is not None else open_amount


def _open(status: InvoiceStatus, total: Decimal | None, open_amounts: Sequence[Decimal | None]) -> Decimal | None:
    """Return the open amount; without amounts in the plan, only fully paid or unpaid is known."""
    if status in (InvoiceStatus.VOID, InvoiceStatus.PAID):
        return Decimal(0)
    known = [amount for amount in open_amounts if amount is not None]
    if len(known) == len(open_amounts):
        return sum(known, Decimal(0))
    return None if status is InvoiceStatus.PART_PAID else total


def unknown_currency(head: Row, key: str, currency: str) -> Mapping[str, str]:
    """Return what an installation calls a currency whose ISO code is unknown."""
    return {} if currency else {"currency": code(head.get(f"{key}.FName")) or code(head.get(f"{key}.FCode"))}


def _version(lines: Lines, approval: Approval | None) -> str:
    """Return a version that changes with every edit: the ERP has none, and its time of change is too coarse.

    The last writer is not part of it: the same content is the same version.
    """
    level = (approval.level, approval.decided_by, str(approval.decided_at)) if approval else ()
    content = [sorted((key, str(value)) for key, value in line.items() if key not in _SAVED_BY) for line in lines]
    return fingerprint(content, level)
