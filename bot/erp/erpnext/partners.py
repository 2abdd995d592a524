"""Maps ERPNext's customers, suppliers, their invoices and payments to the bot's records.

Docs: platform/erp/erpnext.md#areas
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bot.erp.erpnext.client import Row
from bot.erp.erpnext.documents import docstatus, extra_of, invoice_parts
from bot.erp.erpnext.mapping import Site, html_to_text, money
from bot.erp.model import (
    Bill,
    Customer,
    Money,
    PartnerKind,
    Payment,
    PaymentDirection,
    PaymentStatus,
    Supplier,
)
from bot.erp.record_parts import PartnerParts
from bot.erp.values import text

PARTY_TYPES: Mapping[str, PartnerKind] = MappingProxyType(
    {"Customer": PartnerKind.CUSTOMER, "Supplier": PartnerKind.VENDOR}
)
"""The kinds that the bot shows: employees and shareholders are paid, too."""
DIRECTIONS: Mapping[str, PaymentDirection] = MappingProxyType(
    {"Receive": PaymentDirection.RECEIVED, "Pay": PaymentDirection.SPENT}
)
"""An internal transfer is neither."""
_SETTLED = frozenset({"Sales Invoice", "Purchase Invoice"})
_STATUS = (PaymentStatus.DRAFT, PaymentStatus.BOOKED, PaymentStatus.CANCELLED)


def customer(row: Row, site: Site) -> Customer:
    """Return a Customer; ``limit`` of its row is the credit limit, which is of a company."""
    return Customer(
        contact=text(row.get("customer_primary_contact")),
        salesperson=text(row.get("account_manager")),
        credit_limit=row.get("limit"),
        **_party(row, site, "Customer", "customer_name"),
    )


def vendor(row: Row, site: Site) -> Supplier:
    contact = text(row.get("supplier_primary_contact"))
    return Supplier(contact=contact, **_party(row, site, "Supplier", "supplier_name"))


def _party(row: Row, site: Site, doctype: str, name: str) -> PartnerParts:
    return {
        **site.origin(doctype, row),
        "code": row["name"],
        "name": text(row.get(name)) or row["name"],
        "phone": text(row.get("mobile_no")),
        "email": text(row.get("email_id")),
        "address": html_to_text(row.get("primary_address")),
        "payment_terms": text(row.get("payment_terms")),
        "is_active": row.get("disabled") != 1,
    }


def credit_limit(rows: Iterable[Row], company: str, currencies: Mapping[str, str]) -> Money | None:
    """Return a customer's credit limit at a company, or at the only one that gives any; 0 is none.

    Limits of several companies, of which none is configured, are not added up: they are of different businesses.
    """
    given = [row for row in rows if not company or row.get("company") == company]
    if len(given) != 1:
        return None
    limit = money(given[0].get("credit_limit"), currencies.get(text(given[0].get("company"))))
    return limit if limit is not None and limit.amount else None


def bill(row: Row, site: Site) -> Bill:
    """Return a Purchase Invoice."""
    return Bill(
        vendor=text(row.get("supplier_name")) or text(row.get("supplier")),
        reference=text(row.get("bill_no")),
        **invoice_parts(row, site, "Purchase Invoice", "purchase_order"),
    )


def is_payment(row: Row) -> bool:
    """Whether a Payment Entry is a receipt from a customer or vendor, or a payment to one."""
    return row.get("party_type") in PARTY_TYPES and row.get("payment_type") in DIRECTIONS


def payment(row: Row, site: Site) -> Payment:
    """Return a Payment Entry, with the amount that the partner's account bears."""
    received = row["payment_type"] == "Receive"
    amount, currency = (
        ("paid_amount", "paid_from_account_currency") if received else ("received_amount", "paid_to_account_currency")
    )
    return Payment(
        number=row["name"],
        partner=text(row.get("party_name")) or text(row.get("party")),
        partner_kind=PARTY_TYPES[row["party_type"]],
        direction=DIRECTIONS[row["payment_type"]],
        status=_STATUS[docstatus(row)],
        paid_on=site.day(row.get("posting_date")),
        amount=money(row.get(amount), row.get(currency)),
        method=text(row.get("mode_of_payment")),
        settles=tuple(
            text(part.get("reference_name"))
            for part in row.get("references") or ()
            if part.get("reference_doctype") in _SETTLED
        ),
        extra=extra_of(row, "status", "company"),
        **site.origin("Payment Entry", row),
    )
