"""The ERP's own lead times: in how many days a document leads to the next one of its business, by the days that the
ERPs tell, out of the documents that are kept.

A *step* leads from documents of one kind to those of another: to what delivers, receives, bills or settles them. Which
steps there are follows from what the kinds say of themselves (`bot.erp.kinds`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any, TypeAlias

from bot.alerts.rules.schedule import is_workday
from bot.efficiency.figures import median, ninetieth, percent
from bot.erp.counting import counts, goes_back
from bot.erp.index.folding import key_of
from bot.erp.kinds import FOLLOWED, Kind
from bot.erp.list_query import Filter
from bot.erp.model import Area, ErpRecord, Followed, PartnerName, Progress
from bot.read_model.queries import Coverage, ReadModel

_DAY = timedelta(days=1)
_Key: TypeAlias = tuple[str, str]
"""A source, and a number in small letters."""
_Names: TypeAlias = Callable[[Any], tuple[str, ...]]


def _number(document: ErpRecord) -> tuple[str, ...]:
    return (document.number,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Documents of the kind ``start`` wait for those of the kind ``end``.

    They belong together that have one of ``names`` and ``named`` in common. Where the end names what it is of, several
    may be needed, and the last one counts: ``is_direct``. Documents that only belong to the same order do not say which
    is of which: the first on the same day or later counts.
    """

    start: Kind[Any]
    end: Kind[Any]
    names: _Names = _number
    named: _Names
    is_direct: bool = True

    @property
    def areas(self) -> frozenset[Area]:
        """The areas whose rules bind both; a kind of several areas follows the start."""
        ends = self.end.areas
        return frozenset((self.start.area, *(ends if len(ends) == 1 else ())))

    @property
    def is_own(self) -> bool:
        """Whether it is the time from the start of a document to its own finish."""
        return self.start == self.end

    def day(self, document: ErpRecord) -> date | None:
        """Return the day on which a document at the end of the step happened; None for what did not happen yet."""
        if self.is_own:
            done = self.end.filters[Filter.DONE]
            return done.day(document) if done.holds(document, date.max) else None
        return self.end.day(document) if _happened(self.end, document) else None

    def is_complete(self, document: ErpRecord) -> bool:
        """Return whether nothing more is to come for a document at the start."""
        orders = self.end.orders
        moved = orders.moved(document) if orders and orders.moved and not self.is_own else None
        return moved is Progress.FULL or not self.start.is_unfinished(document)

    def due(self, document: ErpRecord) -> date | None:
        """Return the day that was promised for the end of the step."""
        return self.start.due(document) if self.is_direct else None


def _happened(kind: Kind[Any], document: ErpRecord) -> bool:
    """Whether a document is more than a plan or a draft: goods moved, and everything else is agreed on."""
    is_planned = bool(kind.order_call) and kind.is_unfinished(document)
    return counts(document) and not goes_back(document) and not is_planned


def _settled(kind: Kind[Any], billed: Kind[Any], payment: Any) -> tuple[str, ...]:
    """Return what a payment settles of one side: an invoice and a bill may have the same number."""
    return payment.settles if kind.belongs_to(payment) == billed.area else ()


def _steps() -> Iterator[Step]:
    for order in FOLLOWED:
        later = [kind for kind in FOLLOWED if kind.origin == order]
        moved = next((kind for kind in later if kind.order_call), None)
        billed = next((kind for kind in later if kind.is_owed), None)
        if moved:
            yield Step(start=order, end=moved, named=moved.order_numbers)
        if moved and billed:
            yield Step(start=moved, end=billed, names=moved.order_numbers, named=billed.order_numbers, is_direct=False)
        if billed:
            yield from (
                Step(start=billed, end=kind, named=partial(_settled, kind, billed))
                for kind in FOLLOWED
                if kind.inside == "settles"
            )
    yield from (Step(start=kind, end=kind, named=_number) for kind in FOLLOWED if Filter.DONE in kind.filters)


