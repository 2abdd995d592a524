"""The demo company's customers and vendors, the vendors' bills, and payments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from bot.erp.model import (
    Bill,
    Customer,
    Invoice,
    InvoiceStatus,
    Money,
    PartnerKind,
    Payment,
    PaymentDirection,
    PaymentStatus,
    PurchaseOrder,
    Supplier,
)
from bot.kit.company.owners import salesperson_of
from bot.kit.company.sales import CUSTOMERS, RATES, moment
from bot.kit.company.supply import BUYERS, VENDORS

TERMS = ("月结30天", "月结60天", "货到付款")
TERM_DAYS = {"月结30天": 30, "月结60天": 60, "货到付款": 0}
TERMS_ABROAD = "45 days net"
METHODS = ("银行转账", "银行转账", "银行承兑汇票", "支付宝")
METHOD_ABROAD = "Wire transfer"
_SURNAMES = ("王", "张", "陈", "刘", "杨", "黄", "周", "吴", "徐", "孙", "马")
_LIMITS = (50_000, 100_000, 200_000, 500_000)
_PAID = frozenset({InvoiceStatus.PAID, InvoiceStatus.PART_PAID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Partners and their accounts with the company, each kind in order of number."""

    customers: tuple[Customer, ...]
    vendors: tuple[Supplier, ...]
    bills: tuple[Bill, ...]
    payments: tuple[Payment, ...]


def settle(rng: Random, today: date, invoices: Sequence[Invoice], purchases: Sequence[PurchaseOrder]) -> Settlement:
    """Return the company's partners, bills for received goods, and the payments of settled documents."""
    vendors = tuple(_vendor(rng, today, place, name) for place, name in enumerate(VENDORS, 1))
    terms = {vendor.name: vendor.payment_terms for vendor in vendors}
    bills = _bills(rng, today, purchases, terms)
    receipts = [_receipt(rng, today, invoice) for invoice in invoices if invoice.status in _PAID]
    spent = [_spending(rng, today, bill) for bill in bills if bill.status in _PAID]
    return Settlement(
        customers=tuple(_customer(rng, today, place, *known) for place, known in enumerate(CUSTOMERS, 1)),
        vendors=vendors,
        bills=bills,
        payments=tuple(_numbered((*receipts, *spent))),
    )


def _customer(rng: Random, today: date, place: int, name: str, currency: str) -> Customer:
    abroad = currency != "CNY"
    limit = Decimal(rng.choice(_LIMITS)) / RATES[currency]
    return Customer(
        id=f"C{place:03}",
        code=f"C{place:03}",
        name=name,
        contact="Alex Morgan" if abroad else f"{rng.choice(_SURNAMES)}经理",
        phone=f"+1 555 01{place:02}" if abroad else f"0571-5550{place:04}",
        email=f"orders{place}@example.com",
        address="",
        salesperson=salesperson_of(place, currency),
        payment_terms=TERMS_ABROAD if abroad else TERMS[0],
        credit_limit=None if place % 5 == 4 else Money(limit.quantize(Decimal(1)), currency),
        changed_at=moment(today - timedelta(days=rng.randrange(60, 400)), rng),
    )


def _vendor(rng: Random, today: date, place: int, name: str) -> Supplier:
    return Supplier(
        id=f"V{place:03}",
        code=f"V{place:03}",
        name=name,
        contact=f"{rng.choice(_SURNAMES)}先生",
        phone=f"021-5551{place:04}",
        email=f"sales{place}@example.com",
        address="",
        buyer=BUYERS[place % len(BUYERS)],
        payment_terms=TERMS[place % len(TERMS)],
        changed_at=moment(today - timedelta(days=rng.randrange(60, 400)), rng),
    )


