"""The reference company's partners, bills and payments as ERPNext's documents."""

from __future__ import annotations

from datetime import date

from bot.erp.model import Bill, Customer, PartnerKind, Payment, PaymentDirection, PaymentStatus, Supplier
from tests.erp.fakes.erpnext_doctypes import Document, head, rich, rows
from tests.erp.fakes.erpnext_documents import COMPANY, head_of_invoice

CURRENCY = "CNY"
"""The company's own."""


def customer(partner: Customer) -> Document:
    """Return a Customer; the limit is in the company's currency."""
    assert partner.changed_at is not None
    document = head("Customer", partner.code, partner.changed_at) | {
        "customer_name": partner.name,
        "customer_primary_contact": partner.contact or None,
        "account_manager": partner.salesperson,
        **_common(partner),
    }
    limit = partner.credit_limit
    given = [] if limit is None else [{"company": COMPANY, "credit_limit": float(limit.amount)}]
    document["credit_limits"] = rows(document, "credit_limits", "Customer Credit Limit", given)
    return document


def supplier(partner: Supplier) -> Document:
    """Return a Supplier."""
    assert partner.changed_at is not None
    return head("Supplier", partner.code, partner.changed_at) | {
        "supplier_name": partner.name,
        "supplier_primary_contact": partner.contact or None,
        **_common(partner),
    }


def _common(partner: Customer | Supplier) -> Document:
    return {
        "mobile_no": partner.phone or None,
        "email_id": partner.email or None,
        "primary_address": rich(partner.address) if partner.address else None,
        "payment_terms": partner.payment_terms or None,
        "disabled": int(not partner.is_active),
    }


def purchase_invoice(bill: Bill, today: date) -> Document:
    """Return a Purchase Invoice."""
    document = head_of_invoice("Purchase Invoice", bill, today) | {
        "supplier": f"SUPP-{bill.vendor[:3]}",
        "supplier_name": bill.vendor,
        "bill_no": bill.reference or None,
    }
    line = {"item_code": "SKU123", "qty": 1.0, "purchase_order": bill.order_number or None}
    document["items"] = rows(document, "items", "Purchase Invoice Item", [line, line])
    return document


def payment_entry(payment: Payment) -> Document:
    """Return a Payment Entry between the partner's account and a bank of another currency."""
    assert payment.changed_at is not None
    assert payment.amount is not None
    received = payment.direction is PaymentDirection.RECEIVED
    vendor = payment.partner_kind is PartnerKind.VENDOR
    partners, banks = (float(payment.amount.amount), payment.amount.currency), (7.5, "XAF")
    (paid, paid_in), (came, came_in) = (partners, banks) if received else (banks, partners)
    document = head("Payment Entry", payment.number, payment.changed_at) | {
        "docstatus": {PaymentStatus.DRAFT: 0, PaymentStatus.BOOKED: 1, PaymentStatus.CANCELLED: 2}[payment.status],
        "status": {PaymentStatus.DRAFT: "Draft", PaymentStatus.BOOKED: "Submitted"}.get(payment.status, "Cancelled"),
        "company": COMPANY,
        "payment_type": "Receive" if received else "Pay",
        "party_type": "Supplier" if vendor else "Customer",
        "party": f"P-{payment.partner[:3]}",
        "party_name": payment.partner,
        "posting_date": None if payment.paid_on is None else payment.paid_on.isoformat(),
        "mode_of_payment": payment.method or None,
        "paid_amount": paid,
        "paid_from_account_currency": paid_in,
        "received_amount": came,
        "paid_to_account_currency": came_in,
    }
    doctype = "Purchase Invoice" if vendor else "Sales Invoice"
    settled = [{"reference_doctype": doctype, "reference_name": number} for number in payment.settles]
    advance = {"reference_doctype": "Sales Order", "reference_name": "SO-9999"}
    document["references"] = rows(document, "references", "Payment Entry Reference", [*settled, advance])
    return document
