"""The largest debtors, buyers and sellers, and the best-selling products: kept documents added up by partner or
product.

Amounts of different currencies are never added: a partner in two currencies has two places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any, TypeVar

from bot.erp.counting import counts, signed
from bot.erp.index.folding import key_of
from bot.erp.kinds import Kind, kind_followed, kind_of
from bot.erp.model import Area, ErpRecord, Feed, Money, OrderLine, PurchaseLine, Quantity, SalesAmount, SalesOrder
from bot.read_model.queries import KeptAnswer, ReadModel
from bot.read_model.records import DocumentWithLine
from bot.read_model.tallies import TallyKind, TallySelection
from bot.words.disclosure import ClassedBy, FieldClass

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerSum:
    """The total of one partner's documents in one currency; ``place`` is the rank within that currency.

    ``overdue`` is the overdue part of a debt, by ``days_overdue`` at most; None if nothing is.
    """

    partner: Annotated[str, ClassedBy("partner_classes")]
    money_class: FieldClass
    place: int
    amount: Annotated[Money, ClassedBy("money_class")]
    count: int
    overdue: Annotated[Money | None, ClassedBy("money_class")] = None
    days_overdue: int = 0

    @property
    def partner_classes(self) -> frozenset[FieldClass]:
        """The field classes of a name in a ranking: its place tells who has most, even if amounts are hidden."""
        return frozenset({FieldClass.PARTNER, self.money_class})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Partners by total, the largest first: those in the usual currency before others.

    ``without_amount`` documents are in no sum.
    """

    money_class: FieldClass
    sums: tuple[PartnerSum, ...]
    totals: Annotated[tuple[Money, ...], ClassedBy("money_class")]
    without_amount: int


@dataclass(slots=True)
class _Account:
    """The running total of one partner in one currency."""

    partner: str
    amount: Decimal = Decimal()
    count: int = 0
    overdue: Decimal = Decimal()
    days_overdue: int = 0


@dataclass(slots=True)
class _Accounts:
    """Running totals by partner and currency."""

    found: dict[tuple[str, str], _Account] = field(default_factory=dict)
    without_amount: int = 0

    def of(self, document: ErpRecord, amount: Money | None) -> _Account | None:
        """Add a document to its partner's account, and return it; None for a document without an amount."""
        if amount is None:
            self.without_amount += 1
            return None
        partner = kind_of(document).partner_of(document)
        account = self.found.setdefault((partner.casefold(), amount.currency), _Account(partner))
        account.amount += amount.amount
        account.count += 1
        return account

    def rank(self, money_class: FieldClass) -> Ranking:
        """Return the accounts in order, without those that sum to zero."""
        place, totals = _order_currencies((key[1], each.count, each.amount) for key, each in self.found.items())
        ordered = sorted(
            ((currency, account) for (_, currency), account in self.found.items() if account.amount),
            key=lambda each: (place[each[0]], -each[1].amount, each[1].partner),
        )
        return Ranking(
            money_class=money_class,
            sums=tuple(
                [_sum_of(account, currency, number, money_class) for number, (currency, account) in _placed(ordered)]
            ),
            totals=totals,
            without_amount=self.without_amount,
        )


def _placed(ordered: Iterable[tuple[str, T]]) -> Iterator[tuple[int, tuple[str, T]]]:
    """Yield the entries of a ranking with their place within their currency."""
    for _, of_currency in groupby(ordered, key=itemgetter(0)):
        yield from enumerate(of_currency, 1)


def _sum_of(account: _Account, currency: str, place: int, money_class: FieldClass) -> PartnerSum:
    return PartnerSum(
        partner=account.partner,
        place=place,
        money_class=money_class,
        amount=Money(account.amount, currency),
        count=account.count,
        overdue=Money(account.overdue, currency) if account.overdue else None,
        days_overdue=account.days_overdue,
    )


async def rank_debts(model: ReadModel, kind: Area | Feed, today: date) -> KeptAnswer[Ranking]:
    """Return the largest debtors on open invoices, or the largest creditors on bills.

    Credit notes are subtracted. Raises a `DingerpError` when the store does not answer.
    """
    return await model.fold(kind, partial(_add_debts, kind_followed(kind), today), unfinished=True)


async def rank_turnover(model: ReadModel, kind: Area, first: date, last: date) -> KeptAnswer[Ranking]:
    """Return who ordered most in these days, or from whom most was ordered, both ends included.

    Drafts and cancelled orders do not count. Raises a `DingerpError` when the store does not answer.
    """
    return await model.fold(kind, partial(_add_turnover, kind_followed(kind)), since=first, until=last)


def _add_debts(kind: Kind[Any], today: date, documents: Iterable[ErpRecord]) -> Ranking:
    accounts = _Accounts()
    for document in filter(counts, documents):
        left = signed(document, kind.amounts.left_of(document))
        account, days = accounts.of(document, left), kind.days_late(document, today)
        if account and left and days:
            account.overdue += left.amount
            account.days_overdue = max(account.days_overdue, days)
    return accounts.rank(_money_class(kind))


