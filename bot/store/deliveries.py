"""The record of deliveries, as operators look at it and as clicks find the cards that stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row, Select, insert, or_, select, update
from sqlalchemy.engine import Connection

from bot.batching import Batcher
from bot.outbox.delivery import DeliveryFormat, DeliveryRecord, DeliveryState, DeliveryStep, DeliveryStepKind, Urgency
from bot.outbox.place import Place
from bot.store.database import Database
from bot.store.outbox import milliseconds, moment
from bot.store.outbox_sql import REQUEUED, step
from bot.store.tables import DELIVERY, DELIVERY_STEP

_D, _T = DELIVERY.c, DELIVERY_STEP.c
_URGENCIES = tuple(sorted(Urgency, key=lambda urgency: urgency.rank))


class StoredDeliveries:
    """Searches deliveries, tells their stories, and puts dead ones back; raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(
        self,
        *,
        card: str = "",
        place: Place | None = None,
        kind: str = "",
        state: DeliveryState | None = None,
        fact: str = "",
        since: datetime | None = None,
        limit: int = 50,
    ) -> Sequence[DeliveryRecord]:
        """Return the deliveries that fit everything that is given, the last changed first.

        ``fact`` is the last event (``source/id``) that a card is owed for.
        """
        wanted = {_D.card: card, _D.place: str(place or ""), _D.kind: kind, _D.state: state or "", _D.fact: fact}
        query = select(DELIVERY).where(*(column == value for column, value in wanted.items() if value))
        if since is not None:
            query = query.where(_D.changed_ms >= milliseconds(since))
        return await self._records(query.order_by(_D.changed_ms.desc(), _D.card).limit(limit))

    async def steps_of(self, card: str) -> Sequence[DeliveryStep]:
        """Return the story of one card, oldest line first."""
        query = select(DELIVERY_STEP).where(_T.card == card).order_by(_T.at_ms, _T.id)
        rows = await self._database.run(lambda connection: connection.execute(query).all())
        return [_delivery_step(row) for row in rows]

    async def caused_by(self, fact: str) -> Sequence[str]:
        """Return the cards that were owed for an event (``source/id``)."""
        query = (
            select(_T.card).where(_T.what == DeliveryStepKind.QUEUED, _T.detail == fact).distinct().order_by(_T.card)
        )
        return await self._database.run(lambda connection: connection.execute(query).scalars().all())

    async def card_of(self, track_id: str) -> str | None:
        """Return the key of the card that was clicked."""
        query = select(_D.card).where(_D.track == track_id)
        return await self._database.run(lambda connection: connection.scalar(query)) if track_id else None

    async def clicked(self, card: str, by: str, now: datetime) -> None:
        """Note a click; ``by`` is a userId."""
        line = step(card, milliseconds(now), DeliveryStepKind.CLICKED, 0, detail=by)
        await self._database.run(lambda connection: connection.execute(insert(DELIVERY_STEP), line))

    async def replay(self, now: datetime, cards: Collection[str] | None = None) -> Sequence[str]:
        """Queue dead deliveries anew, all or only these, and return their cards; the worker has to be poked."""
        return await self._database.run(lambda connection: _replay(connection, milliseconds(now), cards))

    async def _records(self, query: Select[Any]) -> Sequence[DeliveryRecord]:
        rows = await self._database.run(lambda connection: connection.execute(query).all())
        return [_delivery_record(row) for row in rows]


def _replay(connection: Connection, at: int, cards: Collection[str] | None) -> Sequence[str]:
    dead = [_D.state == DeliveryState.DEAD]
    if cards is not None:
        dead.append(_D.card.in_(cards))
    values = {**REQUEUED, "state": DeliveryState.QUEUED, "tries": 0, "next_ms": at, "changed_ms": at, "reason": ""}
    back = connection.execute(update(DELIVERY).where(*dead).values(values).returning(_D.card, _D.wanted)).all()
    if back:
        lines = [step(row.card, at, DeliveryStepKind.REPLAYED, row.wanted) for row in back]
        connection.execute(insert(DELIVERY_STEP), lines)
    return sorted(row.card for row in back)


def _delivery_step(row: Row[Any]) -> DeliveryStep:
    return DeliveryStep(
        at=moment(row.at_ms),
        card=row.card,
        what=DeliveryStepKind(row.what),
        revision=row.revision,
        late=timedelta(milliseconds=row.late_ms),
        detail=row.detail,
    )


def _delivery_record(row: Row[Any]) -> DeliveryRecord:
    return DeliveryRecord(
        card=row.card,
        place=Place.parse(row.place),
        kind=row.kind,
        state=DeliveryState(row.state),
        via=DeliveryFormat(row.via),
        urgency=_URGENCIES[row.urgency],
        wanted=row.wanted,
        shown=row.shown,
        tries=row.tries,
        due_at=moment(row.due_ms),
        next_at=moment(row.next_ms),
        changed_at=moment(row.changed_ms),
        fact=row.fact,
        reason=row.reason,
    )


_DELIVERY = DELIVERY.c

NEEDS_REDRAW = -1
"""``shown`` of a card that stands, but shows something else than any of its revisions."""


class StoredShownCards:
    """Implements `bot.chat.clicks.ShownCards` on the outbox. Clicks of the same moment share a commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clicked: Batcher[_Clicked, Place | None] = Batcher(self._clicked_together)

    async def clicked(self, track_id: str, by: str, now: datetime) -> Place | None:
        """Record a click and return where the card stands, None for one that nobody remembers.

        ``by`` is a userId. Raises `bot.store.errors.StoreUnavailable`.
        """
        return await self._clicked(_Clicked(track_id, by, now)) if track_id else None

    async def redraw(self, track_id: str, now: datetime) -> bool:
        """Have a card shown anew that an answer covers; False while it is just being sent.

        Raises `bot.store.errors.StoreUnavailable`.
        """
        return await self._database.run(partial(_queue_redraw, track_id, milliseconds(now)))

    async def _clicked_together(self, clicks: Sequence[_Clicked]) -> Sequence[Place | None]:
        return await self._database.run(partial(_record_clicks, clicks))


@dataclass(frozen=True, slots=True)
class _Clicked:
    track: str
    by: str
    at: datetime


def _queue_redraw(track_id: str, at: int, connection: Connection) -> bool:
    standing = (_DELIVERY.track == track_id, _DELIVERY.shown != 0)
    free = or_(_DELIVERY.lease == "", _DELIVERY.lease_ms <= at)
    anew = {"shown": NEEDS_REDRAW, "state": DeliveryState.QUEUED, "due_ms": at, "next_ms": at}
    if connection.execute(update(DELIVERY).where(*standing, free).values(anew)).rowcount:
        return True
    return connection.execute(select(_DELIVERY.card).where(*standing)).first() is None


def _record_clicks(clicks: Sequence[_Clicked], connection: Connection) -> tuple[Place | None, ...]:
    standing = select(_DELIVERY.track, _DELIVERY.card, _DELIVERY.place)
    rows = connection.execute(standing.where(_DELIVERY.track.in_({one.track for one in clicks})))
    stands = {row.track: row for row in rows}
    known = [one for one in clicks if one.track in stands]
    if known:
        steps = [
            step(stands[one.track].card, milliseconds(one.at), DeliveryStepKind.CLICKED, 0, detail=one.by)
            for one in known
        ]
        connection.execute(insert(DELIVERY_STEP), steps)
    return tuple(Place.parse(stands[one.track].place) if one.track in stands else None for one in clicks)
