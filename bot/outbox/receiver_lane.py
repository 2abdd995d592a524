"""Tells one program what happened: each event at least once, those of one subject in order.

Every receiver has a lane of its own, so one that is slow or away delays only itself. While it is away, one event at a
time tries whether it is back, more seldom each time. An event that is too old is given up (`ReceiverLane.run_once`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

import structlog

from bot.mechanisms.backoff import BackoffPolicy
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.uninterrupted import UninterruptedWork
from bot.mechanisms.wakeup import Wakeup
from bot.outbox.delivery import DeliveryResult, DeliveryStepKind, OutboxRow
from bot.outbox.happenings import Happening, Receiver
from bot.outbox.ports import LEASE, ReceiverBacklog
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

SEND_SECONDS = 30.0
"""The longest time that one event takes, with the question what may be told."""
LOOK_EVERY = 2.0
"""Seconds between looks for events of other replicas; `ReceiverLane.poke` reports this one's."""
EVENT_MEDIA = "application/cloudevents+json"
"""The media type of what is sent."""
MOST_REFUSALS = 8
"""Tries after which an event is given up that its receiver refuses for what it says."""

_BACKOFF = BackoffPolicy(first=5.0, factor=3.0, longest=3600.0, spread=(0.5, 1.0))
_LONGEST_WAIT = 86_400.0
"""Of what a receiver asks for by ``Retry-After``, in seconds."""
_STORE_PAUSE = 1.0
_SWEPT_EVERY = timedelta(minutes=1)


class EventNotTaken(DingerpError):
    """A receiver did not take an event; ``is_refusal``: it refuses this one, and may take others."""

    retry: ClassVar[bool] = True

    def __init__(self, detail: str, *, retry_after: float | None = None, is_refusal: bool = False) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.is_refusal = is_refusal


class EventNotRead(DingerpError):
    """What an event is about cannot be read at the moment: its ERP does not answer."""

    retry: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class EventMessage:
    """An event for one receiver. ``id`` is the same for all receivers, and when it is sent again; events of one
    ``subject`` keep their order.
    """

    id: str
    body: bytes
    subject: str = ""


class EventWriter(Protocol):
    """Writes what a receiver may be told."""

    async def write(self, receiver: Receiver, event_id: str, happening: Happening) -> EventMessage | None:
        """Return the event as its receiver's owner may see it now; None if they may not see it, or it is gone.

        Raises a `DingerpError` if that is unknown at the moment.
        """
        ...


class EventSender(Protocol):
    """Hands events over. Every call is bounded in time."""

    async def send(self, receiver: str, message: EventMessage) -> None:
        """Return once the receiver has taken the event. Raises `EventNotTaken`."""
        ...


@dataclass(frozen=True, slots=True)
class _Told:
    """The result of one event, and the pause that its receiver needs, in seconds; None: it is there."""

    result: DeliveryResult
    pause: float | None = None


