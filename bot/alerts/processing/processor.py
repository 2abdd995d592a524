"""The loop of alert processing: takes waiting events in batches, runs due work, sleeps until there is more.

Each batch is one transaction: events are marked done, alerts and cards changed and deliveries queued together, or not
at all. After a crash at any moment the same events simply wait again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Protocol, TypeVar

import structlog

from bot.alerts import top_boxes
from bot.alerts.event import Event, correlate
from bot.alerts.intake.envelope import InvalidEvent
from bot.alerts.intake.normalization import split_events
from bot.alerts.intake.port import StoredEvent
from bot.alerts.processing import timers
from bot.alerts.processing.pipeline import process_event
from bot.alerts.processing.timers import DueWork
from bot.alerts.repository import AlertRepository, AlertUnitOfWork, UnreadableRecord
from bot.alerts.routing import AlertRules
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.tracing import Trace, TraceStep
from bot.mechanisms.wakeup import LOOK_EVERY, Wakeup
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

T = TypeVar("T")

BATCH = 50
"""Events per transaction, about 13 ms of CPU time: it bounds how long questions wait for the database.

With 200 an event costs a fifth less, but in a storm acknowledgements came three times as late (measured).
"""

_MAX_PAUSE = 0.1
"""The longest pause, in seconds, between two batches of a storm. Each pause is as long as the batch took."""

_SWEEPS_AT_LEAST = timedelta(seconds=1)
"""The minimum interval of due work while events keep coming."""
_PRUNED_EVERY = timedelta(hours=1)
_OTHER_PROCESS_RETRY = 0.2
"""Seconds before a retry while another process holds the lock: new events may have missed its batch."""
_RETRY = 1.0
"""Seconds before a retry while the database is unavailable."""


class AlertProcessingRepository(AlertRepository, Protocol):
    """The alert repository together with the waiting events."""

    def waiting(self, limit: int) -> Sequence[StoredEvent]:
        """Return the next waiting events in order: the worst first, sources taking turns."""
        ...

    def done(self, seqs: Sequence[int]) -> None:
        """Mark events as processed."""
        ...

    def reject(self, seq: int, reason: str) -> None:
        """Reject an event with the reason, unless another process has done so."""
        ...


class AlertProcessingTransactions(Protocol):
    """Opens the repository for one unit of work at a time across all processes."""

    async def try_transact(self, work: Callable[[AlertProcessingRepository], T]) -> T | None:
        """Return the result of ``work`` after the commit; None if another process is at work, and then nothing was
        done.

        Raises `DingerpError` if nothing could be stored, `UnreadableRecord`, and whatever ``work`` raises.
        """
        ...

    async def prune(self, now: datetime) -> None:
        """Delete what ended long ago."""
        ...


class AlertProcessor:
    """Processes events and timers. `run` must be running; `poke` reports new work."""

    def __init__(
        self,
        transactions: AlertProcessingTransactions,
        *,
        unit: Callable[[AlertRepository], AlertUnitOfWork],
        now: Callable[[], datetime],
        metrics: Metrics,
        owed: Callable[[], None] | None = None,
        batch: int = BATCH,
        look_every: Callable[[], timedelta] = lambda: LOOK_EVERY,
        traced: Callable[[Trace], None] = lambda _trace: None,
    ) -> None:
        """``unit`` begins a unit of work with the current rules; ``owed`` is called when deliveries may be queued, and
        wakes the outbox. ``traced`` gets the trace of each event that was processed.
        """
        self._transactions = transactions
        self._unit = unit
        self._now = now
        self._metrics = metrics
        self._owed = owed
        self._batch = batch
        self._look_every = look_every
        self._traced = traced
        self._traces: list[Trace] = []
        """Those of the batch at hand, to be told once it is stored."""
        self._wakeup = Wakeup()
        self._swept_at: datetime | None = None
        self._pruned_at: datetime | None = None
        self._reviewed: AlertRules | None = None
        """The rules at the last review of existing alerts."""

    def poke(self) -> None:
        """Wake the loop: events arrived, or a person acted on an alert."""
        self._wakeup.call()

    async def run(self) -> None:
        """Work until cancelled. Retries while the database is unavailable; nothing is lost."""
        while True:
            try:
                pause = await self.round()
            except DingerpError as error:
                self._traces.clear()
                log.error("alerts.not_stored", error=error.detail)
                self._metrics.errors.labels("alerts", type(error).__name__).inc()
                pause = _RETRY
            await self._wakeup.sleep(pause)

    async def round(self) -> float:
        """Process current work, events first; return the seconds until the next work is due."""
        self._wakeup.clear()
        while await self._take_and_rest():
            if self._swept_at is None or self._now() - self._swept_at >= _SWEEPS_AT_LEAST:
                await self._sweep()
        await self._sweep()
        await self._prune()
        ahead = await self._transactions.try_transact(lambda found: (found.next_due(), self._unit(found).rules))
        if ahead is None:
            return _OTHER_PROCESS_RETRY
        due, rules = ahead
        if rules is not self._reviewed:
            await self._review(rules)
        longest = self._look_every().total_seconds()
        return longest if due is None else min(max((due - self._now()).total_seconds(), 0.0), longest)

    async def _review(self, rules: AlertRules) -> None:
        """Apply rule changes since the start, or since the last edit, to existing alerts and cards."""
        try:
            owed = await self._transactions.try_transact(lambda repository: top_boxes.review(self._unit(repository)))
        except DingerpError:
            raise
        except Exception as defect:
            log.error("alerts.review_failed", exc_info=defect)
            self._metrics.errors.labels("alerts", type(defect).__name__).inc()
            owed = 0
        if owed is None:
            return  # another process has the lock: next round
        self._reviewed = rules
        if owed:
            self._tell_outbox()

    async def _take_and_rest(self) -> bool:
        """Process one batch; if there may be more, first yield the database and the interpreter to others."""
        clock = asyncio.get_running_loop().time
        began = clock()
        if not await self._take():
            return False
        await asyncio.sleep(min(clock() - began, _MAX_PAUSE))
        return True

    async def _take(self) -> bool:
        """Process one batch; return whether there may be more."""
        try:
            seqs = await self._transactions.try_transact(self._work_on_batch)
        except DingerpError:
            raise
        except Exception as defect:  # noqa: BLE001 - a defect in one event must not stop the others: go one by one
            log.warning("alerts.batch_failed", error=type(defect).__name__)
            return await self._take_one_by_one()
        if seqs:
            self._tell_outbox()
        return seqs is not None and len(seqs) >= self._batch

    async def _take_one_by_one(self) -> bool:
        for _ in range(self._batch):
            first: list[StoredEvent] = []
            try:
                seqs = await self._transactions.try_transact(partial(self._work_on_first, first))
            except DingerpError:
                raise
            except Exception as defect:  # noqa: BLE001 - set aside with its reason; logged with where it comes from
                await self._set_aside(first, defect)
                continue
            if not seqs:
                return False
            self._tell_outbox()
        return True

    async def _set_aside(self, first: Sequence[StoredEvent], defect: Exception) -> None:
        name = type(defect).__name__
        reason = str(defect) if isinstance(defect, UnreadableRecord) else f"a defect of ours: {name}"
        self._metrics.errors.labels("alerts", name).inc()
        for stored in first:
            log.error("alerts.event_failed", source=stored.source, id=stored.id, type=stored.type, exc_info=defect)
            await self._transactions.try_transact(partial(_reject, stored, reason))

    def _work_on_first(self, first: list[StoredEvent], repository: AlertProcessingRepository) -> tuple[int, ...]:
        """Process the next event and leave it in ``first``, so that a failure can name it."""
        first[:] = repository.waiting(1)
        return self._work_on(repository, first)

    def _work_on_batch(self, repository: AlertProcessingRepository) -> tuple[int, ...]:
        return self._work_on(repository, repository.waiting(self._batch))

    def _work_on(self, repository: AlertProcessingRepository, waiting: Sequence[StoredEvent]) -> tuple[int, ...]:
        self._traces.clear()
        if not waiting:
            return ()
        unit = self._unit(repository)
        done, all_parts = [], []
        for stored in waiting:
            if not stored.is_opened:
                repository.reject(stored.seq, stored.reason)
                log.error("events.not_opened", source=stored.source, id=stored.id, reason=stored.reason)
                self._metrics.errors.labels("alerts", "NotOpened").inc()
                continue
            try:
                parts = split_events(stored)
            except InvalidEvent as fault:
                # Understood on arrival, but not by this version.
                repository.reject(stored.seq, str(fault))
                log.warning("events.rejected", source=stored.source, id=stored.id, reason=str(fault))
                continue
            done.append(stored)
            all_parts.append(parts)
        _prefetch(repository, [part for parts in all_parts for part in parts])
        for stored, parts in zip(done, all_parts, strict=True):
            began = monotonic()
            process_event(unit, parts)
            self._traces.append(_trace(stored, unit.now, monotonic() - began))
        repository.done([stored.seq for stored in done])
        return tuple(stored.seq for stored in waiting)

    async def _sweep(self) -> None:
        self._swept_at = self._now()
        while True:
            try:
                count = await self._transactions.try_transact(self._sweep_all)
            except DingerpError:
                raise
            except Exception as defect:  # noqa: BLE001 - what fails is postponed, so that it never stops the rest
                log.warning("alerts.sweep_failed", error=type(defect).__name__)
                await self._sweep_one_by_one()
                self._tell_outbox()
                return
            if not count:
                return
            self._tell_outbox()
            # Work that is always due must not keep events waiting.
            if self._now() - self._swept_at >= _SWEEPS_AT_LEAST:
                return

    def _sweep_all(self, repository: AlertProcessingRepository) -> int:
        unit = self._unit(repository)
        due = timers.find_due(unit)
        timers.run_due(unit, due)
        return len(due)

    async def _sweep_one_by_one(self) -> None:
        found = await self._transactions.try_transact(lambda repository: timers.find_due(self._unit(repository)))
        for due in found.single() if found is not None else ():
            try:
                await self._transactions.try_transact(partial(self._sweep_one, due))
            except DingerpError:
                raise
            except Exception as defect:  # noqa: BLE001 - postponed; logged with where it comes from
                await self._postpone(due, defect)

    def _sweep_one(self, due: DueWork, repository: AlertProcessingRepository) -> None:
        timers.run_due(self._unit(repository), due)

    async def _postpone(self, due: DueWork, defect: Exception) -> None:
        log.error("alerts.sweep_failed", alerts=due.alerts, cards=due.cards, exc_info=defect)
        self._metrics.errors.labels("alerts", type(defect).__name__).inc()
        await self._transactions.try_transact(lambda repository: timers.postpone(self._unit(repository), due))

    def _tell_outbox(self) -> None:
        for trace in self._traces:
            self._traced(trace)
        self._traces.clear()
        if self._owed is not None:
            self._owed()

    async def _prune(self) -> None:
        now = self._now()
        if self._pruned_at is None or now - self._pruned_at >= _PRUNED_EVERY:
            self._pruned_at = now
            await self._transactions.prune(now)


def _trace(stored: StoredEvent, now: datetime, seconds: float) -> Trace:
    waited, took = round((now - stored.received_at).total_seconds() * 1000), round(seconds * 1000)
    trace = Trace(stored.received_at, "event", command=stored.type, cause=f"{stored.source}/{stored.id}")
    trace.steps.append(TraceStep("process", stored.source, "ok", waited, took))
    trace.outcome, trace.took = "processed", waited + took
    return trace


def _reject(stored: StoredEvent, reason: str, repository: AlertProcessingRepository) -> None:
    repository.reject(stored.seq, reason)


def _prefetch(repository: AlertProcessingRepository, parts: Sequence[Event]) -> None:
    repository.expect([correlate(part).key for part in parts], [part.subject for part in parts])