STEPS: tuple[Step, ...] = tuple(_steps())
"""In the order of the business; each has another kind at its start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCase:
    """A document at the start of a step, and when the step ended; None while it waits."""

    command: str
    """The command that shows the document."""
    number: str
    partner: PartnerName
    """Whom it is with; what is made, of production."""
    began: date
    ended: date | None
    due: date | None = None
    source: str
    books: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_late(self) -> bool | None:
        """Whether it ended after the promised day; None where none was promised, and while it waits."""
        return None if self.due is None or self.ended is None else self.ended > self.due

    def days(self, today: date) -> int:
        """Return how many days it took, or waits up to ``today``; what came before its start took none."""
        return max(0, ((self.ended or today) - self.began).days)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCases:
    """The cases of one step that one reader may see.

    ``untold`` are sources whose documents do not say what belongs together, or are not all kept. ``waiting`` is None
    where the reader may not see all that ends the step: what they do not see would seem to wait.
    """

    step: Step
    ended: tuple[LeadCase, ...]
    waiting: tuple[LeadCase, ...] | None
    untold: tuple[str, ...]
    coverage: Coverage

    @property
    def is_told(self) -> bool:
        """Whether any source tells the step."""
        return bool(self.ended or self.waiting) or not self.untold

    def tells_of(self, month: date) -> bool:
        """Return whether no document of a month is missing, at sources whose documents are kept."""
        since = self.coverage.complete_since
        return since is not None and since <= month

    def of_month(self, month: date) -> tuple[LeadCase, ...]:
        """Return the cases that ended in a month."""
        return tuple(each for each in self.ended if each.ended and each.ended.replace(day=1) == month)


_Ends: TypeAlias = Mapping[_Key, Sequence[date]]


@dataclass(slots=True)
class _Found:
    """The cases among the documents at the start of a step."""

    ended: list[LeadCase] = field(default_factory=list)
    waiting: list[LeadCase] = field(default_factory=list)


async def read_step(
    model: ReadModel, step: Step, *, sources: Collection[str], hides: Callable[[Followed], bool]
) -> StepCases:
    """Return the cases of a step out of the kept documents of ``sources``, which the reader may see.

    ``hides`` says of which documents some are not for the reader. Raises a `DingerpError` when the store is
    unavailable.
    """
    ends = await model.fold(step.end.followed, partial(_read_ends, step))
    told = {source for source, _ in ends.value} - {*ends.coverage.sources_missing}
    found = await model.fold(step.start.followed, partial(_read_cases, step, ends.value, told))
    coverage = ends.coverage.joined(found.coverage)
    is_partial = not step.is_direct and hides(step.end.followed)
    return StepCases(
        step=step,
        ended=tuple(found.value.ended),
        waiting=None if is_partial else tuple(found.value.waiting),
        untold=tuple(source for source in sources if source not in told),
        coverage=coverage,
    )


def _read_ends(step: Step, documents: Iterable[ErpRecord]) -> _Ends:
    """Return the days, in order, on which what has a name happened."""
    found: dict[_Key, list[date]] = {}
    for document in documents:
        if (day := step.day(document)) is not None:
            for name in step.named(document):
                found.setdefault((document.source, key_of(name)), []).append(day)
    return {key: sorted(days) for key, days in found.items()}


def _read_cases(step: Step, ends: _Ends, told: Collection[str], documents: Iterable[ErpRecord]) -> _Found:
    found = _Found()
    for document in documents:
        began = step.start.day(document)
        if document.source not in told or began is None or not _happened(step.start, document):
            continue
        names = step.names(document)
        days = [day for name in names for day in ends.get((document.source, key_of(name)), ())]
        case = LeadCase(
            command=step.start.command,
            number=document.number,
            partner=step.start.partner_of(document) or step.start.title(document),
            began=began,
            ended=_ended(step, document, began, days),
            due=step.due(document),
            source=document.source,
        )
        if case.ended is not None:
            found.ended.append(case)
        elif step.start.is_unfinished(document) if step.is_direct else names:
            found.waiting.append(case)
    return found


def _ended(step: Step, document: ErpRecord, began: date, days: Sequence[date]) -> date | None:
    if not days or (step.is_direct and not step.is_complete(document)):
        return None
    if step.is_direct:
        return max(days)
    return min((day for day in days if day >= began), default=max(days))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFigures:
    """How long some cases took, in whole days; shares in percent, None where there is nothing to share.

    ``worked`` is the median of the working days after the day of the start.
    """

    count: int
    median: timedelta | None
    ninetieth: timedelta | None
    worked: timedelta | None
    late: int | None
    """Of those with a promised day."""
    promised: int


def measure_cases(cases: Sequence[LeadCase], today: date) -> LeadFigures:
    """Return the figures of cases, those that wait as of ``today``."""
    days = [each.days(today) * _DAY for each in cases]
    working = WorkingDays.of((each.began for each in cases), today)
    late = [each.is_late for each in cases if each.is_late is not None]
    return LeadFigures(
        count=len(cases),
        median=median(days),
        ninetieth=ninetieth(days),
        worked=median(working.between(each.began, each.ended or today) * _DAY for each in cases),
        late=percent(sum(late), len(late)),
        promised=len(late),
    )


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The working days of some time, in order."""

    days: tuple[date, ...]

    @classmethod
    def of(cls, begins: Iterable[date], last: date) -> WorkingDays:
        """Return those from the first beginning up to ``last``."""
        first = min(begins, default=last)
        each = (first + number * _DAY for number in range((last - first).days + 1))
        return cls(tuple(day for day in each if is_workday(day)))

    def between(self, begin: date, end: date) -> int:
        """Return how many there are after ``begin`` up to ``end``."""
        return max(0, bisect_right(self.days, end) - bisect_right(self.days, begin))


def by_partner(cases: Iterable[LeadCase]) -> dict[str, list[LeadCase]]:
    """Return cases by the name of the partner, those with the most first."""
    found: dict[str, list[LeadCase]] = {}
    for case in cases:
        found.setdefault(case.partner, []).append(case)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def slowest(figures: Mapping[Step, LeadFigures]) -> Step | None:
    """Return the step with the longest median; None where none has any."""
    known = {step: each.median for step, each in figures.items() if each.median is not None}
    return max(known, key=lambda step: known[step], default=None)
