"""Deliveries, searched by operators, and found for clicks on shown cards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Select, case, insert, or_, select, update
from sqlalchemy.engine import Connection

from bot.mechanisms.batching import Batcher
from bot.outbox.delivery import NEEDS_REDRAW, DeliveryRecord, DeliveryState, DeliveryStep, DeliveryStepKind, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.store.database import Database, Stored
from bot.store.outbox.queries import REQUEUED, read_places, stands_at, step
from bot.store.outbox.queue import DELIVERY_VALUES
from bot.store.record_codec import RecordCodec
from bot.store.row_times import to_ms
from bot.store.tables import DELIVERY, DELIVERY_STEP

_D, _T = DELIVERY.c, DELIVERY_STEP.c
_STEP = RecordCodec(DeliveryStep, DELIVERY_VALUES, names={"at": "at_ms", "late": "late_ms"})
_RECORD = RecordCodec(
    DeliveryRecord, DELIVERY_VALUES, names={"due_at": "due_ms", "next_at": "next_ms", "changed_at": "changed_ms"}
)


class StoredDeliveries(Stored):
    """Searches deliveries, lists their steps, and queues dead ones again. Raises `StoreUnavailable`."""

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
        """Return the deliveries matching all arguments, the last changed first.

        ``fact`` is the last event (``source/id``) that a card was queued for.
        """
        wanted = {_D.card: card, _D.kind: kind, _D.state: state or "", _D.fact: fact}
        query = select(DELIVERY).where(*(column == value for column, value in wanted.items() if value))
        if place is not None:
            query = query.where(stands_at(place))
        if since is not None:
            query = query.where(_D.changed_ms >= to_ms(since))
        return await self._records(query.order_by(_D.changed_ms.desc(), _D.card).limit(limit))

    async def steps_of(self, card: str) -> Sequence[DeliveryStep]:
        """Return the steps of one card, oldest first."""
        query = select(DELIVERY_STEP).where(_T.card == card).order_by(_T.at_ms, _T.id)
        rows = await self._database.rows(query)
        return [_STEP.read_row(row) for row in rows]

    async def caused_by(self, fact: str) -> Sequence[str]:
        """Return the cards that were queued for an event (``source/id``)."""
        query = (
            select(_T.card).where(_T.what == DeliveryStepKind.QUEUED, _T.detail == fact).distinct().order_by(_T.card)
        )
        return await self._database.run(lambda connection: connection.execute(query).scalars().all())

    async def card_of(self, track_id: str) -> str | None:
        """Return the key of the card with a track id."""
        query = select(_D.card).where(_D.track == track_id)
        return await self._database.run(lambda connection: connection.scalar(query)) if track_id else None

    async def clicked(self, card: str, by: str, now: datetime) -> None:
        """Record a click; ``by`` is a userId."""
        line = step(card, to_ms(now), DeliveryStepKind.CLICKED, 0, detail=by)
        await self._database.execute(insert(DELIVERY_STEP), [line])

    async def replay(self, now: datetime, cards: Collection[str] | None = None) -> Sequence[str]:
        """Queue dead deliveries again, all or only ``cards``, and return their cards. Wake the worker afterwards."""
        return await self._database.run(lambda connection: _replay(connection, to_ms(now), cards))

    async def _records(self, query: Select[Any]) -> Sequence[DeliveryRecord]:
        rows = await self._database.rows(query)
        return [_RECORD.read_row(row) for row in rows]


def _replay(connection: Connection, at: int, cards: Collection[str] | None) -> Sequence[str]:
    dead = [_D.state == DeliveryState.DEAD]
    if cards is not None:
        dead.append(_D.card.in_(cards))
    # An event's age decides when it is given up: it is as new as its replay.
    due = case((_D.urgency == Urgency.IN_TURN.rank, at), else_=_D.due_ms)
    anew = {"due_ms": due, "tries": 0, "next_ms": at, "changed_ms": at, "reason": "", "trouble": ""}
    values = {**REQUEUED, "state": DeliveryState.QUEUED, **anew}
    back = connection.execute(update(DELIVERY).where(*dead).values(values).returning(_D.card, _D.wanted)).all()
    if back:
        lines = [step(row.card, at, DeliveryStepKind.REPLAYED, row.wanted) for row in back]
        connection.execute(insert(DELIVERY_STEP), lines)
    return sorted(row.card for row in back)


class StoredShownCards(Stored):
    """Finds shown cards in the outbox. Clicks of the same moment share a commit."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._clicked: Batcher[_Clicked, tuple[Place, ...]] = Batcher(self._clicked_together)

    async def clicked(self, track_id: str, by: str, now: datetime) -> tuple[Place, ...]:
        """Record a click and return the card's places, none for an unknown card.

        ``by`` is a userId: their own chat comes first, if it is among them. Raises `bot.store.errors.StoreUnavailable`.
        """
        return await self._clicked(_Clicked(track_id, by, now)) if track_id else ()

    async def redraw(self, track_id: str, now: datetime) -> bool:
        """Requeue a card that an answer covers; False while it is being sent.

        Raises `bot.store.errors.StoreUnavailable`.
        """
        return await self._database.run(partial(_queue_redraw, track_id, to_ms(now)))

    async def has_own_values(self, track_id: str, user_id: str) -> bool:
        """Return whether a person sees values of their own on a card, because it stands in their chat and elsewhere.

        Raises `bot.store.errors.StoreUnavailable`.
        """
        own_chat = stands_at(Place(PlaceKind.PERSON, user_id))
        query = select(_D.card).where(_D.track == track_id, _D.also != "", own_chat)
        return await self._database.read(lambda connection: connection.execute(query).first()) is not None

    async def stands_in(self, track_id: str, group: str) -> bool:
        query = select(_D.card).where(_D.track == track_id, stands_at(Place(PlaceKind.GROUP, group)))
        return await self._database.read(lambda connection: connection.execute(query).first()) is not None

    async def _clicked_together(self, clicks: Sequence[_Clicked]) -> Sequence[tuple[Place, ...]]:
        return await self._database.run(partial(_record_clicks, clicks))


