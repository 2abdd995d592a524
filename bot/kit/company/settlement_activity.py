"""Money: bills are paid, and received goods are billed by their vendor."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Table, select, update

from bot.erp.model import Bill, Feed, InvoiceStatus, Money, PartnerKind, Payment, PaymentDirection, PaymentStatus
from bot.kit.company import tables as t
from bot.kit.company.activity_step import ActivityStep
from bot.kit.company.company import DemoCompany
from bot.kit.company.seeding import insert_company
from bot.kit.company.settlement import METHOD_ABROAD, METHODS, TERM_DAYS
from bot.kit.company.tables import fold

_BILL, _PAYMENT, _VENDOR = t.table(t.BillRow), t.table(t.PaymentRow), t.table(t.VendorRow)
_UNPAID = (InvoiceStatus.UNPAID, InvoiceStatus.PART_PAID)
_REFERENCE = 10_000_000
"""The first number of vendors' own papers."""


def settle_document(step: ActivityStep, table: Table, document: Row[Any]) -> None:
    """Pay the open amount of an invoice or bill, and record the receipt or payment."""
    sold = table.name == "demo_invoice"
    number = step.next_number(_PAYMENT, "PAY", 1)
    payment = Payment(
        id=number,
        number=number,
        partner=document.customer if sold else document.vendor,
        partner_kind=PartnerKind.CUSTOMER if sold else PartnerKind.VENDOR,
        direction=PaymentDirection.RECEIVED if sold else PaymentDirection.SPENT,
        status=PaymentStatus.BOOKED,
        paid_on=step.today,
        amount=Money(document.open_amount, document.currency),
        method=METHODS[0] if document.currency == "CNY" else METHOD_ABROAD,
        settles=(document.number,),
        changed_at=step.now,
    )
    insert_company(step.connection, DemoCompany(payments=(payment,)))
    step.record_change(Feed.PAYMENTS, number)
    paid = {"status": InvoiceStatus.PAID, "open_amount": Decimal(0), "changed_at": step.now}
    step.connection.execute(update(table).where(table.c.number_key == document.number_key).values(paid))
    if not sold:
        step.record_change(Feed.BILLS, document.number)


def pay_bill(step: ActivityStep) -> None:
    """Pay the bill that is due first, once it is due."""
    due = select(_BILL).where(_BILL.c.status.in_(_UNPAID), _BILL.c.due_on <= step.today)
    bill = step.connection.execute(due.order_by(_BILL.c.due_on, _BILL.c.number_key).limit(1)).first()
    if bill is not None:
        settle_document(step, _BILL, bill)


def bill_arrival(step: ActivityStep, order: Row[Any], worth: Decimal) -> None:
    """Let the vendor bill received goods."""
    number = step.next_number(_BILL, "BILL", 1)
    terms = step.connection.scalar(select(_VENDOR.c.payment_terms).where(_VENDOR.c.name_key == fold(order.vendor)))
    amount = Money(worth.quantize(Decimal("0.01")), order.currency)
    bill = Bill(
        id=number,
        number=number,
        vendor=order.vendor,
        status=InvoiceStatus.UNPAID,
        issued_on=step.today,
        due_on=step.today + timedelta(days=TERM_DAYS.get(terms or "", 30)),
        total=amount,
        open_amount=amount,
        order_number=order.number,
        reference=str(_REFERENCE + int(number.rpartition("-")[2])),
        changed_at=step.now,
    )
    insert_company(step.connection, DemoCompany(bills=(bill,)))
    step.record_change(Feed.BILLS, number)
