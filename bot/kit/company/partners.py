"""Partners, bills and payments of the demo ERP."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import and_, func

from bot.erp.model import Bill, Customer, InvoiceStatus, Payment, PaymentDirection, Supplier
from bot.erp.port import Filter
from bot.kit.company import tables as t
from bot.kit.company.document_query import DocumentQuery, build_of
from bot.kit.company.owners import with_owner
from bot.kit.company.rows import Record, record_of

_CUSTOMER, _VENDOR = t.table(t.CustomerRow), t.table(t.VendorRow)
_BILL, _PAYMENT, _SETTLED = t.table(t.BillRow), t.table(t.PaymentRow), t.table(t.SettledRow)
_UNSETTLED = _BILL.c.status.in_((InvoiceStatus.UNPAID, InvoiceStatus.PART_PAID))


def _payment(row: Record, source: str, lines: Iterable[Record]) -> Payment:
    settles = tuple(line.document for line in lines)
    return with_owner(record_of(Payment, row, id=row.number, settles=settles, source=source))


CUSTOMERS = DocumentQuery(
    _CUSTOMER,
    None,
    (_CUSTOMER.c.number_key, _CUSTOMER.c.name_key),
    None,
    None,
    {},
    build_of(Customer),
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
    build_of(Supplier),
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
    build_of(Bill),
    _BILL.c.vendor_key,
    reviewed="bill",
)
PAYMENTS = DocumentQuery(
    _PAYMENT,
    _SETTLED,
    (_PAYMENT.c.number_key, _PAYMENT.c.partner_key),
    _PAYMENT.c.paid_on,
    None,
    {
        Filter.RECEIVED: (lambda _: _PAYMENT.c.direction == PaymentDirection.RECEIVED, _PAYMENT.c.paid_on),
        Filter.SPENT: (lambda _: _PAYMENT.c.direction == PaymentDirection.SPENT, _PAYMENT.c.paid_on),
    },
    _payment,
    _PAYMENT.c.partner_key,
)
