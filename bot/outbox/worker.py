"""Empties the outbox: claims due rows, composes their newest state, sends within budgets, records every step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from types import MappingProxyType

import structlog

from bot.cards.card import Card, ViewRenderer
from bot.cards.notices import LostCardNotice
from bot.cards.view import View
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.tracing import CARD, COMPOSE, DELIVERY, Trace, step, tracing
from bot.mechanisms.uninterrupted import UninterruptedWork
from bot.mechanisms.wakeup import LOOK_EVERY, Wakeup
from bot.outbox.budgets import SendLimits
from bot.outbox.delivery import (
    LOST_TRACK,
    Delivery,
    DeliveryFormat,
    DeliveryResult,
    DeliveryStepKind,
    DingWay,
    OutboxRow,
    Urgency,
)
from bot.outbox.outage import AWAY, OutageWatch
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import (
    LEASE,
    NOBODY_CALLED,
    NOBODYS,
    CallingComposer,
    ComposedCard,
    Composer,
    FoldBatch,
    Marker,
    MarkerKeeper,
    MarkerRequest,
    MarkerState,
    Messenger,
    OutboxStore,
    SendFailed,
    SendFailureKind,
    SharingComposer,
    UnbilledWriter,
)
from bot.outbox.retry import resolve_failure, retry_delay
from bot.outbox.spending import falling_back, purpose_of_kind, spending
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)


SEND_SECONDS = 60.0
"""The maximum duration of one delivery; `LEASE` is longer, so a row is free again only when nobody sends it any
more.
"""

_SHARE = 4
"""The worker claims more when a quarter of its capacity is free: one query for several cards."""

_SEPARATING = frozenset({SendFailureKind.NO_CARDS, SendFailureKind.HOPELESS, SendFailureKind.SPENT})
"""Failures of a card at several places that may be due to one of them, or that each place may get around."""

_REACHED = frozenset({DeliveryStepKind.SENT, DeliveryStepKind.UPDATED, DeliveryStepKind.WRITTEN})
"""Steps that each prove that DingTalk works."""
_ANSWERED = frozenset(SendFailureKind) - AWAY - {SendFailureKind.UNCOMPOSED, SendFailureKind.DEFECT}
"""Failures that each prove the same: DingTalk refused."""

_STORE_PAUSE = 1.0

_LOST = ComposedCard(LostCardNotice(), LOST_TRACK, marker=Marker(state=MarkerState.GONE))
"""The content of an existing card whose subject is lost."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A card ready to send, and the revision it shows."""

    card: Card
    revision: int
    own: Mapping[str, Card] = field(default_factory=lambda: NOBODYS)
    marker: Marker | None = None
    ding: DingWay = DingWay.OFF
    called: Mapping[str, str] = field(default_factory=lambda: NOBODY_CALLED)


_NO_KEEPERS: Mapping[DeliveryFormat, MarkerKeeper] = MappingProxyType({})


async def _nothing_closed(_places: Sequence[Place]) -> frozenset[str]:
    return frozenset()


def _group(place: Place) -> str:
    return place.id if place.kind is PlaceKind.GROUP else ""


