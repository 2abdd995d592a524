"""Rows of the demo company's partners, bills and payments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.erp.demo.tables import fold
from bot.erp.model import Bill, Customer, Payment, Supplier

Row = Mapping[str, Any]


def customer_row(customer: Customer) -> Row:
    """Return the row of a customer."""
    limit = customer.credit_limit
    return _partner(customer) | {
        "salesperson": customer.salesperson,
        "credit_limit": None if limit is None else limit.amount,
        "currency": "" if limit is None else limit.currency,
    }


def vendor_row(vendor: Supplier) -> Row:
    """Return the row of a vendor."""
    return _partner(vendor) | {"buyer": vendor.buyer}


def _partner(partner: Customer | Supplier) -> dict[str, Any]:
    return {
        "number_key": fold(partner.code),
        "code": partner.code,
        "name": partner.name,
        "name_key": fold(partner.name),
        "contact": partner.contact,
        "phone": partner.phone,
        "email": partner.email,
        "address": partner.address,
        "payment_terms": partner.payment_terms,
        "is_active": partner.is_active,
        "changed_at": partner.changed_at,
    }


def bill_row(bill: Bill) -> Row:
    """Return the row of a bill."""
    assert bill.total is not None
    assert bill.open_amount is not None
    return {
        "number_key": fold(bill.number),
        "number": bill.number,
        "vendor": bill.vendor,
        "vendor_key": fold(bill.vendor),
        "status": bill.status,
        "issued_on": bill.issued_on,
        "due_on": bill.due_on,
        "total": bill.total.amount,
        "open_amount": bill.open_amount.amount,
        "currency": bill.total.currency,
        "is_credit_note": bill.is_credit_note,
        "order_number": bill.order_number,
        "reference": bill.reference,
        "changed_at": bill.changed_at,
    }


def payment_row(payment: Payment) -> Row:
    """Return the row of a payment."""
    assert payment.amount is not None
    return {
        "number_key": fold(payment.number),
        "number": payment.number,
        "partner": payment.partner,
        "partner_key": fold(payment.partner),
        "partner_kind": payment.partner_kind,
        "direction": payment.direction,
        "status": payment.status,
        "paid_on": payment.paid_on,
        "amount": payment.amount.amount,
        "currency": payment.amount.currency,
        "method": payment.method,
        "changed_at": payment.changed_at,
    }


def settled_rows(payment: Payment) -> Iterable[Row]:
    """Return a row for each invoice or bill that a payment settles."""
    for position, number in enumerate(payment.settles, 1):
        yield {"number_key": fold(payment.number), "position": position, "document": number}
