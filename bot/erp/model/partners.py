"""Customers, vendors, and the ERP's own users."""

from __future__ import annotations

from dataclasses import dataclass

from bot.erp.model.values import ContactDetail, Cost, ErpRecord, PartnerName, SalesAmount


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpUser:
    """A person's account in the ERP; what the ERP does not tell of it is empty."""

    account: str
    """As decisions name it (see `Decision.by`)."""
    name: str
    job_number: str = ""
    mobile: ContactDetail = ""
    mail: ContactDetail = ""
    is_active: bool = True
    """False where nobody can log in with it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerRecord(ErpRecord):
    """What customers and vendors have in common (docs: platform/erp/records.md#partners)."""

    code: str
    name: PartnerName
    contact: ContactDetail = ""
    """The person to speak to."""
    phone: ContactDetail = ""
    email: ContactDetail = ""
    address: ContactDetail = ""
    payment_terms: str = ""
    is_active: bool = True

    @property
    def number(self) -> str:
        """The code: what it is called among records with numbers."""
        return self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(PartnerRecord):
    """Somebody whom the company sells to."""

    salesperson: str = ""
    credit_limit: SalesAmount | None = None
    """None where there is none, or the ERP does not tell."""
    receivable: SalesAmount | None = None
    """What the customer owes, where the ERP itself states it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier(PartnerRecord):
    """A vendor: somebody whom the company buys from."""

    buyer: str = ""
    payable: Cost | None = None
    """What the company owes, where the ERP itself states it."""
