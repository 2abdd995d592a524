"""Maps Odoo's partners, vendor bills and payments to the bot's records (docs: platform/erp/odoo.md#areas)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
from bot.erp.odoo import documents
from bot.erp.odoo.mapping import OdooSite, Row, day, key_of, money, name_of, number_of
from bot.erp.record_parts import PartnerParts
from bot.erp.values import text


def customer(row: Row, site: OdooSite) -> Customer:
    """Return a customer; amounts of partners are in the company's currency."""
    limited = row.get("use_partner_credit_limit") is True
    return Customer(
        salesperson=name_of(row.get("user_id")),
        credit_limit=money(row.get("credit_limit"), row.get("currency_id")) if limited else None,
        receivable=_stated(row, "credit"),
        **_partner(row, site, terms="property_payment_term_id"),
    )


def vendor(row: Row, site: OdooSite) -> Supplier:
    return Supplier(
        buyer=name_of(row.get("buyer_id")),
        payable=_stated(row, "debit"),
        **_partner(row, site, terms="property_supplier_payment_term_id"),
    )


def _partner(row: Row, site: OdooSite, *, terms: str) -> PartnerParts:
    return {
        **site.origin("res.partner", row),
        "code": key_of(row, "ref"),
        "name": text(row.get("name")),
        "phone": text(row.get("phone")) or text(row.get("mobile")),
        "email": text(row.get("email")),
        "address": ", ".join(filter(None, (text(row.get(name)) for name in ("street", "street2", "zip", "city")))),
        "payment_terms": name_of(row.get(terms)),
        "is_active": row.get("active") is not False,
    }


def _stated(row: Row, name: str) -> Money | None:
    """Return what Odoo adds up for a partner, None without the right to see it."""
    return money(row[name], row.get("currency_id")) if name in row else None


def bill(row: Row, site: OdooSite) -> Bill:
    """Return a vendor's bill; Odoo's amounts of a refund are positive."""
    return Bill(
        vendor=name_of(row.get("partner_id")),
        reference=text(row.get("ref")),
        **documents.account_move(row, site, refund="in_refund"),
    )


# "in_process" and "paid" are from 18 on; before, all that is booked is posted.
_PAYMENT = {
    "draft": PaymentStatus.DRAFT,
    "posted": PaymentStatus.BOOKED,
    "in_process": PaymentStatus.BOOKED,
    "paid": PaymentStatus.BOOKED,
    "cancel": PaymentStatus.CANCELLED,
    "canceled": PaymentStatus.CANCELLED,
    "rejected": PaymentStatus.CANCELLED,
}
_NO_MOVES: Mapping[int, Row] = MappingProxyType({})


def settled_ids(row: Row) -> list[int]:
    """Return the ids of the invoices and bills that a payment settles."""
    return [*(row.get("reconciled_invoice_ids") or ()), *(row.get("reconciled_bill_ids") or ())]


def payment(row: Row, site: OdooSite, moves: Mapping[int, Row] = _NO_MOVES) -> Payment:
    """Return a payment; ``moves`` are the invoices and bills that it settles, as far as they are to be shown."""
    state = text(row.get("state"))
    inbound = row.get("payment_type") == "inbound"
    return Payment(
        number=number_of(row),
        partner=name_of(row.get("partner_id")),
        partner_kind=PartnerKind.VENDOR if row.get("partner_type") == "supplier" else PartnerKind.CUSTOMER,
        direction=PaymentDirection.RECEIVED if inbound else PaymentDirection.SPENT,
        status=_PAYMENT.get(state, PaymentStatus.DRAFT),
        paid_on=day(row.get("date"), site.zone),
        amount=money(row.get("amount"), row.get("currency_id")),
        method=name_of(row.get("journal_id")),
        settles=tuple(number_of(moves[key]) for key in settled_ids(row) if key in moves),
        extra=MappingProxyType({} if state in _PAYMENT else {"state": state}),
        **site.origin("account.payment", row),
    )
