"""The owners of documents: the salespeople's accounts, whom the demo company lists by name."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from bot.erp.kinds.quotations import Quotation
from bot.erp.model import Bill, ErpRecord, Invoice, Payment, ProductionOrder, PurchaseOrder, SalesOrder
from bot.erp.model.goods import GoodsDelivery, GoodsReceipt
from bot.kit.company.sales import CUSTOMERS, PERSON_ABROAD, SALESPEOPLE
from bot.kit.company.supply import KEEPER, NAMES

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


def with_creator(record: R) -> R:
    """Return a document with who created it: who sells or asks for it, else somebody of the department that does."""
    match record:
        case SalesOrder() | Quotation():
            name = record.salesperson
            creator = (name, account) if (account := account_of(name)) else (name,)
        case PurchaseOrder():
            creator = (record.review.named(record.review.requester), record.review.requester)
        case Invoice() | Bill() | Payment():
            creator = ("周慧", "finance01") if record.number[-1:] in "02468" else ("吴敏", "finance02")
        case ProductionOrder():
            creator = (NAMES["planner01"], "planner01")
        case GoodsDelivery() | GoodsReceipt():
            creator = (NAMES[KEEPER], KEEPER)
        case _:
            return record
    return replace(record, created_by=creator)


def name_of(account: str) -> str:
    """Return the name of a salesperson by their account, empty for everybody else."""
    return next((name for name, known in _ACCOUNTS.items() if known == account), "")


def account_of(name: str) -> str:
    """Return the account for a name, empty if the company does not know it."""
    return _ACCOUNTS.get(name, "")
