"""A company's figures for some days, compared with the days before, and what is late or owed now.

Amounts of different currencies are never added. Documents without an amount are counted separately.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from bot.erp.model import Area, Cost, Feed, Followed, Money, SalesAmount
from bot.erp.port import Period
from bot.read_model.queries import Coverage, KeptAnswer, ReadModel
from bot.read_model.tallies import Tallies, Tally, TallyKind, TallySelection
from bot.words.disclosure import HIDDEN, ClassedBy, FieldClass

B = TypeVar("B", bound="AgeingBucket")

MOST_DAYS = 62
"""Up to this many days are shown one by one; more are summed up by month."""
AGES = (30, 60, 90)
"""Days at which the customary age groups of overdue invoices end."""
_ONE_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ReportSpan:
    """The days of a report and the days it is compared with, both ends included."""

    first: date
    last: date
    first_before: date
    last_before: date

    @classmethod
    def of(cls, first: date, last: date, today: date) -> ReportSpan:
        """Return some days up to ``today``, compared with the days before.

        A month, quarter or year, whole or so far, is compared with the previous one up to the same day, a week with the
        same days of the previous week, anything else with as many days before it.
        """
        meant = Period(first, last)
        seen = Period(first, min(last, today) if first <= today else last)
        if months := next((unit for unit in _MONTHS_OF_UNITS if _is_unit(meant, seen.last == today, unit)), 0):
            before = seen.months_earlier(months)
        else:
            is_week = first.weekday() == 0 and seen.last - first < _WEEK
            count = _WEEK if is_week else seen.last - first + _ONE_DAY
            before = Period(first - count, seen.last - count)
        return cls(first, seen.last, before.first, before.last)

    @classmethod
    def year_on_year(cls, first: date, last: date, today: date) -> ReportSpan:
        """Return some days up to ``today``, compared with the same days of the year before."""
        last = min(last, today) if first <= today else last
        before = Period(first, last).months_earlier(12)
        return cls(first, last, before.first, before.last)


_MONTHS_OF_UNITS = (1, 3, 12)
"""The months of a month, a quarter and a year."""


def _is_unit(period: Period, is_so_far: bool, months: int) -> bool:
    """Return whether a period is a month, quarter or year (of ``months`` months), whole or so far."""
    first = period.first
    if first.day != 1 or (first.month - 1) % months:
        return False
    end = Period(first, first).months_earlier(-months).first - _ONE_DAY
    return period.last == end or (is_so_far and first < period.last < end)


@dataclass(frozen=True, slots=True)
class ComparedSum:
    """The total in one currency, and the total of the days before."""

    money_class: FieldClass
    now: Annotated[Money, ClassedBy("money_class")]
    before: Annotated[Money, ClassedBy("money_class")]

    @property
    def percent(self) -> int | None:
        """The change in per cent, rounded; None if the earlier total is zero, negative or hidden."""
        if self.before is HIDDEN or self.before.amount <= 0:
            return None
        return int(((self.now.amount - self.before.amount) * 100 / self.before.amount).to_integral_value())


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """Documents of some days, and their totals; ``without_amount`` of them have no amount."""

    count: int
    count_before: int
    without_amount: int
    sums: tuple[ComparedSum, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingBucket:
    """The amount overdue for ``first`` to ``last`` days; ``last`` is None for the oldest."""

    first: int
    last: int | None
    count: int
    sums: tuple[SalesAmount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayableBucket(AgeingBucket):
    """The amount the company has owed for that long."""

    sums: tuple[Cost, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesOfDays:
    """The orders of a day, or within a month; both ends are included."""

    first: date
    last: date
    count: int
    sums: tuple[SalesAmount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesFigures:
    """The orders of these days, and how many orders are late now."""

    ordered: Turnover
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFigures:
    """The amount invoiced in these days, the part paid by now, and the amount overdue now.

    ``owed`` is everything open now, due or not, minus credit notes.
    """

    invoiced: Turnover
    paid: tuple[SalesAmount, ...]
    owed: tuple[SalesAmount, ...]
    overdue: int
    ageing: tuple[AgeingBucket, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseFigures:
    """The orders to vendors in these days, and those late or waiting for approval now."""

    ordered: Turnover
    late: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayableFigures:
    """The amount billed by vendors in these days, and the amount the company owes now, minus credits."""

    billed: Turnover
    owed: tuple[Cost, ...]
    overdue: int
    ageing: tuple[PayableBucket, ...]


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
    """The figures of a report; None for areas not requested.

    ``receipts`` are customers' payments, ``payments`` those to vendors, refunds subtracted. These and the ``payables``
    are also None if no source keeps such documents; ``unknown`` are those kept only in part.
    """

    sales: SalesFigures | None
    invoices: InvoiceFigures | None
    receipts: Turnover | None
    purchases: PurchaseFigures | None
    payables: PayableFigures | None
    payments: Turnover | None
    production: ProductionFigures | None
    coverage: Coverage
    unknown: tuple[Feed, ...] = ()
    told: tuple[Followed, ...] = ()
    """The documents of the requested areas."""


async def read_figures(model: ReadModel, areas: Collection[Area], span: ReportSpan, today: date) -> CompanyFigures:
    """Return the figures of some areas; raises a `DingerpError` when the store does not answer."""
    wanted = [part for part in _PARTS if part.area in areas]
    answers = await model.tallies(
        *(_deals(part.documents, span.first_before, span.last, part.kind) for part in wanted),
        *(_what_is_due(part.documents) for part in wanted),
    )
    found: dict[str, Any] = {}
    coverage: Coverage | None = None
    unknown: dict[Feed, None] = {}
    for part, deals, due in zip(wanted, answers, answers[len(wanted) :], strict=False):
        if isinstance(part.documents, Feed) and (due.coverage.as_of is None or due.coverage.sources_missing):
            unknown |= {part.documents: None} if due.coverage.sources_missing else {}
            continue
        found[part.name] = part.count(_Figures(span, today, deals.value, due.value))
        coverage = due.coverage if coverage is None else coverage.joined(due.coverage)
    return CompanyFigures(
        **{part.name: found.get(part.name) for part in _PARTS},
        coverage=coverage or Coverage(as_of=None, complete_since=None),
        unknown=tuple(unknown),
        told=tuple(dict.fromkeys(part.documents for part in wanted)),
    )


def _deals(area: Followed, first: date, last: date, kind: TallyKind = TallyKind.TURNOVER) -> TallySelection:
    return TallySelection(area=area, kind=kind, since=first, until=last)


def _what_is_due(area: Followed) -> TallySelection:
    return TallySelection(area=area, kind=TallyKind.DUE)


async def read_sales(model: ReadModel, first: date, last: date) -> KeptAnswer[tuple[SalesOfDays, ...]]:
    """Return the orders by day, or by month if there are more than `MOST_DAYS`, the oldest first.

    Raises a `DingerpError` when the store does not answer.
    """
    (deals,) = await model.tallies(_deals(Area.SALES, first, last))
    return KeptAnswer(tuple(_sales_of(deals.value, *days) for days in split_days(first, last)), deals.coverage)


def _sales_of(deals: Tallies, first: date, last: date) -> SalesOfDays:
    total = _together(deals, first, last)
    return SalesOfDays(first=first, last=last, count=total.count, sums=_amounts(total.sums))


async def read_ageing(model: ReadModel, today: date) -> KeptAnswer[tuple[AgeingBucket, ...]]:
    """Return the overdue amounts by age; raises a `DingerpError` when the store does not answer."""
    (due,) = await model.tallies(_what_is_due(Area.FINANCE))
    return KeptAnswer(tuple(_by_age(due.value, today, AgeingBucket)), due.coverage)


async def read_payables(model: ReadModel, today: date) -> KeptAnswer[tuple[PayableBucket, ...]]:
    """Return the company's overdue debts by age; raises as `read_ageing` does."""
    (due,) = await model.tallies(_what_is_due(Feed.BILLS))
    return KeptAnswer(tuple(_by_age(due.value, today, PayableBucket)), due.coverage)


