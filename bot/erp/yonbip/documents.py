"""Maps records of the platform to the bot's: states, quantities, amounts.

Docs: platform/erp/records.md#states
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bot.erp.keys import fingerprint
from bot.erp.model import (
    Approval,
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
    Review,
    ReviewState,
    SalesOrder,
)
from bot.erp.record_parts import InvoiceParts
from bot.erp.values import code, due_day, is_true, number, progress, text
from bot.erp.yonbip.decisions import Run
from bot.erp.yonbip.mapping import Row, ValueReader

Balances = Mapping[str, Decimal | None]
"""What is open of receivables or payables by their ids; a bill without accounting is not among them."""

_ORDERS = {
    "CONFIRMORDER": OrderStatus.DRAFT,
    "APPROVING": OrderStatus.DRAFT,
    "DELIVERGOODS": OrderStatus.OPEN,
    "DELIVERY_PART": OrderStatus.PARTLY_DELIVERED,
    "DELIVERY_TAKE_PART": OrderStatus.PARTLY_DELIVERED,
    "TAKEDELIVERY": OrderStatus.DELIVERED,
    "ENDORDER": OrderStatus.DELIVERED,
    "CLOSEDORDER": OrderStatus.CLOSED,
    "OPPOSE": OrderStatus.CANCELLED,
}
OWED_GOODS = ("DELIVERGOODS", "DELIVERY_PART", "DELIVERY_TAKE_PART")
_DELIVERY = {
    OrderStatus.DRAFT: Progress.NONE,
    OrderStatus.OPEN: Progress.NONE,
    OrderStatus.PARTLY_DELIVERED: Progress.PARTIAL,
    OrderStatus.DELIVERED: Progress.FULL,
}
_ENTIRE = {"0": Progress.NONE, "1": Progress.PARTIAL, "2": Progress.FULL}
"""How much of a sales order was shipped or invoiced."""
_PAID = {
    "NOTPAYMENT": Progress.NONE,
    "PARTPAYMENT": Progress.PARTIAL,
    "CONFIRMPAYMENT": Progress.PARTIAL,
    # Reported as paid, but not yet booked on the account.
    "CONFIRMPAYMENT_ALL": Progress.NONE,
    "FINISHPAYMENT": Progress.FULL,
}
APPROVED, CLOSED, APPROVING = "1", "2", "3"
_TERMINATED, _SENT_BACK, _REJECTED = "3", "4", "-1"
_ARRIVED = {"1": Progress.FULL, "2": Progress.NONE, "3": Progress.PARTIAL, "4": Progress.FULL}
_SETTLED = {"0": InvoiceStatus.UNPAID, "1": InvoiceStatus.PAID, "2": InvoiceStatus.PART_PAID}
_PRODUCTION = {
    "0": ProductionStatus.PLANNED,
    "1": ProductionStatus.RELEASED,
    "2": ProductionStatus.DONE,
    "3": ProductionStatus.PLANNED,
    "4": ProductionStatus.CANCELLED,
    "5": ProductionStatus.RUNNING,
    "6": ProductionStatus.DONE,
}
PRODUCTION_UNFINISHED = ("0", "1", "3", "5")
PRODUCTION_UNDER_WAY = ("1", "5")
PRODUCTION_FINISHED = ("2", "6")
_MATERIAL_OUT = frozenset({"2", "3", "4"})
"""All issued, nothing required, or more than all issued."""
_FIRST_LINES = ("", "0", "1", "10")


def order_status(next_status: str, status: str) -> OrderStatus:
    """Return a sales order's state: from its next step or, if that is unknown, from the document's state."""
    by_document = {APPROVED: OrderStatus.OPEN, CLOSED: OrderStatus.CLOSED}
    return _ORDERS.get(next_status) or by_document.get(status, OrderStatus.DRAFT)


def purchase_status(status: str, verify_state: str) -> ReviewState:
    """Return a purchase order's state.

    The vendor's documents differ on the rejected state: −1, 4 (sent back to the requester) and 3 (ended).
    """
    if status == CLOSED:
        return ReviewState.DONE
    if status == APPROVED:
        return ReviewState.APPROVED
    if verify_state in (_REJECTED, _SENT_BACK, _TERMINATED):
        return ReviewState.REJECTED
    if status == APPROVING or verify_state == "1":
        return ReviewState.WAITING
    return ReviewState.DRAFT


def invoice_status(verify_state: str, written_off: str) -> InvoiceStatus:
    """Return the state that a bill itself tells: whether it was taken back, not whether it was paid."""
    if verify_state in ("3", "4"):
        return InvoiceStatus.VOID
    return _SETTLED.get(written_off, InvoiceStatus.UNPAID) if verify_state == "2" else InvoiceStatus.DRAFT


def _settlement(
    told: InvoiceStatus, total: Decimal | None, bill: str, balances: Balances | None
) -> tuple[InvoiceStatus, Decimal | None]:
    """Return the state of a receivable or payable and what is open of it, which only its accounting tells."""
    if told in (InvoiceStatus.PAID, InvoiceStatus.VOID):
        return told, Decimal(0)
    if told is InvoiceStatus.DRAFT:
        return told, total
    if balances is None or total is None:
        return told, None
    if bill not in balances:
        # Nothing can be settled before there is accounting.
        return told, total if told is InvoiceStatus.UNPAID else None
    balance = balances[bill]
    if balance is None:
        return told, None
    owed = abs(balance).copy_sign(total)
    if not owed:
        return InvoiceStatus.PAID, Decimal(0)
    return InvoiceStatus.UNPAID if owed == total else InvoiceStatus.PART_PAID, owed


def production_status(status: str) -> ProductionStatus:
    return _PRODUCTION.get(status, ProductionStatus.PLANNED)


def production_number(row: Row) -> str:
    """Return the number of a production order's line: its bill's, followed by the line's from the second on."""
    bill, line = code(row.get("code")), code(row.get("OrderProduct_lineNo"))
    return bill if line in _FIRST_LINES else f"{bill}#{line}"