@dataclass(frozen=True, slots=True)
class _Clicked:
    track: str
    by: str
    at: datetime


def _queue_redraw(track_id: str, at: int, connection: Connection) -> bool:
    shown = (_D.track == track_id, _D.shown != 0)
    free = or_(_D.lease == "", _D.lease_ms <= at)
    queued = {"shown": NEEDS_REDRAW, "state": DeliveryState.QUEUED, "due_ms": at, "next_ms": at}
    if connection.execute(update(DELIVERY).where(*shown, free).values(queued)).rowcount:
        return True
    return connection.execute(select(_D.card).where(*shown)).first() is None


def _record_clicks(clicks: Sequence[_Clicked], connection: Connection) -> tuple[tuple[Place, ...], ...]:
    cards = select(_D.track, _D.card, _D.place, _D.also)
    rows = connection.execute(cards.where(_D.track.in_({click.track for click in clicks})))
    shown = {row.track: row for row in rows}
    known = [click for click in clicks if click.track in shown]
    if known:
        steps = [
            step(shown[click.track].card, to_ms(click.at), DeliveryStepKind.CLICKED, 0, detail=click.by)
            for click in known
        ]
        connection.execute(insert(DELIVERY_STEP), steps)
    return tuple(_places_for(shown[click.track], click.by) if click.track in shown else () for click in clicks)


def _places_for(row: Any, user_id: str) -> tuple[Place, ...]:
    own_chat = Place(PlaceKind.PERSON, user_id)
    places = (Place.parse(row.place), *read_places(row.also))
    return (own_chat, *(place for place in places if place != own_chat)) if own_chat in places else places
