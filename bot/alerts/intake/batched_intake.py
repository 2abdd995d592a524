"""Validates events from all ways in and stores them in batches; acknowledgements follow the commit.

While one batch commits, the next one gathers: a burst of single events costs few commits, however many requests wait.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from bot.alerts.intake.normalization import normalize
from bot.alerts.intake.port import EventState, IntakeFull, IntakeOutcome, ReceivedEvent, Rejection, UnreadableEvent
from bot.alerts.intake.quota import SourceQuota
from bot.mechanisms.batching import Batcher
from bot.mechanisms.metrics import Metrics
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

BATCH = 1_000
"""Events per commit; it bounds the duration of a commit."""
MAX_WAITING = 20_000
"""Events that may wait for their commit; more would only fill the memory until the sender gives up. A source with
nothing waiting is never refused because another one floods.
"""
YIELD_EVERY = 50
"""Events checked before the event loop gets a turn (about 3 ms)."""
RETRY_AFTER = 2.0

EventKey = tuple[str, str, str]


class EventStore(Protocol):
    """Stores events; implemented by `bot.store.alerts.events.StoredEvents`."""

    async def keep(self, events: Collection[ReceivedEvent]) -> frozenset[EventKey]:
        """Store events with distinct keys in one transaction; return the keys of new waiting ones.

        A known event is left alone, unless it was rejected before and is waiting now. Raises `DingerpError` if nothing
        was stored.
        """
        ...


class BatchedIntake:
    """The intake that stores in batches."""

    def __init__(
        self,
        store: EventStore,
        *,
        metrics: Metrics,
        now: Callable[[], datetime],
        arrived: Callable[[], None] | None = None,
        max_waiting: int = MAX_WAITING,
        quota: SourceQuota | None = None,
    ) -> None:
        """``arrived`` is called after every commit that brought work.

        Without a ``quota`` a source may send any number of events.
        """
        self._store = store
        self._metrics = metrics
        self._now = now
        self._arrived = arrived
        self._max_waiting = max_waiting
        self._quota = quota
        self._waiting: Counter[str] = Counter()
        self._keep: Batcher[Sequence[ReceivedEvent], int] = Batcher(
            self._keep_together, BATCH, size=len, retry_alone=False
        )

    async def accept(
        self, source: str, events: Sequence[Mapping[str, object] | UnreadableEvent], *, via: str
    ) -> IntakeOutcome:
        """Store events and return after the commit. Raises `IntakeFull`, or what the store raises."""
        try:
            self._admit(source, len(events))
        except IntakeFull:
            self._metrics.events.labels(source, via, "refused").inc(len(events))
            raise
        self._count_waiting(source, len(events))
        try:
            checked = await self._checked(source, events, via)
            receipt = await self._stored(checked)
        finally:
            self._count_waiting(source, -len(events))
        if self._quota is not None:
            self._quota.add(source, receipt.accepted)
        self._tell(source, via, receipt)
        return receipt

    def _admit(self, source: str, count: int) -> None:
        if self._waiting[source] and self._waiting.total() + count > self._max_waiting:
            raise IntakeFull("too many events wait to be stored", retry_after=RETRY_AFTER)
        if self._quota is not None:
            self._quota.admit(source, count)

    async def _checked(
        self, source: str, events: Sequence[Mapping[str, object] | UnreadableEvent], via: str
    ) -> Sequence[ReceivedEvent]:
        now = self._now()
        checked = []
        for number, event in enumerate(events):
            if number % YIELD_EVERY == YIELD_EVERY - 1:
                await asyncio.sleep(0)
            checked.append(self._normalized(source, event, via, now))
        return checked

    def _normalized(
        self, source: str, event: Mapping[str, object] | UnreadableEvent, via: str, now: datetime
    ) -> ReceivedEvent:
        try:
            return normalize(source, event, via=via, now=now)
        except Exception as defect:  # one event must not prevent the storage of others
            name = type(defect).__name__
            self._metrics.errors.labels("alerts", name).inc()
            log.error("events.not_understood", source=source, via=via, error=name, exc_info=defect)
            raw = event.raw if isinstance(event, UnreadableEvent) else event
            return normalize(source, UnreadableEvent(raw, f"a defect of ours: {name}"), via=via, now=now)

    async def _stored(self, checked: Sequence[ReceivedEvent]) -> IntakeOutcome:
        if not checked:
            return IntakeOutcome(accepted=0, duplicate=0)
        parts = [checked[start : start + BATCH] for start in range(0, len(checked), BATCH)]
        new = sum(await asyncio.gather(*map(self._keep, parts))) if len(parts) > 1 else await self._keep(checked)
        rejected = tuple(Rejection(event.id, event.reason) for event in checked if event.state is EventState.REJECTED)
        return IntakeOutcome(accepted=new, duplicate=len(checked) - len(rejected) - new, rejected=rejected)

    async def _keep_together(self, parts: Sequence[Sequence[ReceivedEvent]]) -> Sequence[int]:
        """Store events in one commit; return how many of each part are new. For each key the first event counts."""
        events: dict[EventKey, ReceivedEvent] = {}
        firsts = [{event.key for event in part if _adds(events, event)} for part in parts]
        try:
            new = await self._store.keep(events.values())
        except DingerpError as error:
            log.error("events.not_stored", events=len(events), error=error.detail)
            self._metrics.errors.labels("alerts", type(error).__name__).inc()
            raise
        if new and self._arrived is not None:
            self._arrived()
        return [len(keys & new) for keys in firsts]

    def _count_waiting(self, source: str, change: int) -> None:
        self._waiting[source] += change
        self._metrics.intake_waiting.set(self._waiting.total())

    def _tell(self, source: str, via: str, receipt: IntakeOutcome) -> None:
        counted = {"accepted": receipt.accepted, "duplicate": receipt.duplicate, "rejected": len(receipt.rejected)}
        for outcome, count in counted.items():
            if count:
                self._metrics.events.labels(source, via, outcome).inc(count)
        if receipt.rejected:
            first = receipt.rejected[0]
            log.warning(
                "events.rejected", source=source, via=via, count=len(receipt.rejected), id=first.id, reason=first.reason
            )


def _adds(events: dict[EventKey, ReceivedEvent], event: ReceivedEvent) -> bool:
    """Add an event unless its key is taken; return whether it is the first understandable one of its key."""
    known = events.get(event.key)
    if known is None or (known.state is EventState.REJECTED and event.state is EventState.WAITING):
        events[event.key] = event
        return event.state is EventState.WAITING
    return False
