"""Customer invoices past their due date, until they are settled."""

from __future__ import annotations

from datetime import date

from bot.alerts.event import EventType
from bot.alerts.intake.areas.area import ListedArea, format_amount, late_record, money, without_blanks
from bot.alerts.intake.poll_state import NORMAL, PolledRecord
from bot.erp import kinds
from bot.erp.model import Invoice, InvoiceStatus
from bot.erp.port import Filter

OVERDUE = "overdue"


def judge(invoice: Invoice, today: date) -> PolledRecord:
    """Return the meaning of an invoice today."""
    data = without_blanks(
        number=invoice.number,
        customer=invoice.customer,
        due_on=invoice.due_on,
        order_number=invoice.order_number,
        status=invoice.status.value,
        link=invoice.url,
    )
    if invoice.status is InvoiceStatus.PAID:
        return PolledRecord(
            code=invoice.number,
            state=NORMAL,
            type=EventType.INVOICE_PAID,
            data=data | money(invoice.total),
            changed_at=invoice.changed_at,
        )
    return late_record(
        EventType.INVOICE_OVERDUE,
        invoice,
        data | money(invoice.open_amount),
        today,
        state=OVERDUE,
        compared={"amount": format_amount(invoice.open_amount)},
    )


INVOICES: ListedArea[Invoice] = ListedArea(
    name="invoices",
    kind=kinds.INVOICES,
    listed=Filter.OVERDUE,
    judge=judge,
    gone_type=EventType.INVOICE_OVERDUE,
)
