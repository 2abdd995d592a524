"""Customers and vendors (docs: platform/erp/odoo.md#areas)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.erp.model import Customer, Money, Supplier
from bot.erp.odoo.mapping import OdooSite, Row, key_of, money, name_of
from bot.erp.odoo.reads import OdooPlan
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


def _partners(build: Callable[[Row, OdooSite], Any], rank: str, *more: str) -> OdooPlan:
    """Return the plan of customers or vendors, with the fields that only those have."""
    return OdooPlan(
        model="res.partner",
        fields=(
            "ref", "name", "phone", "mobile", "email", "street", "street2", "zip", "city", "active", "currency_id",
            "write_date", *more,
        ),
        texts=("ref", "name"),
        where=lambda _: [[rank, ">", 0], ["parent_id", "=", False]],
        number="ref",
        partners=("name",),
        shared=True,
        build=build,
    )  # fmt: skip


CUSTOMERS = _partners(
    customer,
    "customer_rank",
    "user_id", "property_payment_term_id", "credit", "credit_limit", "use_partner_credit_limit",
)  # fmt: skip
VENDORS = _partners(vendor, "supplier_rank", "buyer_id", "property_supplier_payment_term_id", "debit")
