"""Partners, bills and payments of the demo ERP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, and_, func

from bot.erp.demo import tables as t
from bot.erp.demo.document_query import DocumentQuery
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
from bot.erp.port import Filter

Record = Row[Any]

_CUSTOMER, _VENDOR = t.table(t.CustomerRow), t.table(t.VendorRow)
_BILL, _PAYMENT, _SETTLED = t.table(t.BillRow), t.table(t.PaymentRow), t.table(t.SettledRow)
_UNSETTLED = _BILL.c.status.in_((InvoiceStatus.UNPAID, InvoiceStatus.PART_PAID))


def _customer(row: Record, source: str, lines: Iterable[Record]) -> Customer:
    return Customer(
        id=row.code,
        code=row.code,
        name=row.name,
        contact=row.contact,
        phone=row.phone,
        email=row.email,
        address=row.address,
        salesperson=row.salesperson,
        payment_terms=row.payment_terms,
        credit_limit=None if row.credit_limit is None else Money(row.credit_limit, row.currency),
        is_active=row.is_active,
        changed_at=row.changed_at,
        source=source,
    )


def _vendor(row: Record, source: str, lines: Iterable[Record]) -> Supplier:
    return Supplier(
        id=row.code,
        code=row.code,
        name=row.name,
        contact=row.contact,
        phone=row.phone,
        email=row.email,
        address=row.address,
        buyer=row.buyer,
        payment_terms=row.payment_terms,
        is_active=row.is_active,
        changed_at=row.changed_at,
        source=source,
    )


def _bill(row: Record, source: str, lines: Iterable[Record]) -> Bill:
    return Bill(
        id=row.number,
        number=row.number,
        vendor=row.vendor,
        status=InvoiceStatus(row.status),
        issued_on=row.issued_on,
        due_on=row.due_on,
        total=Money(row.total, row.currency),
        open_amount=Money(row.open_amount, row.currency),
        is_credit_note=row.is_credit_note,
        order_number=row.order_number,
        reference=row.reference,
        changed_at=row.changed_at,
        source=source,
    )


def _payment(row: Record, source: str, lines: Iterable[Record]) -> Payment:
    return Payment(
        id=row.number,
        number=row.number,
        partner=row.partner,
        partner_kind=PartnerKind(row.partner_kind),
        direction=PaymentDirection(row.direction),
        status=PaymentStatus(row.status),
        paid_on=row.paid_on,
        amount=Money(row.amount, row.currency),
        method=row.method,
        settles=tuple(line.document for line in lines),
        changed_at=row.changed_at,
        source=source,
    )


CUSTOMERS = DocumentQuery(
    _CUSTOMER,
    None,
    (_CUSTOMER.c.number_key, _CUSTOMER.c.name_key),
    None,
    None,
    {},
    _customer,
    _CUSTOMER.c.name_key,
    _CUSTOMER.c.is_active,
)
VENDORS = DocumentQuery(
    _VENDOR,
    None,
    (_VENDOR.c.number_key, _VENDOR.c.name_key),
    None,
    None,
    {},
    _vendor,
    _VENDOR.c.name_key,
    _VENDOR.c.is_active,
)
BILLS = DocumentQuery(
    _BILL,
    None,
    (_BILL.c.number_key, _BILL.c.vendor_key, func.lower(_BILL.c.reference)),
    _BILL.c.issued_on,
    _BILL.c.due_on,
    {
        Filter.OPEN: (lambda _: _UNSETTLED, _BILL.c.due_on),
        Filter.OVERDUE: (
            lambda today: and_(_UNSETTLED, _BILL.c.open_amount > 0, _BILL.c.due_on < today),
            _BILL.c.due_on,
        ),
    },
    _bill,
    _BILL.c.vendor_key,
)
PAYMENTS = DocumentQuery(
    _PAYMENT,
    _SETTLED,
    (_PAYMENT.c.number_key, _PAYMENT.c.partner_key),
    _PAYMENT.c.paid_on,
    None,
    {},
    _payment,
    _PAYMENT.c.partner_key,
)