class ReceiverLane:
    """Sends the events of one receiver. Several replicas share them by leases."""

    def __init__(
        self,
        receiver: Receiver,
        backlog: ReceiverBacklog,
        writer: EventWriter,
        sender: EventSender,
        *,
        worker: str,
        metrics: Metrics,
        now: Callable[[], datetime],
        draw: Callable[[], float],
        give_up_after: timedelta = timedelta(days=3),
        at_once: int = 8,
    ) -> None:
        """``worker`` is a name that no other lane has or had; ``draw`` returns numbers from 0 to 1 for the jitter."""
        self.receiver = receiver
        self._backlog = backlog
        self._writer = writer
        self._sender = sender
        self._worker = worker
        self._metrics = metrics
        self._now = now
        self._draw = draw
        self._give_up_after = give_up_after
        self._at_once = at_once
        self._failures = 0
        """Rounds in a row in which the receiver was away."""
        self._away_until: datetime | None = None
        self._sweep_at = now()
        self._storing = UninterruptedWork()
        self._wakeup = Wakeup()

    def poke(self) -> None:
        """Wake the lane: something has happened, or is begun anew."""
        self._wakeup.call()

    async def run(self) -> None:
        """Run until cancelled; events that are being sent are then given back."""
        is_free = False
        try:
            while True:
                self._wakeup.clear()
                try:
                    if not is_free:
                        await self._storing.run(self._backlog.free(self.receiver.place))
                        is_free = True
                    more = await self.run_once()
                except DingerpError as error:
                    log.warning("receiver.not_read", error=type(error).__name__, detail=error.detail)
                    more = False
                if not more:
                    await self._wakeup.sleep(LOOK_EVERY)
        finally:
            await self._break_off()

    async def run_once(self) -> bool:
        """Send the events whose turn it is; return whether more may be due."""
        now = self._now()
        if self._away_until is not None and now < self._away_until:
            return False
        if self._sweep_at <= now:
            await self._give_up(now)
        place = self.receiver.place
        room = 1 if self._failures else self._at_once
        rows = await self._storing.run(self._backlog.claim_first(self._worker, place, room=room, now=now))
        told = await asyncio.gather(*(self._tell(row) for row in rows))
        self._note([each.pause for each in told])
        await asyncio.gather(*(self._store(row, each) for row, each in zip(rows, told, strict=True)))
        return bool(rows)

    async def _give_up(self, now: datetime) -> None:
        reason = f"not taken within {self._give_up_after / timedelta(hours=1):g} hours"
        before = now - self._give_up_after
        if dead := await self._storing.run(self._backlog.give_up(self.receiver.place, before, now, reason)):
            self._count("dead", dead)
            log.error("receiver.dead", receiver=self.receiver.name, events=dead, reason=reason)
        self._sweep_at = now + _SWEPT_EVERY

    async def _tell(self, row: OutboxRow) -> _Told:
        happening, event_id = Happening.from_text(row.ref), row.card.rpartition(":")[2]
        try:
            async with asyncio.timeout(SEND_SECONDS):
                message = await self._writer.write(self.receiver, event_id, happening)
                if message is None:
                    hidden = "its owner may not see it, or it is gone"
                    return _Told(DeliveryResult(what=DeliveryStepKind.NOTHING, reason=hidden))
                await self._sender.send(self.receiver.name, message)
        except EventNotRead as error:
            # The receiver may take what other ERPs tell.
            return _Told(self._again(error.detail, self._pause(row.tries + 1, error)))
        except EventNotTaken as error:
            return self._refused(row, error) if error.is_refusal else self._failed(row, error)
        except DingerpError as error:
            return self._failed(row, error)
        except TimeoutError:
            return self._failed(row, EventNotTaken(f"not finished within {SEND_SECONDS:g} s"))
        except Exception as defect:
            # An event that cannot be written must neither block the others nor be lost.
            self._metrics.errors.labels("receivers", type(defect).__name__).inc()
            log.error("receiver.defect", card=row.card, exc_info=defect)
            return self._refused(row, EventNotTaken(f"a defect: {type(defect).__name__}"))
        late = max(timedelta(0), self._now() - row.due_at)
        self._metrics.receiver_late.labels(self.receiver.name).observe(late.total_seconds())
        return _Told(DeliveryResult(what=DeliveryStepKind.WRITTEN, revision=row.wanted, late=late))

    def _refused(self, row: OutboxRow, error: EventNotTaken) -> _Told:
        """Return the result for an event that is refused: it is tried again on its own, and given up soon."""
        if row.tries + 1 >= MOST_REFUSALS:
            return _Told(DeliveryResult(what=DeliveryStepKind.DEAD, reason=error.detail))
        return _Told(self._again(error.detail, self._pause(row.tries + 1, error)))

    def _failed(self, row: OutboxRow, error: DingerpError) -> _Told:
        pause = self._pause(self._failures + 1, error)
        return _Told(self._again(error.detail or type(error).__name__, pause), pause)

    def _again(self, reason: str, pause: float) -> DeliveryResult:
        again = self._now() + timedelta(seconds=pause)
        return DeliveryResult(what=DeliveryStepKind.RETRIED, reason=reason, again_at=again)

    def _pause(self, failures: int, error: DingerpError) -> float:
        return max(_BACKOFF.pause(failures, self._draw()), min(error.retry_after or 0.0, _LONGEST_WAIT))

    def _note(self, pauses: list[float | None]) -> None:
        """Note whether the receiver is there."""
        away = [pause for pause in pauses if pause is not None]
        if away:
            self._failures += 1
            self._away_until = self._now() + timedelta(seconds=max(away))
        elif pauses:
            self._failures, self._away_until = 0, None

    async def _store(self, row: OutboxRow, told: _Told) -> None:
        """Store a result until the database accepts it: once the lease has ended, the event is sent again."""
        result = told.result
        if told.pause is not None and self._away_until is not None:
            result = replace(result, again_at=self._away_until)
        self._count(result.what.value)
        if result.what is DeliveryStepKind.DEAD:
            log.error("receiver.dead", receiver=self.receiver.name, card=row.card, reason=result.reason)
        elif result.what is DeliveryStepKind.RETRIED:
            log.warning("receiver.trouble", receiver=self.receiver.name, card=row.card, reason=result.reason)
        while True:
            try:
                if not await self._storing.run(self._backlog.settle(self._worker, row, result, self._now())):
                    log.warning("receiver.lease_over", card=row.card)
                return
            except DingerpError as error:
                log.warning("receiver.not_stored", error=type(error).__name__, detail=error.detail)
                await asyncio.sleep(_STORE_PAUSE)

    def _count(self, what: str, events: int = 1) -> None:
        self._metrics.receiver_events.labels(self.receiver.name, what).inc(events)

    async def _break_off(self) -> None:
        await self._storing.wait()
        try:
            await self._backlog.release(self._worker, self._now())
        except DingerpError as error:
            # The leases expire on their own.
            log.warning("receiver.not_released", error=type(error).__name__, detail=error.detail)


assert LEASE.total_seconds() > SEND_SECONDS + 10 * _STORE_PAUSE