def split_days(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield each day, or each month or part of one if there are more than `MOST_DAYS`; both ends are included."""
    by_day = (last - first).days < MOST_DAYS
    while first <= last:
        end = first if by_day else min(last, first.replace(day=monthrange(first.year, first.month)[1]))
        yield first, end
        first = end + _ONE_DAY


class _Figures:
    """The figures of one area: deals of these days and of those before, and open documents."""

    def __init__(self, span: ReportSpan, today: date, deals: Tallies, due: Tallies) -> None:
        self.now = _together(deals, span.first, span.last)
        self.before = _together(deals, span.first_before, span.last_before)
        self.open = _total(due.values())
        self.late = _together(due, date.min, today - _ONE_DAY)
        self._today = today
        self._due = due

    def turnover(self, money_class: FieldClass) -> Turnover:
        def compared(currency: str) -> ComparedSum:
            amounts = (Money(tally.sums.get(currency, Decimal()), currency) for tally in (self.now, self.before))
            return ComparedSum(money_class, *amounts)

        return Turnover(
            count=self.now.count,
            count_before=self.before.count,
            without_amount=self.now.without_amount,
            sums=tuple(map(compared, sorted({*self.now.sums, *self.before.sums}))),
        )

    def ageing(self, bucket: type[B]) -> tuple[B, ...]:
        return tuple(_by_age(self._due, self._today, bucket))


def _by_age(due: Tallies, today: date, bucket: type[B]) -> Iterator[B]:
    for first, last in zip((1, *(age + 1 for age in AGES)), (*AGES, None), strict=True):
        oldest = date.min if last is None else today - timedelta(days=last)
        tally = _together(due, oldest, today - timedelta(days=first))
        yield bucket(first=first, last=last, count=tally.late, sums=_amounts(tally.sums))


def _together(tallies: Tallies, first: date, last: date) -> Tally:
    return _total(tally for day, tally in tallies.items() if day is not None and first <= day <= last)


def _total(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def _amounts(sums: Mapping[str, Decimal]) -> tuple[Money, ...]:
    return tuple(Money(amount, currency) for currency, amount in sorted(sums.items()) if amount)


def _sales(figures: _Figures) -> SalesFigures:
    return SalesFigures(ordered=figures.turnover(FieldClass.AMOUNT), late=figures.late.late)


def _invoices(figures: _Figures) -> InvoiceFigures:
    return InvoiceFigures(
        invoiced=figures.turnover(FieldClass.AMOUNT),
        paid=_amounts(figures.now.paid),
        owed=_amounts(figures.open.owed),
        overdue=figures.late.late,
        ageing=figures.ageing(AgeingBucket),
    )


def _purchases(figures: _Figures) -> PurchaseFigures:
    return PurchaseFigures(
        ordered=figures.turnover(FieldClass.COST), late=figures.late.late, waiting=figures.open.waiting
    )


def _production(figures: _Figures) -> ProductionFigures:
    return ProductionFigures(
        due=figures.now.count,
        done=figures.now.done,
        due_before=figures.before.count,
        done_before=figures.before.done,
        late=figures.late.late,
    )


def _payables(figures: _Figures) -> PayableFigures:
    return PayableFigures(
        billed=figures.turnover(FieldClass.COST),
        owed=_amounts(figures.open.owed),
        overdue=figures.late.late,
        ageing=figures.ageing(PayableBucket),
    )


def _receipts(figures: _Figures) -> Turnover:
    return figures.turnover(FieldClass.AMOUNT)


def _payments(figures: _Figures) -> Turnover:
    return figures.turnover(FieldClass.COST)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a report: its name, the area it is shown for, its documents, and the function that computes it."""

    name: str
    area: Area
    documents: Followed
    count: Callable[[_Figures], Any]
    kind: TallyKind = TallyKind.TURNOVER


_PARTS = (
    _Part("sales", Area.SALES, Area.SALES, _sales),
    _Part("invoices", Area.FINANCE, Area.FINANCE, _invoices),
    _Part("receipts", Area.FINANCE, Feed.PAYMENTS, _receipts, TallyKind.RECEIPTS),
    _Part("purchases", Area.PURCHASING, Area.PURCHASING, _purchases),
    _Part("payables", Area.PURCHASING, Feed.BILLS, _payables),
    _Part("payments", Area.PURCHASING, Feed.PAYMENTS, _payments, TallyKind.PAYMENTS),
    _Part("production", Area.PRODUCTION, Area.PRODUCTION, _production, TallyKind.COMPLETION),
)
