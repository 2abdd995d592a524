"""Figures of waits: their exact median and 90th percentile, by whatever divides them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from typing import TypeVar

from bot.efficiency.folding import Division, R
from bot.efficiency.waits import AlertWait, DecisionWait
from bot.words.phrase import Phrase, phrase

T = TypeVar("T")
_HOUR = timedelta(hours=1)


def median(times: Iterable[timedelta]) -> timedelta | None:
    """Return the middle one, or the mean of the two in the middle; None of nothing."""
    ordered = sorted(times)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def ninetieth(times: Iterable[timedelta]) -> timedelta | None:
    """Return the shortest time within which at least nine of ten lie; None of nothing."""
    ordered = sorted(times)
    return ordered[-(-9 * len(ordered) // 10) - 1] if ordered else None


def took(time: timedelta) -> Phrase:
    """Return a time in words: minutes up to two hours, then hours up to two days, then days."""
    if time < 2 * _HOUR:
        return phrase("%(number)s min", number=str(round(time / timedelta(minutes=1))))
    if time < 48 * _HOUR:
        return phrase("%(number)s h", number=str(round(time / _HOUR)))
    return phrase("%(number)s days", number=str(round(time / (24 * _HOUR), 1)))


def percent(part: int, whole: int) -> int | None:
    """Return a share in percent, rounded half up; None of nothing."""
    return (200 * part + whole) // (2 * whole) if whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFigures:
    """How long decisions took, in wall time and in working time; shares in percent, None where there is nothing to
    share.
    """

    count: int
    median: timedelta | None
    ninetieth: timedelta | None
    worked_median: timedelta | None
    worked_ninetieth: timedelta | None
    in_time: int | None
    """Of those with a deadline."""
    approved: int | None
    changed: int | None
    """Of those that approved."""
    asked: int | None
    """Of those before which the requester was asked something."""


def measure_decisions(waits: Sequence[DecisionWait]) -> DecisionFigures:
    """Return the figures of some decisions."""
    timed = [wait.in_time for wait in waits if wait.in_time is not None]
    approved = [wait for wait in waits if wait.approved]
    return DecisionFigures(
        count=len(waits),
        median=median(wait.waited for wait in waits),
        ninetieth=ninetieth(wait.waited for wait in waits),
        worked_median=median(wait.worked for wait in waits),
        worked_ninetieth=ninetieth(wait.worked for wait in waits),
        in_time=percent(sum(timed), len(timed)),
        approved=percent(len(approved), len(waits)),
        changed=percent(sum(wait.changed for wait in approved), len(approved)),
        asked=percent(sum(wait.asked for wait in waits), len(waits)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of those decisions alone that ``counts`` lets through; ``leave_out`` takes it from figures."""

    counts: Callable[[DecisionWait], bool]
    leave_out: Callable[[DecisionFigures], DecisionFigures]


SHARES = (
    Share(counts=lambda wait: wait.in_time is not None, leave_out=lambda figures: replace(figures, in_time=None)),
    Share(counts=lambda wait: wait.approved, leave_out=lambda figures: replace(figures, changed=None)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFigures:
    """What became of the alerts of one rule; shares in percent. None for what its reader may not see."""

    opened: int
    acknowledged: int | None
    acknowledged_after: timedelta | None
    """The median."""
    resolved: int
    resolved_after: timedelta | None
    ignored: int | None
    repeated: int | None


def measure_alerts(waits: Sequence[AlertWait]) -> AlertFigures:
    """Return the figures of some alerts."""
    known = [wait.acknowledged for wait in waits if wait.acknowledged is not None]
    over = [wait.resolved for wait in waits if wait.resolved is not None]
    return AlertFigures(
        opened=len(waits),
        acknowledged=len(known),
        acknowledged_after=median(known),
        resolved=len(over),
        resolved_after=median(over),
        ignored=percent(sum(wait.ignored for wait in waits), len(waits)),
        repeated=percent(sum(wait.repeated for wait in waits), len(waits)),
    )


class DividedBy(StrEnum):
    """What divides decisions; a name of a group is a number, a text, or a class of amounts."""

    LEVEL = "level"
    RULE = "rule"
    AMOUNT = "amount"
    WEEKDAY = "weekday"
    WAY = "way"
    KIND = "kind"


def divide_decisions(waits: Sequence[DecisionWait], zone: tzinfo) -> dict[DividedBy, Division[DecisionWait]]:
    """Return decisions divided by each property."""
    names: dict[DividedBy, Callable[[DecisionWait], object]] = {
        DividedBy.LEVEL: lambda wait: wait.level,
        DividedBy.RULE: lambda wait: wait.rule,
        DividedBy.AMOUNT: lambda wait: (wait.currency, wait.size),
        DividedBy.WEEKDAY: lambda wait: wait.at.astimezone(zone).isoweekday(),
        DividedBy.WAY: lambda wait: wait.way,
        DividedBy.KIND: lambda wait: wait.kind,
    }
    return {by: divide(waits, name) for by, name in names.items()}


def divide(records: Iterable[R], name: Callable[[R], object]) -> Division[R]:
    """Return records in groups by name, in the order of the names."""
    groups: dict[object, list[R]] = {}
    for record in records:
        groups.setdefault(name(record), []).append(record)
    return Division(dict(sorted(groups.items(), key=lambda item: str(item[0]))))


def month_before(month: date, months: int = 1) -> date:
    """Return the first day of an earlier month."""
    count = month.year * 12 + month.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)
