"""The owners of documents: the salespeople's accounts, whom the demo company lists by name."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from bot.erp.model import ErpRecord, Invoice, Payment
from bot.kit.company.sales import CUSTOMERS, PERSON_ABROAD, SALESPEOPLE

R = TypeVar("R", bound=ErpRecord)

_ACCOUNTS = MappingProxyType({"李娜": "sales01", "孙悦": "salesmanager01", PERSON_ABROAD: "sales_en"})
"""The ids are those of the same people in the simulated DingTalk."""


def salesperson_of(place: int, currency: str) -> str:
    """Return the salesperson for the customer at a position in `CUSTOMERS`, counted from 1."""
    return PERSON_ABROAD if currency != "CNY" else SALESPEOPLE[(place - 1) % len(SALESPEOPLE)]


_LOOKED_AFTER = MappingProxyType(
    {name: salesperson_of(place, currency) for place, (name, currency) in enumerate(CUSTOMERS, 1)}
)


def with_owner(record: R) -> R:
    """Return a record with its salesperson's account; for invoices and receipts, the customer's salesperson."""
    match record:
        case Invoice():
            name = _LOOKED_AFTER.get(record.customer, "")
        case Payment():
            name = _LOOKED_AFTER.get(record.partner, "")
        case _:
            name = getattr(record, "salesperson", "")
    account = account_of(name)
    return replace(record, extra=MappingProxyType({**record.extra, "owner": account})) if account else record


def account_of(name: str) -> str:
    """Return the account for a name, empty if the company does not know it."""
    return _ACCOUNTS.get(name, "")
