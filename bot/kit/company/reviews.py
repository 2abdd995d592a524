"""What waits for approval in the demo company besides purchase orders: large orders, bills to be paid, and offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

from bot.erp.kinds.quotations import Quotation, QuotationStatus
from bot.erp.model import Approval, Bill, InvoiceStatus, OrderStatus, Review, ReviewState, SalesOrder
from bot.kit.company.owners import account_of
from bot.kit.company.supply import NAMES

T = TypeVar("T", SalesOrder, Bill, Quotation)

_SALES = (("salesmanager01", "boss01"), ("boss01",))
APPROVERS: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {"order": _SALES, "quote": _SALES, "bill": (("finance01", "boss01"), ("boss01",))}
)
"""The command of a kind → the accounts that may decide at each level."""
BOOKKEEPER = "finance02"
"""Who enters bills and asks for their payment."""

_ORDERS_FROM, _BILLS_FROM = Decimal(30_000), Decimal(20_000)
_SECOND_LEVEL_FROM = Decimal(100_000)
"""In CNY: from when on orders and bills need an approval, and a second one."""
_NEW_BILLS = timedelta(days=7)


def next_approvers(command: str, level: int, requester: str, approved_by: str) -> tuple[str, ...]:
    """Return the accounts that may decide at a level: nobody decides their own request or approves twice."""
    return tuple(each for each in APPROVERS[command][level - 1] if each not in {requester, approved_by})


def review_orders(orders: Iterable[SalesOrder]) -> tuple[SalesOrder, ...]:
    """Return orders of which the large drafts wait for approval, as their salespeople asked."""
    return tuple(
        _waiting("order", order, account_of(order.salesperson))
        if order.status is OrderStatus.DRAFT and _reaches(order, _ORDERS_FROM)
        else order
        for order in orders
    )


def review_quotations(quotations: Iterable[Quotation]) -> tuple[Quotation, ...]:
    """Return quotations of which the drafts wait for approval before they are sent."""
    return tuple(
        _waiting("quote", offer, account_of(offer.salesperson)) if offer.status is QuotationStatus.DRAFT else offer
        for offer in quotations
    )


def review_bills(bills: Iterable[Bill], today: date) -> tuple[Bill, ...]:
    """Return bills of which the new large ones wait for the approval of their payment."""
    return tuple(_waiting("bill", bill, BOOKKEEPER) if _is_asked_for(bill, today) else bill for bill in bills)


def _is_asked_for(bill: Bill, today: date) -> bool:
    is_new = bill.issued_on is not None and bill.issued_on > today - _NEW_BILLS
    return is_new and bill.status is InvoiceStatus.UNPAID and _reaches(bill, _BILLS_FROM)


def _reaches(document: SalesOrder | Bill, amount: Decimal) -> bool:
    total = document.total
    return total is not None and total.currency == "CNY" and total.amount >= amount


def _waiting(command: str, document: T, requester: str) -> T:
    total = document.total
    levels = 2 if total is not None and total.currency == "CNY" and total.amount >= _SECOND_LEVEL_FROM else 1
    return replace(
        document,
        review=Review(
            state=ReviewState.WAITING,
            version="1",
            approval=Approval(pending_for=next_approvers(command, 1, requester, ""), levels=levels),
            requester=requester,
            changed_by=requester,
            people=NAMES,
        ),
    )
