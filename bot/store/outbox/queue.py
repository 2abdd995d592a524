"""The outbox's table: rows are queued in the transaction of their cause, claimed within the budgets, and settled."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, case, delete, func, insert, not_, select, text, update
from sqlalchemy.engine import Connection

from bot.mechanisms.batching import Batcher
from bot.mechanisms.wakeup import SharedWork
from bot.outbox.budgets import BudgetWindow, FoldKey, SendLimits, SendPlan, budget_costs, plan_sends
from bot.outbox.delivery import (
    NEEDS_REDRAW,
    Delivery,
    DeliveryFormat,
    DeliveryResult,
    DeliveryState,
    DeliveryStepKind,
    OutboxRow,
    Urgency,
)
from bot.outbox.place import Place
from bot.outbox.ports import LEASE, ClaimedRows, FoldBatch, SendFailureKind
from bot.store.announcements import announce
from bot.store.database import Database, Stored
from bot.store.outbox.ledger import CardLedger, NotedCard
from bot.store.outbox.queries import UNSEEN, read_places, settled_values, stands_at, step, upsert, write_places
from bot.store.record_codec import IN_MILLISECONDS, Codecs, PlainCodec, RecordCodec
from bot.store.replicas import has_ended
from bot.store.row_times import duration_from_ms, duration_to_ms, from_ms, to_ms
from bot.store.statements import execute_many
from bot.store.tables import DELIVERY, DELIVERY_SPEND, DELIVERY_STEP

_D, _S = DELIVERY.c, DELIVERY_SPEND.c

_SCAN = 200
"""Due rows examined by one claim; rows that have to wait are postponed, so that others come up."""

_AT_ONCE = 500
"""Rows folded by one digest at a time."""

_CARD_RETENTION = timedelta(days=730)
"""An alert may be open for long without news. At its end its card must still be known, or it could not change."""

_PLACE_CHANGES = frozenset(
    {DeliveryStepKind.SENT, DeliveryStepKind.UPDATED, DeliveryStepKind.WRITTEN, DeliveryStepKind.GONE}
)

_LOCK = 0x64696E6F
"""Advisory lock for claims on PostgreSQL: two processes claiming at the same time would both spend one budget."""

_THIS = _D.card == bindparam("which")
_LEASED = update(DELIVERY).where(_THIS).values({name: bindparam(name) for name in ("lease", "lease_ms", "doubt")})
_POSTPONED = update(DELIVERY).where(_THIS).values(next_ms=bindparam("next_ms"))

# The statements of every claim, built once: building one takes as long as SQLite needs to run it.
_AT: BindParameter[int] = bindparam("at")
_FREE = case((_D.next_ms > _D.lease_ms, _D.next_ms), else_=_D.lease_ms)
_OWED = and_(_D.state == DeliveryState.QUEUED, _D.urgency <= Urgency.LATER.rank)
"""Cards that are queued: what programs are owed has a queue of its own (`bot.store.outbox.happenings`)."""
_DUE = (
    select(DELIVERY)
    .where(_OWED, _D.next_ms <= _AT, _D.lease_ms <= _AT)
    .order_by(_D.urgency, _D.due_ms)
    .limit(_SCAN)
    # A row being written is left to the next claim.
    .with_for_update(skip_locked=True)
)
_SPENT = select(_S.bucket, _S.until_ms).where(_S.bucket.in_(bindparam("buckets", expanding=True)), _S.until_ms > _AT)
_SPENT_BEFORE = delete(DELIVERY_SPEND).where(_S.until_ms <= _AT)
_NEXT = select(func.min(_FREE)).where(_OWED, _FREE > _AT)
_BY_RANK = tuple(sorted(Urgency, key=attrgetter("rank")))
DELIVERY_VALUES: Codecs = {
    **IN_MILLISECONDS,
    Urgency: PlainCodec(attrgetter("rank"), _BY_RANK.__getitem__),
    timedelta: PlainCodec(duration_to_ms, duration_from_ms),
    tuple[Place, ...]: PlainCodec(write_places, read_places),
}
OUTBOX_ROW = RecordCodec(OutboxRow, DELIVERY_VALUES, names={"due_at": "due_ms"})


def enqueue(connection: Connection, *deliveries: Delivery, now: datetime) -> None:
    """Queue the newest state of cards within the caller's transaction, which has to wake the worker after its commit.

    There is one row per card: the highest revision, the earliest time and the greatest urgency win. A revision already
    shown or given up is queued again only when a higher one comes.
    """
    if not deliveries:
        return
    at = to_ms(now)
    # Always in the same order, so that no two transactions wait for each other's rows.
    rows = [_row(delivery, at) for delivery in sorted(deliveries, key=lambda delivery: delivery.card)]
    connection.execute(upsert(connection.dialect.name), rows)
    steps = [
        step(delivery.card, at, DeliveryStepKind.QUEUED, delivery.revision, detail=delivery.fact)
        for delivery in deliveries
    ]
    connection.execute(insert(DELIVERY_STEP), steps)
    announce(connection, SharedWork.DELIVERIES)


def withdraw(connection: Connection, cards: Iterable[str]) -> None:
    """Cancel the delivery of these cards; called by `bot.outbox.ports.Composer.fold` in its own transaction."""
    for card in sorted(cards):
        connection.execute(
            update(DELIVERY).where(_D.card == card, _D.state == DeliveryState.QUEUED).values(state=DeliveryState.FOLDED)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxDelay:
    """Since when the first row of the queue could be taken, and since when a card is due; None with an empty queue.

    ``owed`` counts the due cards by the failure of their last attempt; the empty text stands for waiting for a budget.
    """

    free_since: datetime | None
    due_since: datetime | None
    owed: Mapping[str, int] = field(default_factory=dict)


class StoredBacklog(Stored):
    """Stores the outbox."""

    def __init__(self, database: Database, ledger: CardLedger | None = None) -> None:
        """``ledger`` records shown cards; only a worker's backlog needs one."""
        super().__init__(database)
        self._ledger = ledger
        self._settled: Batcher[_Settlement, bool] = Batcher(self._settle_together)

    async def enqueue(self, *deliveries: Delivery, now: datetime) -> None:
        """Queue the newest state of cards, in a transaction of its own."""
        await self._database.run(lambda connection: enqueue(connection, *deliveries, now=now))

    async def claim(
        self, worker: str, limits: SendLimits, *, room: int, sparing: bool, now: datetime, reserved: bool = False
    ) -> ClaimedRows:
        """Claim rows that are due and within the budgets."""
        return await self._database.run(partial(_claim, worker, limits, room, sparing, reserved, now))

    async def hasten(self, place: Place, now: datetime) -> None:
        waiting = and_(stands_at(place), _D.state == DeliveryState.QUEUED, _D.urgency == Urgency.NOW.rank)
        at = to_ms(now)
        unseen = and_(_D.shown == 0, _D.doubt == 0, _D.next_ms > at, _D.due_ms <= at)
        hastened = update(DELIVERY).where(waiting, unseen).values(next_ms=at)
        await self._database.execute(hastened)

    async def hasten_failed(self, troubles: Collection[SendFailureKind], now: datetime, *, first: bool = False) -> None:
        at = to_ms(now)
        failed = and_(_OWED, _D.trouble.in_(sorted(troubles)), _D.lease == "")
        later = and_(failed, _D.next_ms > at)
        if first:
            worst = select(_D.card).where(failed).order_by(_D.urgency, _D.due_ms).limit(1).scalar_subquery()
            later = and_(later, _D.card == worst)
        await self._database.execute(update(DELIVERY).where(later).values(next_ms=at))

    async def settle(self, worker: str, row: OutboxRow, result: DeliveryResult, now: datetime) -> bool:
        """Store the outcome of a row; outcomes of the same moment share a commit."""
        return await self._settled(_Settlement(worker, row, result, now))

    async def settle_fold(self, worker: str, rows: Sequence[OutboxRow], result: DeliveryResult, now: datetime) -> None:
        """Store the outcome of a fold batch."""
        await self._settle_together([_Settlement(worker, row, result, now) for row in rows])

    async def release(self, worker: str, now: datetime) -> int:
        return await self._database.run(lambda connection: _release(connection, worker, now))

    async def recover(self, now: datetime) -> int:
        """Release all cards on SQLite, which only one process uses; on PostgreSQL leases expire on their own."""
        if self._database.dialect != "sqlite":
            return 0
        return await self._database.run(lambda connection: _release(connection, None, now))

    async def take_over(self, now: datetime) -> int:
        """Release what replicas hold that have ended, cards and events alike; return how many rows. PostgreSQL alone.

        One that only stands still keeps its rows until their leases end: it may go on sending when it wakes.
        """
        return await self._database.run(partial(_take_over, self._database.process, now))

    async def prune(self, before: datetime) -> None:
        """Delete older settled rows and steps; rows of shown cards stay for another `_CARD_RETENTION`."""
        limit, standing = to_ms(before), to_ms(before - _CARD_RETENTION)

        def forget(connection: Connection) -> None:
            stays = and_(_D.shown != 0, _D.urgency <= Urgency.LATER.rank, _D.changed_ms >= standing)
            old = and_(_D.changed_ms < limit, not_(stays))
            connection.execute(delete(DELIVERY).where(old, _D.state != DeliveryState.QUEUED))
            connection.execute(delete(DELIVERY_STEP).where(DELIVERY_STEP.c.at_ms < limit))

        await self._database.run(forget)

    async def _settle_together(self, ended: Sequence[_Settlement]) -> Sequence[bool]:
        held = await self._database.run(partial(_settle_all, ended))
        noted = [_noted(each) for each, is_held in zip(ended, held, strict=True) if is_held and each.changes_place]
        if noted and self._ledger is not None:
            await asyncio.to_thread(self._ledger.try_to, partial(self._ledger.note, noted))
        return held

    async def overdue(self, now: datetime) -> OutboxDelay:
        """Return the delay of the queue."""
        is_due = case((_D.due_ms <= to_ms(now), 1), else_=0)
        query = (
            select(_D.trouble, func.sum(is_due), func.min(_FREE), func.min(_D.due_ms)).where(_OWED).group_by(_D.trouble)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return OutboxDelay(
            free_since=from_ms(min((free for _, _, free, _ in rows), default=None)),
            due_since=from_ms(min((due for _, _, _, due in rows), default=None)),
            owed={trouble: int(count) for trouble, count, _, _ in rows if count},
        )

    async def unreached(self, since: datetime) -> Mapping[Place, str]:
        """Return the places where a card was given up unseen since then and none was shown later, with the reason."""
        return await self._database.read(partial(_read_unreached, since_ms=to_ms(since)))

    async def waiting(self) -> int:
        query = select(func.count()).select_from(DELIVERY).where(_OWED)
        count: int = await self._database.run(lambda connection: connection.execute(query).scalar_one())
        return count


def _read_unreached(connection: Connection, since_ms: int) -> Mapping[Place, str]:
    recent = _D.changed_ms >= since_ms
    to_people = _D.urgency <= Urgency.LATER.rank
    dead = select(_D.place, _D.reason, _D.changed_ms).where(recent, to_people, UNSEEN).order_by(_D.changed_ms)
    given_up = {row.place: (row.changed_ms, row.reason) for row in connection.execute(dead)}
    if not given_up:
        return {}
    shown = select(_D.place, func.max(_D.changed_ms).label("at")).where(recent, _D.shown > 0).group_by(_D.place)
    reached: dict[str, int] = {row.place: row.at for row in connection.execute(shown)}
    return {Place.parse(place): why for place, (at, why) in given_up.items() if at > reached.get(place, 0)}


def _row(delivery: Delivery, at: int) -> dict[str, object]:
    due = to_ms(delivery.due_at)
    return {
        "card": delivery.card,
        "place": str(delivery.place),
        "also": write_places(delivery.also),
        "kind": delivery.kind,
        "ref": delivery.ref,
        "fact": delivery.fact,
        "urgency": delivery.urgency.rank,
        "state": DeliveryState.QUEUED,
        "via": _format_of(delivery),
        "wanted": delivery.revision,
        "shown": NEEDS_REDRAW if delivery.stands_as else 0,
        "doubt": 0,
        "tries": 0,
        "due_ms": due,
        "next_ms": due,
        "lease": "",
        "lease_ms": 0,
        "made_as": delivery.stands_as,
        "making": 0,
        "standing": "",
        "track": "",
        "changed_ms": at,
        "reason": "",
        "trouble": "",
    }


def _format_of(delivery: Delivery) -> DeliveryFormat:
    return DeliveryFormat.STANDING if delivery.stands_as else delivery.via


def _claim(
    worker: str,
    limits: SendLimits,
    room: int,
    sparing: bool,
    reserved: bool,
    now: datetime,
    connection: Connection,
) -> ClaimedRows:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    at = to_ms(now)
    rows = [OUTBOX_ROW.read_row(row) for row in connection.execute(_DUE, {"at": at})]
    if not rows:
        return ClaimedRows(look_at=_next(connection, at))
    budget = BudgetWindow(_spent(connection, rows, limits, sparing, at), now)
    made = plan_sends(rows, budget, limits, room=room, sparing=sparing, reserved=reserved, now=now)
    foldings = _foldings(connection, made, at)
    folded = {row.card for folding in foldings for row in folding.rows}
    _postpone(connection, {card: until for card, until in made.postpone.items() if card not in folded})
    _lease(connection, worker, [row for row, _ in made.take], now, sending=True)
    _lease(connection, worker, [row for folding in foldings for row in folding.rows], now, sending=False)
    _spend(connection, worker, made, now)
    # Rows waiting for the next second stay in front, and the rows behind them wait too.
    more_behind = len(rows) == _SCAN and len(made.take) < room and made.look_at is None
    look_at = now if more_behind else min(filter(None, (made.look_at, _next(connection, at))), default=None)
    return ClaimedRows(rows=tuple(row for row, _ in made.take), foldings=foldings, look_at=look_at)


def _spent(
    connection: Connection, rows: Iterable[OutboxRow], limits: SendLimits, sparing: bool, at: int
) -> Mapping[str, list[datetime]]:
    buckets = {need.bucket for row in rows for need in budget_costs(row, limits, sparing=sparing)}
    spent: dict[str, list[datetime]] = {}
    for bucket, until in connection.execute(_SPENT, {"buckets": list(buckets), "at": at}):
        spent.setdefault(bucket, []).append(from_ms(until))
    return spent


def _foldings(connection: Connection, made: SendPlan, at: int) -> tuple[FoldBatch, ...]:
    """Return the rows of each fold, including postponed ones; a single row is not folded."""
    taken = {row.card for row, _ in made.take}
    foldings = [
        FoldBatch(fold, _foldable(connection, fold, taken, at, urgent=fold in made.crowded)) for fold in made.fold
    ]
    return tuple(folding for folding in foldings if len(folding.rows) > 1)


def _foldable(
    connection: Connection, fold: FoldKey, taken: set[str], at: int, *, urgent: bool
) -> tuple[OutboxRow, ...]:
    least = Urgency.NOW.rank if urgent else Urgency.NOW.rank + 1
    query = (
        select(DELIVERY)
        .where(_D.state == DeliveryState.QUEUED, _D.place == str(fold.place), _D.kind == fold.kind)
        .where(_D.shown == 0, _D.doubt == 0, _D.urgency >= least, _D.due_ms <= at, _D.lease_ms <= at)
        .order_by(_D.due_ms)
        .limit(_AT_ONCE)
    )
    rows = map(OUTBOX_ROW.read_row, connection.execute(query.with_for_update(skip_locked=True)))
    return tuple(row for row in rows if row.card not in taken)


def _lease(connection: Connection, worker: str, rows: Sequence[OutboxRow], now: datetime, *, sending: bool) -> None:
    """Lease rows. A card about to be created is in doubt until settled: the process may die in between."""
    until = to_ms(now + LEASE)
    leased = [
        {
            "which": row.card,
            "lease": worker,
            "lease_ms": until,
            "doubt": (row.doubt or row.wanted) if sending and not row.shown else row.doubt,
        }
        for row in rows
    ]
    execute_many(connection, _LEASED, leased)


def _postpone(connection: Connection, cards: Mapping[str, datetime]) -> None:
    later = [{"which": card, "next_ms": to_ms(until)} for card, until in cards.items()]
    execute_many(connection, _POSTPONED, later)


def _spend(connection: Connection, worker: str, made: SendPlan, now: datetime) -> None:
    spends = [
        {
            "bucket": need.bucket,
            "card": row.card,
            "worker": worker,
            "window_ms": duration_to_ms(need.window),
            "until_ms": to_ms(now + LEASE + need.window),
        }
        for row, wanted in made.take
        for need in wanted
    ]
    if spends:
        connection.execute(_SPENT_BEFORE, {"at": to_ms(now)})
        connection.execute(insert(DELIVERY_SPEND), spends)


def _next(connection: Connection, at: int) -> datetime | None:
    """Return when the next queued row becomes due and free."""
    found: int | None = connection.scalar(_NEXT, {"at": at})
    return from_ms(found)


@dataclass(frozen=True, slots=True)
class _Settlement:
    """The outcome of a row, as reported by its worker."""

    worker: str
    row: OutboxRow
    result: DeliveryResult
    now: datetime

    @property
    def changes_place(self) -> bool:
        """Whether the place shows a new state."""
        return self.result.what in _PLACE_CHANGES


def _settle_all(ended: Sequence[_Settlement], connection: Connection) -> tuple[bool, ...]:
    """Store outcomes, and return for each whether its worker still held the row.

    Rows change in the same order everywhere, so that no two transactions wait for each other's rows.
    """
    in_order = sorted(ended, key=lambda settlement: settlement.row.card)
    held = {id(settlement): _settle(connection, settlement) for settlement in in_order}
    connection.execute(insert(DELIVERY_STEP), [_step_of(settlement) for settlement in ended])
    for worker in {settlement.worker for settlement in ended}:
        mine = [settlement for settlement in ended if settlement.worker == worker]
        _end_calls(connection, to_ms(mine[0].now), worker, [settlement.row.card for settlement in mine])
    return tuple(held[id(settlement)] for settlement in ended)


def _settle(connection: Connection, settlement: _Settlement) -> bool:
    row, result = settlement.row, settlement.result
    at = to_ms(settlement.now)
    again = at if result.again_at is None else to_ms(result.again_at)
    settled = update(DELIVERY).where(_D.card == row.card, _D.lease == settlement.worker)
    return connection.execute(settled.values(settled_values(row, result, at, again))).rowcount > 0


def _noted(settlement: _Settlement) -> NotedCard:
    row, result = settlement.row, settlement.result
    return NotedCard(
        card=row.card,
        place=str(row.place),
        also=write_places(row.also),
        kind=row.kind,
        ref=row.ref,
        urgency=row.urgency.rank,
        via=row.via,
        shown=result.revision,
        made_as=result.made_as,
        making=row.making,
        standing=result.standing,
        track=result.track_id,
        changed_ms=to_ms(settlement.now),
    )


def _step_of(settlement: _Settlement) -> dict[str, Any]:
    result, at = settlement.result, to_ms(settlement.now)
    late = duration_to_ms(result.late)
    return step(settlement.row.card, at, result.what, result.revision, late=late, detail=result.reason)


def _end_calls(connection: Connection, at: int, worker: str | None, cards: Sequence[str] | None = None) -> None:
    """Let calls in progress count for one window from now on."""
    under_way = _S.worker == worker if worker is not None else _S.worker != ""
    which = (under_way,) if cards is None else (under_way, _S.card.in_(cards))
    connection.execute(update(DELIVERY_SPEND).where(*which).values(worker="", until_ms=DELIVERY_SPEND.c.window_ms + at))


def _take_over(replica: str, now: datetime, connection: Connection) -> int:
    process = func.split_part(_D.lease, " ", 1)  # `Database.worker`
    held = and_(_D.state == DeliveryState.QUEUED, _D.lease_ms > to_ms(now), _D.lease != "")
    left = select(_D.lease).where(held, has_ended(process, seen_by=replica)).distinct()
    return sum(_release(connection, worker, now) for worker in connection.scalars(left).all())


def _release(connection: Connection, worker: str | None, now: datetime) -> int:
    held = _D.lease == worker if worker is not None else and_(_OWED, _D.lease != "")
    freed = connection.execute(update(DELIVERY).where(held).values(lease="", lease_ms=0)).rowcount
    _end_calls(connection, to_ms(now), worker)
    if freed:
        announce(connection, SharedWork.DELIVERIES)
    return freed