class OutboxWorker:
    """One worker. Several, even in several processes, share rows and budgets through the database."""

    def __init__(
        self,
        backlog: OutboxStore,
        messenger: Messenger,
        composers: Mapping[str, Composer],
        renderer: ViewRenderer,
        *,
        worker: str,
        track_of: Callable[[str], str],
        language_of: Callable[[Place], str],
        metrics: Metrics,
        now: Callable[[], datetime],
        draw: Callable[[], float],
        sparing: Callable[[], bool] = lambda: False,
        reserved: Callable[[], bool] = lambda: False,
        unbilled: UnbilledWriter | None = None,
        markers: Mapping[DeliveryFormat, MarkerKeeper] = _NO_KEEPERS,
        closed_at: Callable[[Sequence[Place]], Awaitable[frozenset[str]]] = _nothing_closed,
        limits: SendLimits | None = None,
        at_once: int = 16,
        tries: int = 8,
        look_every: Callable[[], timedelta] = lambda: LOOK_EVERY,
        traced: Callable[[Trace], None] = lambda _trace: None,
    ) -> None:
        """``worker`` is a name that no other worker has or had.

        ``track_of`` returns a card's DingTalk id, always the same for the same key; ``draw`` returns numbers from 0 to
        1 for the jitter; ``sparing`` tells whether the month's calls run out, ``reserved`` whether the remaining ones
        are for urgent cards alone (`bot.outbox.quota`). When none are left, these go by ``unbilled``. ``markers``
        maintain what is outside the chats. ``closed_at`` returns the commands that would refuse readers at these
        places: no button of a card there leads to them.
        """
        self._backlog = backlog
        self._messenger = messenger
        self._composers = composers
        self._renderer = renderer
        self._worker = worker
        self._track_of = track_of
        self._language_of = language_of
        self._metrics = metrics
        self._now = now
        self._draw = draw
        self._sparing = sparing
        self._reserved = reserved
        self._unbilled = unbilled
        self._markers = markers
        self._closed_at = closed_at
        self._unshown: set[Place] = set()
        """Places where an urgent card waits for an unbilled way."""
        self._opened: set[Place] = set()
        """Those of them that have such a way now."""
        self._outage = OutageWatch()
        self._limits = limits or SendLimits()
        self._at_once = at_once
        self._tries = tries
        self._look_every = look_every
        self._traced = traced
        self._sending: set[asyncio.Task[None]] = set()
        self._storing = UninterruptedWork()
        """Database calls: they continue in its thread after a cancellation."""
        self._wakeup = Wakeup()
        self._beside: list[Callable[[], None]] = []

    def poke(self) -> None:
        """Wake the worker, and who works beside it: new rows are queued."""
        self._wakeup.call()
        for poke in self._beside:
            poke()

    def beside(self, poke: Callable[[], None]) -> None:
        """Have others woken that take rows of their own from the outbox."""
        self._beside.append(poke)

    def open_way(self, place: Place) -> None:
        """Retry urgent cards that could not be shown at a place: an unbilled way may be open now."""
        if place in self._unshown:
            self._unshown.discard(place)
            self._opened.add(place)
            self.poke()

    async def enqueue(self, *deliveries: Delivery) -> None:
        """Queue the newest state of cards; in an open transaction use `bot.store.outbox.queue.enqueue` instead."""
        await self._backlog.enqueue(*deliveries, now=self._now())
        self.poke()

    async def run(self) -> None:
        """Run until cancelled; then deliveries in progress are cancelled and their rows given back."""
        try:
            await self._recover()
            while True:
                self._wakeup.clear()
                try:
                    look_at = await self.run_once()
                except DingerpError as error:
                    log.warning("outbox.not_read", error=type(error).__name__, detail=error.detail)
                    look_at = self._now() + timedelta(seconds=_STORE_PAUSE)
                await self._sleep(look_at)
        finally:
            await self._break_off()

    async def run_once(self) -> datetime | None:
        """Claim and start the rows that can be sent now; return when to check again if nothing else happens."""
        room = self._at_once - len(self._sending)
        if room < max(1, self._at_once // _SHARE) or (self._outage.is_away and self._sending):
            return None  # the next delivery to end wakes the loop
        if self._outage.is_away:
            if (probe_at := self._outage.probe_at(self._now())) > self._now():
                return probe_at
            room = 1
            await self._storing.run(self._backlog.hasten_failed(AWAY, self._now(), first=True))
        while self._opened:
            await self._storing.run(self._backlog.hasten(self._opened.pop(), self._now()))
        claiming = self._backlog.claim(
            self._worker,
            self._limits,
            room=room,
            sparing=self._sparing(),
            reserved=self._reserved(),
            now=self._now(),
        )
        claim = await self._storing.run(claiming)
        for row in claim.rows:
            self._start(row)
        for folding in claim.foldings:
            await self._fold(folding)
        return self._now() if claim.foldings else claim.look_at

    async def idle(self) -> None:
        """Wait until nothing is being sent."""
        while self._sending:
            await asyncio.wait(self._sending)

    async def _recover(self) -> None:
        try:
            if freed := await self._storing.run(self._backlog.recover(self._now())):
                log.info("outbox.recovered", rows=freed)
        except DingerpError as error:
            # The leases of a dead process expire on their own.
            log.warning("outbox.not_recovered", error=type(error).__name__, detail=error.detail)

    async def _sleep(self, look_at: datetime | None) -> None:
        ends = self._now() + self._look_every()
        await self._wakeup.sleep((min(look_at or ends, ends) - self._now()).total_seconds())

    async def _break_off(self) -> None:
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._storing.wait()
        try:
            await self._backlog.release(self._worker, self._now())
        except DingerpError as error:
            # The leases expire on their own.
            log.warning("outbox.not_released", error=type(error).__name__, detail=error.detail)

    def _start(self, row: OutboxRow) -> None:
        task = asyncio.create_task(self._trace(row))
        self._sending.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._wakeup.call()
        if not task.cancelled() and (error := task.exception()):
            self._metrics.errors.labels("outbox", type(error).__name__).inc()
            log.error("outbox.defect", error=type(error).__name__, exc_info=error)

    async def _trace(self, row: OutboxRow) -> None:
        with tracing(DELIVERY, self._now(), self._traced) as trace:
            trace.cause = row.fact
            result = await self._deliver(row)
            trace.note(row.kind, result.what, "")

    async def _deliver(self, row: OutboxRow) -> DeliveryResult:
        late = max(timedelta(0), self._now() - row.due_at)
        sending = False
        try:
            async with asyncio.timeout(SEND_SECONDS):
                with step(COMPOSE):
                    ready = await self._prepare(row)
                if isinstance(ready, _Ready):
                    sending = True
                    with spending(purpose_of_kind(row.kind), _group(row.place)), step(CARD):
                        result = await self._send_somehow(row, ready, late)
                else:
                    result = ready
        except SendFailed as failure:
            result = self._failed(row, failure)
        except DingerpError as error:
            trouble = SendFailureKind.UNCOMPOSED if error.retry else SendFailureKind.SETUP
            result = self._failed(row, SendFailed(trouble, f"{type(error).__name__}: {error.detail}"))
        except TimeoutError:
            trouble = SendFailureKind.UNKNOWN if sending else SendFailureKind.UNCOMPOSED
            result = self._failed(row, SendFailed(trouble, f"not finished within {SEND_SECONDS:g} s"))
        except Exception as defect:
            # A card that cannot be composed or rendered must neither block the others nor be lost.
            self._metrics.errors.labels("outbox", type(defect).__name__).inc()
            log.error("outbox.defect", card=row.card, kind=row.kind, exc_info=defect)
            ours = SendFailed(SendFailureKind.DEFECT, f"a defect: {type(defect).__name__}")
            result = self._failed(row, ours, certain=not sending)
        if result.what is DeliveryStepKind.DEAD and row.is_urgent_and_unseen:
            result = await self._call_elsewhere(row, result)
        self._count(row, result, late)
        await self._until_stored(row.card, partial(self._backlog.settle, self._worker, row, result))
        await self._watch_outage(result)
        return result

    async def _watch_outage(self, result: DeliveryResult) -> None:
        """Record whether DingTalk is unreachable; when it is back, everything that failed meanwhile is due."""
        if result.trouble in AWAY:
            self._outage.failed(self._now())
        elif (result.what in _REACHED or result.trouble in _ANSWERED) and self._outage.worked():
            hasten = partial(self._backlog.hasten_failed, AWAY)
            await self._until_stored("what failed in an outage", hasten)

    async def _prepare(self, row: OutboxRow) -> _Ready | DeliveryResult:
        """Return the card in its newest state, or the result if there is nothing to send."""
        if row.is_message and row.shown:
            return DeliveryResult(
                what=DeliveryStepKind.KEPT, revision=row.wanted, reason="a plain message cannot be changed"
            )
        if row.is_message and row.doubt:
            reason = "its sending was broken off: it may stand, and a second one might be one too many"
            return DeliveryResult(what=DeliveryStepKind.WRITTEN, revision=row.wanted, reason=reason)
        composed = await self._composer(row).compose(row.ref)
        if composed.view is None and row.shown == LOST_TRACK:
            composed = _LOST
        if composed.view is None:
            return DeliveryResult(what=DeliveryStepKind.NOTHING, revision=row.shown)
        if composed.too_late and not row.shown and not row.doubt:
            return DeliveryResult(what=DeliveryStepKind.NOTHING)
        if row.shown >= composed.revision and composed is not _LOST:
            return DeliveryResult(what=DeliveryStepKind.KEPT, revision=row.shown)
        zone = self._now().tzinfo
        assert zone is not None, "the clock gives aware times"
        card = await self._render(composed.view, row.places, self._language(composed, row.place), zone)
        own = {
            seen.user_id: await self._render(seen.view, (seen.place,), self._language(composed, seen.place), zone)
            for seen in composed.own
        }
        return _Ready(card, composed.revision, own, composed.marker, composed.ding, composed.called)

    async def _render(self, view: View, places: Sequence[Place], language: str, zone: tzinfo) -> Card:
        closed = view.closed | await self._closed_at(places)
        shown = replace(view, closed=closed) if closed else view
        return self._renderer.render(shown, language, zone=zone, trail=())

    def _language(self, composed: ComposedCard, place: Place) -> str:
        return composed.language or self._language_of(place)

    async def _send_somehow(self, row: OutboxRow, ready: _Ready, late: timedelta) -> DeliveryResult:
        """Send a row; urgent and unseen cards go by an unbilled way when the month's calls are used up.

        A card that certainly cannot stand at several places together is split into one for each.
        """
        try:
            return await self._send(row, ready, late)
        except SendFailed as failure:
            if row.via.is_marker:
                raise
            if row.also and not row.shown and not row.doubt and failure.trouble in _SEPARATING:
                await self._separate(row, row.places)
                return DeliveryResult(what=DeliveryStepKind.SEPARATED, reason=failure.detail)
            calls = row.via is DeliveryFormat.DING
            urgent = row.urgency is Urgency.NOW and not row.shown and not row.doubt and not calls
            if failure.trouble is not SendFailureKind.SPENT or not urgent or self._unbilled is None:
                raise
            # Recorded first: a way that opens during the search must not be missed.
            self._unshown.add(row.place)
            with falling_back():
                if not await self._unbilled.write(row.place, ready.card):
                    raise
            self._unshown.discard(row.place)
            return DeliveryResult(what=DeliveryStepKind.WRITTEN, revision=ready.revision, late=late)

    async def _send(self, row: OutboxRow, ready: _Ready, late: timedelta) -> DeliveryResult:
        card, revision = ready.card, ready.revision
        if row.via.is_marker:
            return await self._keep_marker(row, ready, late)
        if row.is_message:
            if row.via is DeliveryFormat.DING:
                await self._messenger.ding(row.place, card, ready.ding)
            else:
                await self._messenger.write(row.place, card)
            return DeliveryResult(what=DeliveryStepKind.WRITTEN, revision=revision, late=late)
        track = self._track_of(row.track_key)
        if row.shown:
            await self._messenger.change(track, card, row.made_as, ready.own)
            return DeliveryResult(
                what=DeliveryStepKind.UPDATED, revision=revision, made_as=row.made_as, track_id=track, late=late
            )
        missed = await self._show(row, track, ready)
        if row.doubt and row.doubt != revision:
            # An earlier attempt may have created the card with older content; then this one has changed nothing.
            await self._messenger.change(track, card, card.name, ready.own)
        if missed:
            await self._separate(row, missed)
        return DeliveryResult(
            what=DeliveryStepKind.SENT, revision=revision, made_as=card.name, track_id=track, late=late
        )

    async def _keep_marker(self, row: OutboxRow, ready: _Ready, late: timedelta) -> DeliveryResult:
        """Create or remove a marker; one already in the wanted state costs no call."""
        keeper = self._markers.get(row.via)
        if keeper is None or ready.marker is None:
            raise SendFailed(SendFailureKind.HOPELESS, f"nobody keeps what stands as {row.via.value}")
        track = self._track_of(row.track_key)
        standing = await keeper.keep(
            MarkerRequest(
                place=row.place,
                track_id=track,
                card=ready.card,
                marker=ready.marker,
                standing=row.standing,
                doubtful=bool(row.doubt),
            )
        )
        if standing == row.standing:
            what = DeliveryStepKind.KEPT if row.shown else DeliveryStepKind.NOTHING
            return DeliveryResult(what=what, revision=row.shown)
        what = DeliveryStepKind.UPDATED if row.shown else DeliveryStepKind.SENT
        return DeliveryResult(what=what, revision=ready.revision, track_id=track, standing=standing, late=late)

    async def _show(self, row: OutboxRow, track: str, ready: _Ready) -> tuple[Place, ...]:
        """Create the card, and return the places it did not reach."""
        if row.also:
            return await self._messenger.show(row.places, track, ready.card, own=ready.own)
        return await self._messenger.show(row.places, track, ready.card, called=ready.called)

    async def _separate(self, row: OutboxRow, places: Sequence[Place]) -> None:
        composer = self._composer(row)
        if not isinstance(composer, SharingComposer):
            raise SendFailed(SendFailureKind.HOPELESS, f"cards of the kind {row.kind!r} cannot be separated")
        log.info("outbox.separated", card=row.card, places=len(places))
        await composer.separate(row.card, row.ref, places)

    async def _call_elsewhere(self, row: OutboxRow, result: DeliveryResult) -> DeliveryResult:
        """Have people called whom a card has not reached; the row is retried once if that cannot be stored."""
        composer = self._composers.get(row.kind)
        people = [place for place in row.places if place.kind is PlaceKind.PERSON]
        if not people or not isinstance(composer, CallingComposer):
            return result
        try:
            await composer.call_elsewhere(row.ref, people)
        except DingerpError as error:
            log.warning("outbox.not_called", card=row.card, error=type(error).__name__, detail=error.detail)
            again = self._now() + timedelta(seconds=retry_delay(SendFailureKind.BUSY, 3, None, self._draw()))
            return replace(result, what=DeliveryStepKind.RETRIED, again_at=again, counts=False)
        return result

    def _composer(self, row: OutboxRow) -> Composer:
        composer = self._composers.get(row.kind)
        if composer is None:
            # A newer replica may have queued it, and will take it.
            raise SendFailed(SendFailureKind.DEFECT, f"nobody composes cards of the kind {row.kind!r}")
        return composer

    def _failed(self, row: OutboxRow, failure: SendFailed, *, certain: bool = True) -> DeliveryResult:
        result = resolve_failure(row, failure, most=self._tries, chance=self._draw(), now=self._now())
        result = replace(result, certain=result.certain and certain)
        # A card that may stand may be clicked.
        return result if result.certain else replace(result, track_id=self._track_of(row.track_key))

    async def _fold(self, folding: FoldBatch) -> None:
        place, kind, rows = folding.fold.place, folding.fold.kind, folding.rows
        result, problem = (
            DeliveryResult(what=DeliveryStepKind.FOLDED, reason=f"{len(rows)} cards over the budget of the place"),
            "",
        )
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._composer(rows[0]).fold([row.ref for row in rows], str(place))
        except DingerpError as error:
            problem = f"{type(error).__name__}: {error.detail}"
        except TimeoutError:
            problem = f"not finished within {SEND_SECONDS:g} s"
        except Exception as defect:
            # As in `_deliver`: a batch that cannot be folded is retried and must not block the others.
            self._metrics.errors.labels("outbox", type(defect).__name__).inc()
            log.error("outbox.defect", kind=kind, exc_info=defect)
            problem = f"a defect: {type(defect).__name__}"
        if problem:
            log.warning("outbox.not_folded", kind=kind, cards=len(rows), reason=problem)
            again = self._now() + timedelta(seconds=retry_delay(SendFailureKind.UNCOMPOSED, 3, None, self._draw()))
            result = DeliveryResult(
                what=DeliveryStepKind.RETRIED, reason=f"not folded: {problem}", again_at=again, counts=False
            )
        else:
            log.info("outbox.folded", kind=kind, cards=len(rows))
        self._metrics.deliveries.labels(result.what).inc(len(rows))
        await self._until_stored(kind, partial(self._backlog.settle_fold, self._worker, rows, result))

    def _count(self, row: OutboxRow, result: DeliveryResult, late: timedelta) -> None:
        self._metrics.deliveries.labels(result.what).inc()
        if result.what in (DeliveryStepKind.SENT, DeliveryStepKind.UPDATED, DeliveryStepKind.WRITTEN):
            self._metrics.delivery_late.observe(late.total_seconds())
        if result.what is DeliveryStepKind.DEAD:
            log.error("outbox.dead", card=row.card, kind=row.kind, reason=result.reason)
        elif result.what in (DeliveryStepKind.RETRIED, DeliveryStepKind.NO_CARD, DeliveryStepKind.GONE):
            log.warning("outbox.trouble", card=row.card, what=result.what.value, reason=result.reason)

    async def _until_stored(self, what: str, store: Callable[..., Awaitable[bool | None]]) -> None:
        """Store a result, retrying until the database accepts it.

        Once the lease has ended, another worker may have sent it again, under the same id: no second card.
        """
        while True:
            try:
                if await self._storing.run(store(now=self._now())) is False:
                    log.warning("outbox.lease_over", what=what)
                return
            except DingerpError as error:
                log.warning("outbox.not_stored", what=what, error=type(error).__name__, detail=error.detail)
                await asyncio.sleep(_STORE_PAUSE)


assert LEASE.total_seconds() > SEND_SECONDS + 10 * _STORE_PAUSE