def received_whole(row: Row) -> bool:
    """Return whether a purchase order's line in a list awaits no more goods."""
    return _ARRIVED.get(code(row.get("purchaseOrders_inWHStatus"))) is Progress.FULL


def settled(row: Row) -> bool:
    """Return whether a receivable has nothing open, or is a credit note."""
    return code(row.get("writeOffState")) == "1" or code(row.get("direction")) == "-1"


def product(row: Row) -> Product:
    """Return a material; quantities are in its main unit."""
    return Product(
        sku=code(row["code"]),
        name=text(row.get("name")),
        spec=text(row.get("modelDescription") or row.get("model")),
        unit=text(row.get("unitName") or row.get("unit_Name")),
        category=text(row.get("manageClassName") or row.get("manageClass_Name")),
        barcode=code(row.get("barCode")),
    )


@dataclass(frozen=True, slots=True)
class DocumentMapper:
    """Builds the documents of one source; a missing key raises `KeyError`, a wrong value `ValueError`."""

    values: ValueReader

    def order(self, row: Row) -> SalesOrder:
        """Return a sales order from a detail or from a header in a list."""
        prices = row.get("orderPrices") or {}
        # Details have the currency's code, lists only its name.
        currency = self.values.currency(prices.get("originalCode"), prices.get("originalName"))
        status = order_status(code(row.get("nextStatus")), code(row.get("status")))
        return SalesOrder(
            number=code(row["code"]),
            customer=text(row.get("agentId_name")),
            status=status,
            delivery=_ENTIRE.get(code(row.get("entireIssueStatus")), _DELIVERY.get(status)),
            billing=_ENTIRE.get(code(row.get("entireInvoiceStatus"))),
            payment=_PAID.get(code(row.get("payStatusCode"))),
            ordered_on=self.values.day(row.get("vouchdate")),
            promised_on=self.values.day(row.get("hopeReceiveDate")),
            total=self.values.money(row.get("payMoney"), currency),
            lines=tuple(self._order_line(line, currency) for line in row.get("orderDetails") or ()),
            salesperson=text(row.get("corpContactUserName")),
            **self.values.origin(row),
        )

    def _order_line(self, line: Row, currency: str) -> OrderLine:
        return OrderLine(
            sku=code(line.get("productCode")),
            name=text(line.get("productName")),
            unit=text(line.get("qtyName") or line.get("productUnitName")),
            quantity=number(line["qty"]) or Decimal(0),
            delivered=number(line.get("totalOutStockQuantity")),
            invoiced=number(line.get("invoiceQty")),
            price=self.values.money(line.get("oriTaxUnitPrice"), currency),
            amount=self.values.money(line.get("oriSum"), currency),
            taxed=True,
            due_on=self.values.day(line.get("hopeReceiveDate")),
        )

    def invoice(self, row: Row, balances: Balances | None) -> Invoice:
        """Return a receivable from its detail."""
        return Invoice(customer=text(row.get("customerName")), **self._invoice_parts(row, balances))

    def bill(self, row: Row, balances: Balances | None) -> Bill:
        """Return a payable from its detail."""
        reference = code(row.get("invoiceNo"))
        return Bill(vendor=text(row.get("supplierName")), reference=reference, **self._invoice_parts(row, balances))

    def _invoice_parts(self, row: Row, balances: Balances | None) -> InvoiceParts:
        """Return what receivables and payables have in common. They are due with their first instalment."""
        currency = self.values.currency(row.get("oriCurrencyCode"), row.get("oriCurrencyName"))
        total = number(row.get("oriTaxIncludedAmount"))
        credit = code(row.get("direction")) == "-1"
        if credit and total is not None:
            # Red bills have their amounts with or without the sign.
            total = -abs(total)
        told = invoice_status(code(row.get("verifyState")), code(row.get("writeOffState")))
        status, owed = _settlement(told, total, code(row["id"]), balances)
        items = row.get("bodyItem") or ()
        due = [self.values.day(part.get("expireDate")) for item in items for part in item.get("grandsonItem") or ()]
        return {
            # The key “creator” of these bills holds an id.
            **self.values.origin(row, "creatorUserName"),
            "number": code(row["code"]),
            "status": status,
            "issued_on": self.values.day(row.get("billDate")),
            "due_on": min((day for day in due if day is not None), default=None),
            "total": self.values.money(total, currency),
            "open_amount": self.values.money(owed, currency),
            "is_credit_note": credit,
            "order_number": next((order for item in (row, *items) if (order := code(item.get("orderNo")))), ""),
            "extra": {},
        }

    def purchase_order(self, row: Row, run: Run | None) -> PurchaseOrder:
        """Return a purchase order from its detail; ``run`` is None if there is no workflow that can be read."""
        currency = self.values.currency(row.get("currency_code"), row.get("currency_name"))
        entries: Sequence[Row] = row.get("purchaseOrders") or ()
        lines = tuple(self._purchase_line(line, currency) for line in entries)
        due_days = (self.values.day(line.get("recieveDate")) for line in entries)
        due = due_day((day, line.received, line.quantity) for day, line in zip(due_days, lines, strict=True))
        status = purchase_status(code(row.get("status")), code(row.get("verifystate")))
        approval = self._approval(status, row, run)
        total = self.values.money(row.get("oriSum"), currency)
        return PurchaseOrder(
            number=code(row["code"]),
            vendor=text(row.get("vendor_name")),
            review=Review(
                state=status,
                version=_version(row, total, lines, approval),
                approval=approval,
                requester=run.requester if run else "",
                people={task.person: task.name for task in run.waiting if task.name} if run else {},
            ),
            buyer=text(row.get("operator_name")),
            ordered_on=self.values.day(row.get("vouchdate")),
            due_on=due or self.values.day(row.get("expectDate")),
            total=total,
            received=progress((line.received, line.quantity) for line in lines),
            lines=lines,
            **self.values.origin(row),
            extra={} if is_true(row.get("isWfControlled")) else {"workflow": "none"},
        )

    def _approval(self, status: ReviewState, row: Row, run: Run | None) -> Approval | None:
        if status is ReviewState.DRAFT:
            return None
        if run is not None:
            return (run if status is ReviewState.WAITING else replace(run, waiting=())).approval()
        auditor, at = code(row.get("auditorId")), self.values.time(row.get("auditTime"))
        if status is not ReviewState.WAITING and not auditor and at is None:
            return None
        return Approval(decided_by=auditor, decided_at=at)

    def _purchase_line(self, line: Row, currency: str) -> PurchaseLine:
        return PurchaseLine(
            sku=code(line.get("product_cCode")),
            name=text(line.get("product_cName")),
            unit=text(line.get("unit_name")),
            quantity=number(line["qty"]) or Decimal(0),
            received=number(line.get("totalInQty")),
            price=self.values.money(line.get("oriTaxUnitPrice"), currency),
            amount=self.values.money(line.get("oriSum"), currency),
            taxed=True,
        )

    def production_order(self, row: Row) -> ProductionOrder:
        """Return a production order from its line in a list."""
        quantities = [number(row.get(f"OrderProduct_{key}")) for key in ("completedQuantity", "incomingQuantity")]
        issued = code(row.get("OrderProduct_materialStatus")) in _MATERIAL_OUT
        return ProductionOrder(
            number=production_number(row),
            sku=code(row.get("OrderProduct_materialCode")),
            name=text(row.get("OrderProduct_materialName")),
            unit=text(row.get("OrderProduct_mainUnitName")),
            planned=number(row["OrderProduct_quantity"]) or Decimal(0),
            # Where completion is not reported, receipts into stock show it.
            produced=max((known for known in quantities if known is not None), default=None),
            status=production_status(code(row.get("status"))),
            start_on=self.values.day(row.get("OrderProduct_startDate")),
            due_on=self.values.day(row.get("OrderProduct_finishDate")),
            # Material that was not issued may or may not be available.
            material_ready=True if issued else None,
            **self.values.origin({**row, "id": row.get("orderProduct_id") or row["id"]}),
        )


def _version(row: Row, total: Money | None, lines: Sequence[PurchaseLine], approval: Approval | None) -> str:
    """Return a version that changes with every edit; the time of change alone only has whole seconds."""
    seen: list[Any] = [row.get("pubts"), row.get("status"), row.get("verifystate"), total, *lines]
    if approval is not None:
        seen += [approval.task_id, approval.pending_for, approval.decided_by, approval.decided_at]
    return fingerprint(*map(str, seen))
