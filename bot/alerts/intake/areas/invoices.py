"""Customer invoices past their due date, until they are settled."""

from __future__ import annotations

from datetime import date

from bot.alerts.event import EventType
from bot.alerts.intake.areas.area import ListedArea, day_after, money, said, said_amount, without_blanks
from bot.alerts.intake.polled import OVER, Finding
from bot.erp.model import Area, Invoice, InvoiceStatus
from bot.erp.port import Capability, Filter

OVERDUE = "overdue"


def judge(invoice: Invoice, today: date) -> Finding:
    """Return what an invoice means today."""
    about = without_blanks(
        number=invoice.number,
        customer=invoice.customer,
        due_on=invoice.due_on,
        order_number=invoice.order_number,
        status=invoice.status.value,
        link=invoice.url,
    )
    if invoice.status is InvoiceStatus.PAID:
        data = about | money(invoice.total)
        return _over(invoice, EventType.INVOICE_PAID, data)
    if not invoice.days_overdue(today):
        return _over(invoice, EventType.INVOICE_OVERDUE, about | money(invoice.open_amount) | {"resolved": True})
    return Finding(
        code=invoice.number,
        state=OVERDUE,
        type=EventType.INVOICE_OVERDUE,
        data=about | money(invoice.open_amount),
        said=said(amount=said_amount(invoice.open_amount), due_on=invoice.due_on.isoformat() if invoice.due_on else ""),
        since=day_after(invoice.due_on),
        changed_at=invoice.changed_at,
    )


def gone(number: str) -> Finding:
    """Return that nobody owes an invoice that is no more."""
    data = {"number": number, "resolved": True}
    return Finding(code=number, state=OVER, type=EventType.INVOICE_OVERDUE, data=data)


def _over(invoice: Invoice, kind: EventType, data: dict[str, object]) -> Finding:
    return Finding(code=invoice.number, state=OVER, type=kind, data=data, changed_at=invoice.changed_at)


INVOICES: ListedArea[Invoice] = ListedArea(
    name="invoices",
    feed=Area.FINANCE,
    needs=Capability.INVOICES,
    listed=Filter.OVERDUE,
    one=lambda erp, number: erp.invoice(number),
    many=lambda erp, query: erp.invoices(query),
    judge=judge,
    gone=gone,
)
