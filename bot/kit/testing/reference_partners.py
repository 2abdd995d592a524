"""The reference company's customers and vendors, what vendors billed, and what was paid: as awkward as the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle

from bot.erp.model import (
    Bill,
    Customer,
    InvoiceStatus,
    Money,
    PartnerKind,
    Payment,
    PaymentDirection,
    PaymentStatus,
    Supplier,
)
from bot.kit.testing.reference_records import (
    CURRENCIES,
    HUGE,
    OPEN_SHARE,
    PARTNERS,
    TINY,
    USERS,
    Numbering,
    change_times,
    document_day,
    invoices,
    purchase_orders,
)

_TERMS = ("30 days net", "月结60天 *A|B*", "", 'at "sight" <now>')
_METHODS = ("Bank", "银行转账 *主*", "Cash & <box>")
_BEYOND = ("Acme Ltd. East", "Nobody *ever* bought here")
"""Partners without any document; the name of one holds another's."""


def customers(today: date) -> Iterator[Customer]:
    """Yield 10 customers, two of them without documents; the last is disabled."""
    times = change_times(today - timedelta(days=15))
    for n, name in enumerate((*PARTNERS, *_BEYOND)):
        currency = CURRENCIES[n % 4]
        yield Customer(
            id=str(9001 + n),
            code=f"C-{101 + n}" if n else "ACME/1 *x*",
            name=name,
            contact="" if n % 3 else f"Contact <{n}> 联系人",
            phone="" if n == 3 else f"+86 571 5550 {n:04}",
            email="" if n == 4 else f"o'neil+{n}@example.com",
            address="" if n % 2 else f"{n} Long Road, 杭州市*西湖*区",
            salesperson=USERS[n % 5].name,
            payment_terms=_TERMS[n % 4],
            credit_limit=None if n % 3 == 2 else Money(HUGE if n == 1 else Decimal(10_000 * (n + 1)), currency),
            receivable=Money(Decimal("0.125") * n, currency),
            is_active=n < 9,
            changed_at=next(times),
        )


def vendors(today: date) -> Iterator[Supplier]:
    """Yield 10 vendors, two of them without documents; the last is disabled."""
    times = change_times(today - timedelta(days=14))
    for n, name in enumerate((*PARTNERS, *_BEYOND)):
        yield Supplier(
            id=str(9101 + n),
            code=f"V-{201 + n}" if n else "ACME/2 *x*",
            name=name,
            contact=f"Contact <{n}> 联系人" if n % 3 else "",
            phone=f"+86 21 5551 {n:04}" if n != 3 else "",
            email=f"sales+{n}@example.com" if n != 4 else "",
            address=f"{n} Short Road, 上海*浦东*" if n % 2 else "",
            buyer=USERS[n % 5].name,
            payment_terms=_TERMS[(n + 1) % 4],
            payable=Money(Decimal("0.5") * n, CURRENCIES[n % 4]),
            is_active=n < 9,
            changed_at=next(times),
        )


def bills(today: date, number: Numbering) -> Iterator[Bill]:
    """Yield 24 bills of every state, two of them credit notes with negative amounts; the first is overdue."""
    states, times = cycle(InvoiceStatus), change_times(today - timedelta(days=5))
    for n, order in enumerate(purchase_orders(today, number)):
        status = InvoiceStatus.PART_PAID if n == 0 else next(states)
        credit = n in (12, 17)
        total = Decimal(-1 if credit else 1) * (HUGE if n == 1 else TINY * 2 if n == 2 else Decimal("90.75") * (n + 1))
        currency = CURRENCIES[n % 4]
        issued_on = document_day(today, n)
        yield Bill(
            id=str(9201 + n),
            number=number("BILL", 3 if n == 0 else 1001 + n),
            vendor=order.vendor,
            status=InvoiceStatus.UNPAID if credit else status,
            issued_on=issued_on,
            due_on=today - timedelta(days=11) if n == 0 else None if n == 22 else issued_on + timedelta(days=15 + n),
            total=Money(total, currency),
            open_amount=Money(total if credit else total * OPEN_SHARE[status], currency),
            is_credit_note=credit,
            order_number=order.number if n % 4 else "",
            reference=f"票/{n}*{n}" if n % 3 else "",
            changed_at=next(times),
        )


def payments(today: date, number: Numbering) -> Iterator[Payment]:
    """Yield 24 payments of every state in both directions, to and from both kinds of partners."""
    states, times = cycle(PaymentStatus), change_times(today - timedelta(days=4))
    for n, (invoice, bill) in enumerate(zip(list(invoices(today, number))[:24], bills(today, number), strict=True)):
        vendor = n % 2 == 1
        refund = n in (10, 11)
        received = vendor if refund else not vendor
        document = bill if vendor else invoice
        yield Payment(
            id=str(9301 + n),
            number=number("PAY", 1001 + n),
            partner=bill.vendor if vendor else invoice.customer,
            partner_kind=PartnerKind.VENDOR if vendor else PartnerKind.CUSTOMER,
            direction=PaymentDirection.RECEIVED if received else PaymentDirection.SPENT,
            status=next(states),
            paid_on=document_day(today, n),
            amount=Money(HUGE if n == 1 else TINY if n == 2 else Decimal("10.25") * (n + 1), CURRENCIES[n % 4]),
            method=_METHODS[n % 3],
            settles=(document.number,) if n % 4 else (),
            changed_at=next(times),
        )
