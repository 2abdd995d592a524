"""What a company did within some days, against the days before, and what is late or owed now.

Amounts of different currencies are never added. A document without an amount is counted and said to have none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from bot.disclosure import HIDDEN, ClassedBy, FieldClass
from bot.erp.model import (
    Area,
    Invoice,
    InvoiceStatus,
    Money,
    OrderStatus,
    ProductionStatus,
    PurchaseStatus,
    SalesAmount,
)
from bot.read_model.port import Document, day_of
from bot.read_model.queries import Coverage, ReadModel

AGES = (30, 60, 90)
"""Days at which what is overdue gets older, in the customary steps."""

_NO_TURNOVER = frozenset(
    {
        OrderStatus.DRAFT,
        OrderStatus.CANCELLED,
        InvoiceStatus.DRAFT,
        InvoiceStatus.VOID,
        PurchaseStatus.DRAFT,
        PurchaseStatus.WAITING,
        PurchaseStatus.REJECTED,
        PurchaseStatus.CANCELLED,
        ProductionStatus.CANCELLED,
    }
)
"""States of documents that are not, or not any more, a deal."""


@dataclass(frozen=True, slots=True)
class ReportSpan:
    """The days of a report and those it is compared with, both ends included."""

    first: date
    last: date
    first_before: date
    last_before: date

    @classmethod
    def of_days(cls, first: date, last: date) -> ReportSpan:
        """Return some days, compared with as many before them."""
        count = last - first + timedelta(days=1)
        return cls(first, last, first - count, last - count)

    @classmethod
    def of_week(cls, today: date) -> ReportSpan:
        """Return the week so far, from Monday, compared with the same days of the week before."""
        monday, week = today - timedelta(days=today.weekday()), timedelta(days=7)
        return cls(monday, today, monday - week, today - week)

    @classmethod
    def of_month(cls, today: date) -> ReportSpan:
        """Return the month so far, compared with the month before up to the same day."""
        first = today.replace(day=1)
        last_before = first - timedelta(days=1)
        same_day = last_before.replace(day=min(today.day, last_before.day))
        return cls(first, today, last_before.replace(day=1), same_day)

    @classmethod
    def of_month_before(cls, today: date) -> ReportSpan:
        """Return the whole month before, compared with the one before that."""
        last = today.replace(day=1) - timedelta(days=1)
        last_before = last.replace(day=1) - timedelta(days=1)
        return cls(last.replace(day=1), last, last_before.replace(day=1), last_before)


@dataclass(frozen=True, slots=True)
class ComparedSum:
    """What came together in one currency, and in the days before."""

    money_class: FieldClass
    now: Annotated[Money, ClassedBy("money_class")]
    before: Annotated[Money, ClassedBy("money_class")]

    @property
    def percent(self) -> int | None:
        """The change in percent, rounded; None where there was nothing before, less than nothing, or it is hidden."""
        if self.before is HIDDEN or self.before.amount <= 0:
            return None
        return int(((self.now.amount - self.before.amount) * 100 / self.before.amount).to_integral_value())


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """Documents of some days, and what they come to; ``without_amount`` of them have no amount."""

    count: int
    count_before: int
    without_amount: int
    sums: tuple[ComparedSum, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingBucket:
    """What is overdue for ``first`` to ``last`` days; ``last`` is None for the oldest."""

    first: int
    last: int | None
    count: int
    sums: tuple[SalesAmount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesFigures:
    """What was ordered in these days, and how many orders are late now."""

    ordered: Turnover
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFigures:
    """What was invoiced in these days, how much of that is paid by now, and what is overdue now.

    ``owed`` is all that is open now, due or not, less what credit notes give back.
    """

    invoiced: Turnover
    paid: tuple[SalesAmount, ...]
    owed: tuple[SalesAmount, ...]
    overdue: int
    ageing: tuple[AgeingBucket, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseFigures:
    """What was ordered from vendors in these days, and what is late or waits for approval now."""

    ordered: Turnover
    late: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionFigures:
    """How many production orders were due in these days, how many of those are done, and how many are late now."""

    due: int
    done: int
    due_before: int
    done_before: int
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyFigures:
    """The figures of a report; None for areas that were not asked for."""

    sales: SalesFigures | None
    invoices: InvoiceFigures | None
    purchases: PurchaseFigures | None
    production: ProductionFigures | None
    coverage: Coverage


async def read_figures(model: ReadModel, areas: Collection[Area], span: ReportSpan, today: date) -> CompanyFigures:
    """Return the figures of some areas; raises a `DingerpError` when the store does not answer."""
    found: dict[Area, Any] = {}
    coverage: Coverage | None = None
    for area, count in _COUNTS.items():
        if area not in areas:
            continue
        within = await model.fold(area, partial(_count_within, span), since=span.first_before, until=span.last)
        now = await model.fold(area, partial(_count_open, today), open_only=True)
        found[area] = count(within.value, now.value)
        coverage = now.coverage if coverage is None else coverage.joined(now.coverage)
    return CompanyFigures(
        sales=found.get(Area.SALES),
        invoices=found.get(Area.FINANCE),
        purchases=found.get(Area.PURCHASING),
        production=found.get(Area.PRODUCTION),
        coverage=coverage or Coverage(as_of=None, complete_since=None),
    )


@dataclass(slots=True)
class _Tally:
    """Counts documents and adds up amounts, each currency by itself."""

    count: int = 0
    done: int = 0
    without_amount: int = 0
    sums: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    paid: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, document: Document) -> None:
        self.count += 1
        if document.status is ProductionStatus.DONE:
            self.done += 1
        total = _signed(document, getattr(document, "total", None))
        if total is None:
            self.without_amount += 1
            return
        self.sums[total.currency] += total.amount
        if isinstance(document, Invoice) and (left := _signed(document, document.open_amount)) is not None:
            self.paid[total.currency] += total.amount - left.amount


@dataclass(slots=True)
class _OpenTally:
    """Counts what is late, overdue or waiting."""

    late: int = 0
    waiting: int = 0
    overdue: list[_Tally] = field(default_factory=lambda: [_Tally() for _ in range(len(AGES) + 1)])
    owed: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, document: Document, today: date) -> None:
        if isinstance(document, Invoice):
            self._add_invoice(document, today)
            return
        self.late += document.days_late(today) > 0
        self.waiting += document.status is PurchaseStatus.WAITING

    def _add_invoice(self, invoice: Invoice, today: date) -> None:
        left = _signed(invoice, invoice.open_amount)
        if left is None or invoice.status in _NO_TURNOVER:
            return
        self.owed[left.currency] += left.amount
        if days := invoice.days_overdue(today):
            bucket = self.overdue[sum(days > age for age in AGES)]
            bucket.count += 1
            bucket.sums[left.currency] += left.amount


def _signed(document: Document, amount: Money | None) -> Money | None:
    """Return an amount that lowers the sum where it is given back, whatever its sign is in the ERP."""
    if amount is None or not isinstance(document, Invoice) or not document.is_credit_note:
        return amount
    return Money(-abs(amount.amount), amount.currency)


def _count_within(span: ReportSpan, documents: Iterator[Document]) -> tuple[_Tally, _Tally]:
    now, before = _Tally(), _Tally()
    for document in documents:
        day = day_of(document)
        if document.status in _NO_TURNOVER or day is None:
            continue
        if span.first <= day <= span.last:
            now.add(document)
        elif span.first_before <= day <= span.last_before:
            before.add(document)
    return now, before


def _count_open(today: date, documents: Iterator[Document]) -> _OpenTally:
    tally = _OpenTally()
    for document in documents:
        tally.add(document, today)
    return tally


def _turnover(money_class: FieldClass, within: tuple[_Tally, _Tally]) -> Turnover:
    now, before = within

    def compared(currency: str) -> ComparedSum:
        amounts = (Money(tally.sums.get(currency, Decimal()), currency) for tally in within)
        return ComparedSum(money_class, *amounts)

    return Turnover(
        count=now.count,
        count_before=before.count,
        without_amount=now.without_amount,
        sums=tuple(compared(currency) for currency in sorted({*now.sums, *before.sums})),
    )


def _amounts(sums: Mapping[str, Decimal]) -> tuple[Money, ...]:
    return tuple(Money(amount, currency) for currency, amount in sorted(sums.items()) if amount)


def _sales(within: tuple[_Tally, _Tally], now: _OpenTally) -> SalesFigures:
    return SalesFigures(ordered=_turnover(FieldClass.AMOUNT, within), late=now.late)


def _invoices(within: tuple[_Tally, _Tally], now: _OpenTally) -> InvoiceFigures:
    return InvoiceFigures(
        invoiced=_turnover(FieldClass.AMOUNT, within),
        paid=_amounts(within[0].paid),
        owed=_amounts(now.owed),
        overdue=sum(bucket.count for bucket in now.overdue),
        ageing=tuple(_buckets(now.overdue)),
    )


def _buckets(tallies: Iterable[_Tally]) -> Iterator[AgeingBucket]:
    for first, last, tally in zip((0, *AGES), (*AGES, None), tallies, strict=True):
        yield AgeingBucket(first=first + 1, last=last, count=tally.count, sums=_amounts(tally.sums))


def _purchases(within: tuple[_Tally, _Tally], now: _OpenTally) -> PurchaseFigures:
    return PurchaseFigures(ordered=_turnover(FieldClass.COST, within), late=now.late, waiting=now.waiting)


def _production(within: tuple[_Tally, _Tally], now: _OpenTally) -> ProductionFigures:
    this, before = within
    return ProductionFigures(
        due=this.count, done=this.done, due_before=before.count, done_before=before.done, late=now.late
    )


_COUNTS: Mapping[Area, Callable[[tuple[_Tally, _Tally], _OpenTally], Any]] = {
    Area.SALES: _sales,
    Area.FINANCE: _invoices,
    Area.PURCHASING: _purchases,
    Area.PRODUCTION: _production,
}
