"""Builds the figures of efficiency: the leader keeps them up to date, and each process adds how fast it answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import TypeAlias

from prometheus_client import Histogram

from bot.bootstrap.infrastructure import Infrastructure
from bot.efficiency.speeds import TimeCount, Timed
from bot.efficiency.working_time import WorkingHours
from bot.erp.errors import AuthFailed, RateLimited, Unavailable, UnknownOutcome
from bot.mechanisms.background import Runs, repeat
from bot.mechanisms.metrics import Metrics, count_by
from bot.store.efficiency import StoredEfficiency

_FILLED_EVERY = 60.0

_FAILURES = frozenset(
    {"timeout", "crashed", *(error.__name__ for error in (AuthFailed, RateLimited, Unavailable, UnknownOutcome))}
)
"""Outcomes of calls that are the ERP's failures: "not found" and "not permitted" are answers."""

_TimeClass: TypeAlias = tuple[Timed, str, timedelta | None]


async def start_efficiency(base: Infrastructure) -> StoredEfficiency:
    """Return the figures, which the leader fills from now on."""
    zone = base.now().tzinfo
    assert zone is not None, "the clock is in the company's zone"
    hours = base.settings.hours
    working = WorkingHours(zone, hours.spans, hours.saturdays)
    figures = StoredEfficiency(base.database, working, base.now)
    speeds = SpeedRecorder(base.metrics, figures.add_speeds)

    async def fill() -> None:
        await repeat(figures.fill, every=_FILLED_EVERY, failed="efficiency.not_filled")

    async def record() -> None:
        await repeat(speeds.record, every=_FILLED_EVERY, failed="efficiency.speeds_not_kept")

    await base.run_in_background(fill, "efficiency", Runs.WITH_LEAD)
    await base.run_in_background(record, "speeds", Runs.EVERYWHERE)
    return figures


class SpeedRecorder:
    """Adds what the metrics counted since the last time. What a process counts in its last minute is not kept."""

    def __init__(self, metrics: Metrics, add: Callable[[Sequence[TimeCount]], Awaitable[None]]) -> None:
        self._metrics = metrics
        self._add = add
        self._recorded: Counter[_TimeClass] = Counter()

    async def record(self) -> None:
        """Add the news; what could not be added is added with the next ones."""
        counted = Counter(dict(_count_times(self._metrics)))
        news = counted - self._recorded
        await self._add(
            [
                TimeCount(timed=timed, source=source, within=within, number=number)
                for (timed, source, within), number in news.items()
            ]
        )
        self._recorded = counted


def _count_times(metrics: Metrics) -> Iterator[tuple[_TimeClass, int]]:
    """Yield what was counted since the start."""
    for within, number in _classes(metrics.answer_seconds):
        yield (Timed.ANSWERS, "", within), number
    for source in count_by(metrics.erp_seconds, "source", of="_count"):
        for within, number in _classes(metrics.erp_seconds, source=source):
            yield (Timed.CALLS, source, within), number
        outcomes = count_by(metrics.erp_calls, "outcome", source=source)
        yield (Timed.FAILURES, source, None), round(sum(outcomes.get(each, 0) for each in _FAILURES))


def _classes(histogram: Histogram, **wanted: str) -> Iterator[tuple[timedelta | None, int]]:
    """Yield each class of time with its count; a bucket of Prometheus counts the shorter ones as well."""
    reached = {float(within): number for within, number in count_by(histogram, "le", of="_bucket", **wanted).items()}
    for (_, shorter), (within, number) in pairwise(((0.0, 0.0), *sorted(reached.items()))):
        yield None if within == float("inf") else timedelta(seconds=within), round(number - shorter)
