"""Who owes most and who bought most: the documents that are kept, added up by customer or vendor.

Amounts of different currencies are never added: who trades in two has two places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Annotated

from bot.disclosure import ClassedBy, FieldClass
from bot.erp.model import Area, Bill, Feed, Followed, Invoice, Money, PurchaseOrder, SalesOrder
from bot.read_model.queries import KeptAnswer, ReadModel
from bot.read_model.records import Document, partner_of
from bot.read_model.tallies import is_deal, signed

_MONEY: Mapping[Followed, FieldClass] = MappingProxyType(
    {
        Area.SALES: FieldClass.AMOUNT,
        Area.FINANCE: FieldClass.AMOUNT,
        Area.PURCHASING: FieldClass.COST,
        Feed.BILLS: FieldClass.COST,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSum:
    """What the documents with one partner come to in one currency.

    Of a debt ``overdue`` is the part that is overdue, by ``days_overdue`` at most; None where nothing is.
    """

    partner: Annotated[str, ClassedBy("partner_classes")]
    money_class: FieldClass
    amount: Annotated[Money, ClassedBy("money_class")]
    count: int
    overdue: Annotated[Money | None, ClassedBy("money_class")] = None
    days_overdue: int = 0

    @property
    def partner_classes(self) -> frozenset[FieldClass]:
        """What the name tells at its place in a ranking: who has most, also where the amounts are hidden."""
        return frozenset({FieldClass.PARTNER, self.money_class})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Partners by what their documents come to, the most first: those of the usual currency before the others.

    ``without_amount`` documents are in no sum.
    """

    money_class: FieldClass
    sums: tuple[PartnerSum, ...]
    totals: Annotated[tuple[Money, ...], ClassedBy("money_class")]
    without_amount: int


@dataclass(slots=True)
class _Account:
    """What is added up of one partner in one currency."""

    partner: str
    amount: Decimal = Decimal()
    count: int = 0
    overdue: Decimal = Decimal()
    days_overdue: int = 0


@dataclass(slots=True)
class _Accounts:
    """What is added up by partner and currency."""

    found: dict[tuple[str, str], _Account] = field(default_factory=dict)
    without_amount: int = 0

    def of(self, document: Document, amount: Money | None) -> _Account | None:
        """Add a document to its partner's account, and return that; None for a document without an amount."""
        if amount is None:
            self.without_amount += 1
            return None
        partner = partner_of(document)
        account = self.found.setdefault((partner.casefold(), amount.currency), _Account(partner))
        account.amount += amount.amount
        account.count += 1
        return account

    def rank(self, money_class: FieldClass) -> Ranking:
        """Return the accounts in their order, without those that come to nothing."""
        counts = Counter[str]()
        totals: dict[str, Decimal] = {}
        for (_, currency), account in self.found.items():
            counts[currency] += account.count
            totals[currency] = totals.get(currency, Decimal()) + account.amount
        currencies = sorted(totals, key=lambda currency: (-counts[currency], currency))
        place = {currency: number for number, currency in enumerate(currencies)}
        ordered = sorted(
            ((currency, account) for (_, currency), account in self.found.items() if account.amount),
            key=lambda each: (place[each[0]], -each[1].amount, each[1].partner),
        )
        return Ranking(
            money_class=money_class,
            sums=tuple(_sum_of(account, currency, money_class) for currency, account in ordered),
            totals=tuple(Money(totals[currency], currency) for currency in currencies if totals[currency]),
            without_amount=self.without_amount,
        )


def _sum_of(account: _Account, currency: str, money_class: FieldClass) -> PartnerSum:
    return PartnerSum(
        partner=account.partner,
        money_class=money_class,
        amount=Money(account.amount, currency),
        count=account.count,
        overdue=Money(account.overdue, currency) if account.overdue else None,
        days_overdue=account.days_overdue,
    )


async def rank_debts(model: ReadModel, kind: Area | Feed, today: date) -> KeptAnswer[Ranking]:
    """Return who owes most of what is open on invoices, or who is owed most on bills.

    Credit notes count against it. Raises a `DingerpError` when the store does not answer.
    """
    return await model.fold(kind, partial(_add_debts, _MONEY[kind], today), open_only=True)


async def rank_turnover(model: ReadModel, kind: Area, first: date, last: date) -> KeptAnswer[Ranking]:
    """Return who ordered most in these days, or from whom most was ordered, both ends included.

    Drafts and cancelled orders don't count. Raises a `DingerpError` when the store does not answer.
    """
    return await model.fold(kind, partial(_add_turnover, _MONEY[kind]), since=first, until=last)


def _add_debts(money_class: FieldClass, today: date, documents: Iterable[Document]) -> Ranking:
    accounts = _Accounts()
    for document in _deals(documents):
        if isinstance(document, Invoice | Bill):
            left = signed(document, document.open_amount)
            account, days = accounts.of(document, left), document.days_overdue(today)
            if account and left and days:
                account.overdue += left.amount
                account.days_overdue = max(account.days_overdue, days)
    return accounts.rank(money_class)


def _add_turnover(money_class: FieldClass, documents: Iterable[Document]) -> Ranking:
    accounts = _Accounts()
    for document in _deals(documents):
        accounts.of(document, document.total)
    return accounts.rank(money_class)


def _deals(documents: Iterable[Document]) -> Iterator[SalesOrder | PurchaseOrder | Invoice | Bill]:
    for document in documents:
        if isinstance(document, SalesOrder | PurchaseOrder | Invoice | Bill) and is_deal(document):
            yield document
