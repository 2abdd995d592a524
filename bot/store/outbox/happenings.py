"""Events for receivers, as rows of the outbox: queued with what they tell of, and claimed in turn.

A receiver has a row for each event. ``due_ms`` grows among the events of one subject, whose units of work follow one
another: that is their order. An event is taken when no earlier one of its subject waits for the same receiver.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, and_, bindparam, func, insert, select, update
from sqlalchemy.engine import Connection

from bot.outbox.delivery import Delivery, DeliveryFormat, DeliveryState, DeliveryStepKind, OutboxRow, Urgency
from bot.outbox.happenings import EVENT_KIND, Happening, Receiver
from bot.outbox.place import Place
from bot.outbox.ports import LEASE, ReceiverBacklog
from bot.store.outbox.queries import step
from bot.store.outbox.queue import OUTBOX_ROW, StoredBacklog, enqueue
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import chunks
from bot.store.tables import DELIVERY, DELIVERY_STEP

_D = DELIVERY.c
_OWED = and_(_D.state == DeliveryState.QUEUED, _D.kind == EVENT_KIND)

_MOMENT = 1_000
"""Milliseconds: of events of one moment some are due in those that have not come yet, for their order."""

_earlier = DELIVERY.alias("earlier")
_BEHIND = (
    select(1)
    .where(
        _earlier.c.state == DeliveryState.QUEUED,
        _earlier.c.kind == EVENT_KIND,
        _earlier.c.fact == _D.fact,
        _earlier.c.place == _D.place,
        _earlier.c.due_ms < _D.due_ms,
    )
    .exists()
)
_FIRST = (
    select(DELIVERY)
    .where(_OWED, _D.place == bindparam("at_place"), _D.next_ms <= bindparam("soon"), _D.lease_ms <= bindparam("at"))
    .where(~_BEHIND)
    .order_by(_D.due_ms)
    .limit(bindparam("room"))
    # A row that another replica takes or settles is left to the next claim.
    .with_for_update(skip_locked=True, of=DELIVERY)
)
_LAST = (
    select(_D.place, _D.fact, func.max(_D.due_ms).label("last"))
    .where(_OWED, _D.fact.in_(bindparam("subjects", expanding=True)))
    .group_by(_D.place, _D.fact)
)


def tell(
    connection: Connection, receivers: Sequence[Receiver], happenings: Iterable[Happening], *, now: datetime
) -> None:
    """Queue an event for each receiver that wants it, within the transaction of what happened."""
    wanted = [(happening, [each for each in receivers if each.wants(happening)]) for happening in happenings]
    told = [(happening, those) for happening, those in wanted if those]
    if not told:
        return
    last: dict[tuple[str, str], int] = {}
    for some in chunks({_subject_of(happening) for happening, _ in told}):
        last |= {(row.place, row.fact): row.last for row in connection.execute(_LAST, {"subjects": some})}
    deliveries = []
    for happening, those in told:
        event_id, subject = secrets.token_hex(12), _subject_of(happening)
        for receiver in those:
            key = str(receiver.place), subject
            last[key] = max(to_ms(now), last.get(key, 0) + 1)
            deliveries.append(_delivery(receiver, happening, event_id, subject, from_ms(last[key])))
    enqueue(connection, *deliveries, now=now)


def _subject_of(happening: Happening) -> str:
    return f"{happening.source}/{happening.subject}"


def _delivery(receiver: Receiver, happening: Happening, event_id: str, subject: str, due_at: datetime) -> Delivery:
    return Delivery(
        card=f"{EVENT_KIND}:{receiver.name}:{event_id}",
        place=receiver.place,
        kind=EVENT_KIND,
        ref=happening.to_text(),
        revision=1,
        urgency=Urgency.IN_TURN,
        due_at=due_at,
        fact=subject,
        via=DeliveryFormat.EVENT,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedEvents:
    """How many events a receiver is owed, since when the oldest, and why one of them was not taken."""

    waiting: int
    since: datetime
    reason: str


class StoredReceiverBacklog(StoredBacklog, ReceiverBacklog):
    """The events of receivers in the outbox."""

    async def claim_first(self, worker: str, place: Place, *, room: int, now: datetime) -> Sequence[OutboxRow]:
        return await self._database.run(partial(_claim_first, worker, place, room, now))

    async def free(self, place: Place) -> None:
        if self._database.dialect == "sqlite":
            held = and_(_OWED, _D.place == str(place), _D.lease != "")
            await self._database.execute(update(DELIVERY).where(held).values(lease="", lease_ms=0))

    async def give_up(self, place: Place, before: datetime, now: datetime, reason: str) -> int:
        old = and_(_D.place == str(place), _D.due_ms < to_ms(before), _D.lease_ms <= to_ms(now))
        return await self._database.run(partial(_give_up, old, to_ms(now), reason))

    async def give_up_others(self, receivers: Collection[Receiver], now: datetime) -> int:
        """End the deliveries to receivers that are not among these (any more); return how many."""
        others = _D.place.not_in([str(receiver.place) for receiver in receivers])
        return await self._database.run(partial(_give_up, others, to_ms(now), "its receiver is not configured"))

    async def owed_to(self, now: datetime) -> Mapping[str, OwedEvents]:
        """Return what each receiver is owed that is due, by the receiver's name."""
        owed = select(_D.place, func.count().label("waiting"), func.min(_D.due_ms).label("since"))
        # Most rows have no reason yet: they wait for the few that failed.
        query = owed.add_columns(func.max(_D.reason).label("reason"))
        rows = await self._database.rows(query.where(_OWED, _D.due_ms <= to_ms(now)).group_by(_D.place))
        return {
            Place.parse(row.place).id: OwedEvents(waiting=row.waiting, since=from_ms(row.since), reason=row.reason)
            for row in rows
        }


def _claim_first(worker: str, place: Place, room: int, now: datetime, connection: Connection) -> tuple[OutboxRow, ...]:
    at = to_ms(now)
    found = connection.execute(_FIRST, {"at_place": str(place), "soon": at + _MOMENT, "at": at, "room": room})
    rows = tuple(map(OUTBOX_ROW.read_row, found))
    if rows:
        leased = update(DELIVERY).where(_D.card.in_([row.card for row in rows]))
        connection.execute(leased.values(lease=worker, lease_ms=to_ms(now + LEASE)))
    return rows


def _give_up(which: ColumnElement[bool], at: int, reason: str, connection: Connection) -> int:
    values = {"state": DeliveryState.DEAD, "tries": 0, "changed_ms": at, "reason": reason}
    cards = connection.execute(update(DELIVERY).where(_OWED, which).values(values).returning(_D.card)).scalars().all()
    if cards:
        lines = [step(card, at, DeliveryStepKind.DEAD, 0, detail=reason) for card in cards]
        connection.execute(insert(DELIVERY_STEP), lines)
    return len(cards)