def _bills(rng: Random, today: date, purchases: Sequence[PurchaseOrder], terms: dict[str, str]) -> tuple[Bill, ...]:
    """Return a bill for each at least partly received order, oldest first."""
    found = [
        _bill(rng, today, order, terms[order.vendor])
        for order in purchases
        if any(line.received for line in order.lines)
    ]
    found.sort(key=lambda bill: bill.issued_on or date.min)
    return tuple(replace(bill, id=f"BILL-{n}", number=f"BILL-{n}") for n, bill in enumerate(found, 1))


def _bill(rng: Random, today: date, order: PurchaseOrder, terms: str) -> Bill:
    assert order.ordered_on is not None
    issued_on = min(order.ordered_on + timedelta(days=rng.randrange(3, 12)), today - timedelta(days=1))
    due_on = issued_on + timedelta(days=TERM_DAYS[terms])
    total = received_value(order)
    status = _bill_status(rng, today, due_on)
    return Bill(
        id="",
        number="",
        vendor=order.vendor,
        status=status,
        issued_on=issued_on,
        due_on=due_on,
        total=Money(total, "CNY"),
        open_amount=Money(_still_open(total, status), "CNY"),
        order_number=order.number,
        reference=f"{rng.randrange(10_000_000, 99_999_999)}",
        changed_at=_between(rng, issued_on, today),
    )


def received_value(order: PurchaseOrder) -> Decimal:
    """Return the cost of an order's received goods."""
    worth = (line.price.amount * line.received for line in order.lines if line.price and line.received)
    return sum(worth, Decimal(0)).quantize(Decimal("0.01"))


def _bill_status(rng: Random, today: date, due_on: date) -> InvoiceStatus:
    if due_on >= today:
        return InvoiceStatus.UNPAID
    return rng.choice((InvoiceStatus.PAID, InvoiceStatus.PAID, InvoiceStatus.PART_PAID, InvoiceStatus.UNPAID))


def _still_open(total: Decimal, status: InvoiceStatus) -> Decimal:
    share = {InvoiceStatus.PAID: Decimal(0), InvoiceStatus.PART_PAID: Decimal("0.4")}.get(status, Decimal(1))
    return (total * share).quantize(Decimal("0.01"))


def _receipt(rng: Random, today: date, invoice: Invoice) -> Payment:
    assert invoice.total is not None
    abroad = invoice.total.currency != "CNY"
    return _payment(
        rng,
        today,
        invoice,
        partner=invoice.customer,
        kind=PartnerKind.CUSTOMER,
        direction=PaymentDirection.RECEIVED,
        method=METHOD_ABROAD if abroad else rng.choice(METHODS),
    )


def _spending(rng: Random, today: date, bill: Bill) -> Payment:
    return _payment(
        rng,
        today,
        bill,
        partner=bill.vendor,
        kind=PartnerKind.VENDOR,
        direction=PaymentDirection.SPENT,
        method=METHODS[0],
    )


def _payment(
    rng: Random,
    today: date,
    document: Invoice | Bill,
    *,
    partner: str,
    kind: PartnerKind,
    direction: PaymentDirection,
    method: str,
) -> Payment:
    assert document.total is not None
    assert document.open_amount is not None
    assert document.issued_on is not None
    paid_at = _between(rng, document.issued_on, today)
    return Payment(
        id="",
        number="",
        partner=partner,
        partner_kind=kind,
        direction=direction,
        status=PaymentStatus.BOOKED,
        paid_on=paid_at.date(),
        amount=Money(document.total.amount - document.open_amount.amount, document.total.currency),
        method=method,
        settles=(document.number,),
        changed_at=paid_at,
    )


def _between(rng: Random, first: date, today: date) -> datetime:
    """Return a time from ``first`` to yesterday."""
    return moment(first + timedelta(days=rng.randrange(max(1, (today - first).days))), rng)


def _numbered(payments: Iterable[Payment]) -> Iterator[Payment]:
    """Yield payments numbered in order of day."""
    ordered = sorted(payments, key=lambda payment: (payment.paid_on or date.min, payment.settles))
    for count, payment in enumerate(ordered, 1):
        yield replace(payment, id=f"PAY-{count}", number=f"PAY-{count}")
