"""Customer invoices past their due date, until they are settled."""

from __future__ import annotations

from datetime import date

from bot.alerts.event import EventType
from bot.alerts.intake.areas.area import (
    ListedArea,
    comparable_fields,
    day_after,
    format_amount,
    money,
    without_blanks,
)
from bot.alerts.intake.poll_state import NORMAL, PolledRecord
from bot.erp.model import Area, Invoice, InvoiceStatus
from bot.erp.port import Capability, Filter

OVERDUE = "overdue"


def judge(invoice: Invoice, today: date) -> PolledRecord:
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
    return PolledRecord(
        code=invoice.number,
        state=OVERDUE,
        type=EventType.INVOICE_OVERDUE,
        data=about | money(invoice.open_amount),
        said=comparable_fields(
            amount=format_amount(invoice.open_amount), due_on=invoice.due_on.isoformat() if invoice.due_on else ""
        ),
        since=day_after(invoice.due_on),
        changed_at=invoice.changed_at,
    )


def gone(number: str) -> PolledRecord:
    """Return that nobody owes an invoice that is no more."""
    data = {"number": number, "resolved": True}
    return PolledRecord(code=number, state=NORMAL, type=EventType.INVOICE_OVERDUE, data=data)


def _over(invoice: Invoice, kind: EventType, data: dict[str, object]) -> PolledRecord:
    return PolledRecord(code=invoice.number, state=NORMAL, type=kind, data=data, changed_at=invoice.changed_at)


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
