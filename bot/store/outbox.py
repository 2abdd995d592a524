"""The outbox's table: owed in the transaction of the fact, taken within the budgets, settled one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import BindParameter, Row, and_, bindparam, case, delete, func, insert, or_, select, text, update
from sqlalchemy.engine import Connection

from bot.batching import Batcher
from bot.outbox.budgets import BudgetWindow, FoldKey, SendLimits, SendPlan, budget_costs, plan_sends
from bot.outbox.delivery import (
    Delivery,
    DeliveryFormat,
    DeliveryResult,
    DeliveryState,
    DeliveryStepKind,
    OutboxRow,
    Urgency,
)
from bot.outbox.place import Place
from bot.outbox.ports import LEASE, ClaimedRows, FoldBatch
from bot.store.database import Database
from bot.store.outbox_sql import settled_values, step, upsert
from bot.store.statements import execute_many
from bot.store.tables import DELIVERY, DELIVERY_SPEND, DELIVERY_STEP

_D, _S = DELIVERY.c, DELIVERY_SPEND.c

_SCAN = 200
"""Due rows that one claim looks at; those that have to wait move out of the way of those behind."""

_AT_ONCE = 500
"""Rows that one digest takes in at a time."""

_CARD_RETENTION = timedelta(days=730)
"""A matter may be open for long without news, and when it ends its card must still be known, or it stays as it was."""

_LOCK = 0x64696E6F
"""Of claims among all processes on PostgreSQL: two that decide over one budget at a time would both find room."""

_MOMENT = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_THIS = _D.card == bindparam("which")
_LEASED = update(DELIVERY).where(_THIS).values({name: bindparam(name) for name in ("lease", "lease_ms", "doubt")})
_POSTPONED = update(DELIVERY).where(_THIS).values(next_ms=bindparam("next_ms"))

# What every claim asks, written once: to build a statement takes as long as SQLite needs to run it.
_AT: BindParameter[int] = bindparam("at")
_FREE = case((_D.next_ms > _D.lease_ms, _D.next_ms), else_=_D.lease_ms)
_DUE = (
    select(DELIVERY)
    .where(_D.state == DeliveryState.QUEUED, _D.next_ms <= _AT, _D.lease_ms <= _AT)
    .order_by(_D.urgency, _D.due_ms)
    .limit(_SCAN)
    # A row that somebody writes just now is left for the next look.
    .with_for_update(skip_locked=True)
)
_SPENT = select(_S.bucket, _S.until_ms).where(_S.bucket.in_(bindparam("buckets", expanding=True)), _S.until_ms > _AT)
_SPENT_BEFORE = delete(DELIVERY_SPEND).where(_S.until_ms <= _AT)
_NEXT = select(func.min(_FREE)).where(_D.state == DeliveryState.QUEUED, _FREE > _AT)
_URGENCIES = tuple(sorted(Urgency, key=lambda urgency: urgency.rank))


def milliseconds(moment: datetime) -> int:
    """Return a time as the tables hold it."""
    return (moment - _EPOCH) // _MOMENT


def moment(ms: int) -> datetime:
    """Return the time that `milliseconds` made the number from."""
    return _EPOCH + ms * _MOMENT


def enqueue(connection: Connection, *deliveries: Delivery, now: datetime) -> None:
    """Owe cards their newest state, within the caller's transaction; poke the worker after its commit.

    One row per card: the highest revision, the earliest time and the greatest urgency win. A revision that is shown or
    given up already is owed only if a higher one comes.
    """
    if not deliveries:
        return
    at = milliseconds(now)
    # In one order everywhere, so that two transactions do not wait for each other's rows.
    rows = [_row(delivery, at) for delivery in sorted(deliveries, key=lambda delivery: delivery.card)]
    connection.execute(upsert(connection.dialect.name), rows)
    steps = [step(one.card, at, DeliveryStepKind.QUEUED, one.revision, detail=one.fact) for one in deliveries]
    connection.execute(insert(DELIVERY_STEP), steps)


def withdraw(connection: Connection, cards: Iterable[str]) -> None:
    """Owe these cards no longer, for `bot.outbox.ports.Composer.fold` to call in its own transaction."""
    for card in sorted(cards):
        connection.execute(
            update(DELIVERY).where(_D.card == card, _D.state == DeliveryState.QUEUED).values(state=DeliveryState.FOLDED)
        )


class StoredBacklog:
    """Implements `bot.outbox.ports.OutboxStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._settled: Batcher[_Settlement, bool] = Batcher(self._settle_together)

    async def enqueue(self, *deliveries: Delivery, now: datetime) -> None:
        """Owe the newest state of cards, in a transaction of its own."""
        await self._database.run(lambda connection: enqueue(connection, *deliveries, now=now))

    async def claim(self, worker: str, limits: SendLimits, *, room: int, sparing: bool, now: datetime) -> ClaimedRows:
        """Take what is due and within the budgets."""
        return await self._database.run(partial(_claim, worker, limits, room, sparing, now))

    async def settle(self, worker: str, row: OutboxRow, result: DeliveryResult, now: datetime) -> bool:
        """Store what became of a row; outcomes of the same moment share a commit."""
        return await self._settled(_Settlement(worker, row, result, now))

    async def settle_fold(self, worker: str, rows: Sequence[OutboxRow], result: DeliveryResult, now: datetime) -> None:
        """Store what became of rows that were to be folded."""

        await self._settle_together([_Settlement(worker, row, result, now) for row in rows])

    async def release(self, worker: str, now: datetime) -> int:
        """Give back what a worker still holds."""
        return await self._database.run(lambda connection: _release(connection, worker, now))

    async def recover(self, now: datetime) -> int:
        """Free all rows on SQLite, which one process has for itself; elsewhere leases end by themselves."""
        if self._database.dialect != "sqlite":
            return 0
        return await self._database.run(lambda connection: _release(connection, None, now))

    async def prune(self, before: datetime) -> None:
        """Forget settled rows and steps from before that time; what stands somewhere is known for `_CARD_RETENTION`
        more.
        """
        limit, standing = milliseconds(before), milliseconds(before - _CARD_RETENTION)

        def forget(connection: Connection) -> None:
            old = and_(_D.changed_ms < limit, or_(_D.shown == 0, _D.changed_ms < standing))
            connection.execute(delete(DELIVERY).where(old, _D.state != DeliveryState.QUEUED))
            connection.execute(delete(DELIVERY_STEP).where(DELIVERY_STEP.c.at_ms < limit))

        await self._database.run(forget)

    async def _settle_together(self, ended: Sequence[_Settlement]) -> Sequence[bool]:
        return await self._database.run(partial(_settle_all, ended))

    async def waiting(self) -> int:
        """Return how many rows are queued."""
        query = select(func.count()).select_from(DELIVERY).where(_D.state == DeliveryState.QUEUED)
        count: int = await self._database.run(lambda connection: connection.execute(query).scalar_one())
        return count


def owed_of_row(row: Row[Any]) -> OutboxRow:
    """Return a row as the worker sees it."""
    return OutboxRow(
        card=row.card,
        place=Place.parse(row.place),
        kind=row.kind,
        ref=row.ref,
        urgency=_URGENCIES[row.urgency],
        via=DeliveryFormat(row.via),
        wanted=row.wanted,
        shown=row.shown,
        doubt=row.doubt,
        tries=row.tries,
        due_at=moment(row.due_ms),
        made_as=row.made_as,
        making=row.making,
    )


def _row(delivery: Delivery, at: int) -> dict[str, object]:
    due = milliseconds(delivery.due_at)
    return {
        "card": delivery.card,
        "place": str(delivery.place),
        "kind": delivery.kind,
        "ref": delivery.ref,
        "fact": delivery.fact,
        "urgency": delivery.urgency.rank,
        "state": DeliveryState.QUEUED,
        "via": DeliveryFormat.CARD,
        "wanted": delivery.revision,
        "shown": 0,
        "doubt": 0,
        "tries": 0,
        "due_ms": due,
        "next_ms": due,
        "lease": "",
        "lease_ms": 0,
        "made_as": "",
        "making": 0,
        "track": "",
        "changed_ms": at,
        "reason": "",
    }


def _claim(
    worker: str, limits: SendLimits, room: int, sparing: bool, now: datetime, connection: Connection
) -> ClaimedRows:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    at = milliseconds(now)
    rows = [owed_of_row(row) for row in connection.execute(_DUE, {"at": at})]
    if not rows:
        return ClaimedRows(look_at=_next(connection, at))
    budget = BudgetWindow(_spent(connection, rows, limits, sparing, at), now)
    made = plan_sends(rows, budget, limits, room=room, sparing=sparing, now=now)
    foldings = _foldings(connection, made, at)
    folded = {row.card for folding in foldings for row in folding.rows}
    _postpone(connection, {card: until for card, until in made.postpone.items() if card not in folded})
    _lease(connection, worker, [row for row, _ in made.take], now, sending=True)
    _lease(connection, worker, [row for one in foldings for row in one.rows], now, sending=False)
    _spend(connection, worker, made, now)
    # Rows that wait for the next second stay in front of those behind, which then wait with them.
    more_behind = len(rows) == _SCAN and len(made.take) < room and made.look_at is None
    look_at = now if more_behind else min(filter(None, (made.look_at, _next(connection, at))), default=None)
    return ClaimedRows(rows=tuple(row for row, _ in made.take), foldings=foldings, look_at=look_at)


def _spent(
    connection: Connection, rows: Iterable[OutboxRow], limits: SendLimits, sparing: bool, at: int
) -> Mapping[str, list[datetime]]:
    buckets = {need.bucket for row in rows for need in budget_costs(row, limits, sparing=sparing)}
    spent: dict[str, list[datetime]] = {}
    for bucket, until in connection.execute(_SPENT, {"buckets": list(buckets), "at": at}):
        spent.setdefault(bucket, []).append(moment(until))
    return spent


def _foldings(connection: Connection, made: SendPlan, at: int) -> tuple[FoldBatch, ...]:
    """Return the rows of each fold, also those that were postponed before; a single one is not folded."""
    taken = {row.card for row, _ in made.take}
    foldings = [FoldBatch(fold, _foldable(connection, fold, taken, at)) for fold in made.fold]
    return tuple(folding for folding in foldings if len(folding.rows) > 1)


def _foldable(connection: Connection, fold: FoldKey, taken: set[str], at: int) -> tuple[OutboxRow, ...]:
    query = (
        select(DELIVERY)
        .where(_D.state == DeliveryState.QUEUED, _D.place == str(fold.place), _D.kind == fold.kind)
        .where(_D.shown == 0, _D.doubt == 0, _D.urgency > Urgency.NOW.rank, _D.due_ms <= at, _D.lease_ms <= at)
        .order_by(_D.due_ms)
        .limit(_AT_ONCE)
    )
    rows = map(owed_of_row, connection.execute(query.with_for_update(skip_locked=True)))
    return tuple(row for row in rows if row.card not in taken)


def _lease(connection: Connection, worker: str, rows: Sequence[OutboxRow], now: datetime, *, sending: bool) -> None:
    """Take rows; one that is to be made is in doubt until it is settled, for the process may die in between."""
    until = milliseconds(now + LEASE)
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
    later = [{"which": card, "next_ms": milliseconds(until)} for card, until in cards.items()]
    execute_many(connection, _POSTPONED, later)


def _spend(connection: Connection, worker: str, made: SendPlan, now: datetime) -> None:
    spends = [
        {
            "bucket": need.bucket,
            "card": row.card,
            "worker": worker,
            "window_ms": need.window // _MOMENT,
            "until_ms": milliseconds(now + LEASE + need.window),
        }
        for row, wanted in made.take
        for need in wanted
    ]
    if spends:
        connection.execute(_SPENT_BEFORE, {"at": milliseconds(now)})
        connection.execute(insert(DELIVERY_SPEND), spends)


def _next(connection: Connection, at: int) -> datetime | None:
    """Return when the next row that is not due or not free will be both."""
    found: int | None = connection.scalar(_NEXT, {"at": at})
    return None if found is None else moment(found)


@dataclass(frozen=True, slots=True)
class _Settlement:
    """What became of a row, as its worker says."""

    worker: str
    row: OutboxRow
    result: DeliveryResult
    now: datetime


def _settle_all(ended: Sequence[_Settlement], connection: Connection) -> tuple[bool, ...]:
    """Store outcomes, and return for each whether its worker still held the row.

    In one order everywhere, so that two transactions do not wait for each other's rows.
    """
    held = {id(one): _settle(connection, one) for one in sorted(ended, key=lambda one: one.row.card)}
    connection.execute(insert(DELIVERY_STEP), [_step_of(one) for one in ended])
    for worker in {one.worker for one in ended}:
        mine = [one for one in ended if one.worker == worker]
        _end_calls(connection, milliseconds(mine[0].now), worker, [one.row.card for one in mine])
    return tuple(held[id(one)] for one in ended)


def _settle(connection: Connection, one: _Settlement) -> bool:
    at = milliseconds(one.now)
    again = at if one.result.again_at is None else milliseconds(one.result.again_at)
    mine = (_D.card == one.row.card, _D.lease == one.worker)
    return (
        connection.execute(
            update(DELIVERY).where(*mine).values(settled_values(one.row, one.result, at, again))
        ).rowcount
        > 0
    )


def _step_of(one: _Settlement) -> dict[str, Any]:
    late, result = one.result.late // _MOMENT, one.result
    return step(one.row.card, milliseconds(one.now), result.what, result.revision, late=late, detail=result.reason)


def _end_calls(connection: Connection, at: int, worker: str | None, cards: Sequence[str] | None = None) -> None:
    """Let calls that were under way count for one window from now on."""
    under_way = _S.worker == worker if worker is not None else _S.worker != ""
    which = (under_way,) if cards is None else (under_way, _S.card.in_(cards))
    connection.execute(update(DELIVERY_SPEND).where(*which).values(worker="", until_ms=DELIVERY_SPEND.c.window_ms + at))


def _release(connection: Connection, worker: str | None, now: datetime) -> int:
    held = _D.lease == worker if worker is not None else _D.lease != ""
    freed = connection.execute(update(DELIVERY).where(held).values(lease="", lease_ms=0)).rowcount
    _end_calls(connection, milliseconds(now), worker)
    return freed