def _add_turnover(kind: Kind[Any], documents: Iterable[ErpRecord]) -> Ranking:
    accounts = _Accounts()
    for document in filter(counts, documents):
        accounts.of(document, kind.amounts.total(document))
    return accounts.rank(_money_class(kind))


def _money_class(kind: Kind[Any]) -> FieldClass:
    (money,) = kind.amounts.classes
    return money


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSum:
    """The orders of one product in one currency; its place reveals amounts, so it is hidden with them.

    ``place`` is the rank within the currency. ``quantity`` is in ``unit``; None if lines have several units. ``count``
    is the number of order lines.
    """

    sku: Annotated[str, FieldClass.AMOUNT]
    name: Annotated[str, FieldClass.AMOUNT]
    place: int
    amount: SalesAmount
    quantity: Quantity | None
    unit: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRanking:
    """Products by ordered amount, the largest first: those in the usual currency before others.

    ``without_amount`` lines are in no sum, and the lines of ``unread`` orders are unknown.
    """

    sums: tuple[ProductSum, ...]
    totals: tuple[SalesAmount, ...]
    without_amount: int
    unread: int


@dataclass(slots=True)
class _SoldProduct:
    """The running total of one product in one currency."""

    sku: str
    name: str
    unit: str
    amount: Decimal = Decimal()
    quantity: Decimal | None = Decimal()
    count: int = 0

    def add(self, line: OrderLine, amount: Decimal) -> None:
        self.amount += amount
        self.count += 1
        is_same = self.quantity is not None and line.unit == self.unit
        self.quantity = self.quantity + line.quantity if is_same and self.quantity is not None else None


async def rank_products(model: ReadModel, first: date, last: date) -> KeptAnswer[ProductRanking]:
    """Return the products customers ordered most in these days, both ends included.

    Drafts and cancelled orders do not count. Raises a `DingerpError` when the store does not answer.
    """
    wanted = TallySelection(area=Area.SALES, kind=TallyKind.TURNOVER, since=first, until=last)
    (deals,) = await model.tallies(wanted)
    found = await model.fold_lines(Area.SALES, _add_lines, since=first, until=last)
    ranking, orders = found.value
    unread = max(0, sum(tally.count for tally in deals.value.values()) - orders)
    return KeptAnswer(replace(ranking, unread=unread), found.coverage)


def _add_lines(lines: Iterator[DocumentWithLine]) -> tuple[ProductRanking, int]:
    """Return the ranking, and the number of orders behind the lines."""
    found: dict[tuple[str, str], _SoldProduct] = {}
    orders: set[tuple[str, str]] = set()
    without_amount = 0
    for each in lines:
        order, line = each.document, each.line
        if not isinstance(order, SalesOrder) or not isinstance(line, OrderLine) or not counts(order):
            continue
        orders.add((order.source, order.number))
        if (amount := line_amount(line)) is None:
            without_amount += 1
            continue
        key = key_of(line.sku), amount.currency
        found.setdefault(key, _SoldProduct(line.sku, line.name, line.unit)).add(line, amount.amount)
    return _rank_products(found, without_amount), len(orders)


def line_amount(line: OrderLine | PurchaseLine) -> Money | None:
    """Return what a line comes to, by its price where it names no amount; None where it tells neither."""
    if line.amount is not None or line.price is None:
        return line.amount
    return Money(line.price.amount * line.quantity, line.price.currency)


def _rank_products(found: Mapping[tuple[str, str], _SoldProduct], without_amount: int) -> ProductRanking:
    place, totals = _order_currencies((currency, each.count, each.amount) for (_, currency), each in found.items())
    ordered = sorted(
        ((currency, each) for (_, currency), each in found.items() if each.amount),
        key=lambda each: (place[each[0]], -each[1].amount, each[1].sku),
    )
    return ProductRanking(
        sums=tuple(
            ProductSum(
                sku=each.sku,
                name=each.name,
                place=number,
                amount=Money(each.amount, currency),
                quantity=each.quantity,
                unit=each.unit,
                count=each.count,
            )
            for number, (currency, each) in _placed(ordered)
        ),
        totals=totals,
        without_amount=without_amount,
        unread=0,
    )


def _order_currencies(sums: Iterable[tuple[str, int, Decimal]]) -> tuple[Mapping[str, int], tuple[Money, ...]]:
    """Return the rank of each currency, the one with the most documents first, and the total in each."""
    counts = Counter[str]()
    totals: dict[str, Decimal] = {}
    for currency, count, amount in sums:
        counts[currency] += count
        totals[currency] = totals.get(currency, Decimal()) + amount
    currencies = sorted(totals, key=lambda currency: (-counts[currency], currency))
    place = {currency: number for number, currency in enumerate(currencies)}
    return place, tuple(Money(totals[currency], currency) for currency in currencies if totals[currency])
