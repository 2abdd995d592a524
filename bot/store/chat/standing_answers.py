"""Answer cards that follow their documents, and the deliveries caused by a change of a document."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeAlias

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.engine import Connection

from bot.chat.answers.standing_answers import (
    ANSWER_KIND,
    MAX_AGE,
    MAX_FOR_DOCUMENT,
    StandingAnswer,
    answer_card_key,
)
from bot.chat.message import Conversation, ConversationKind
from bot.erp.model import DocumentRef
from bot.outbox.delivery import NEEDS_REDRAW, Delivery, DeliveryState, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.store.database import Database, Stored
from bot.store.outbox.queue import enqueue
from bot.store.record_codec import IN_MILLISECONDS, RecordCodec
from bot.store.row_times import to_ms
from bot.store.statements import replace_into
from bot.store.tables import DELIVERY, STANDING_ANSWER, STANDING_DOCUMENT

_ANSWER = RecordCodec(
    StandingAnswer,
    IN_MILLISECONDS,
    names={"track_id": "track", "at": "at_ms"},
    skip={"conversation", "documents"},
)
_A, _F, _D = STANDING_ANSWER.c, STANDING_DOCUMENT.c, DELIVERY.c

_WAITS = and_(_D.state == DeliveryState.QUEUED, _D.lease == "")
_DRAWN_ANYWAY = exists().where(_D.card == answer_card_key("") + _A.track, or_(_WAITS, _D.shown >= _A.revision))
"""A card to be drawn in its newest state, or already so. One being changed may not have existed when that began."""


StatesSince: TypeAlias = Callable[[Connection, Sequence[tuple[str, str]], datetime], frozenset[str]]
"""Returns the current state names of those documents, by source and lower-cased number, with any record since then."""


def _none_known(connection: Connection, documents: Sequence[tuple[str, str]], since: datetime) -> frozenset[str]:
    return frozenset()


class StoredStandingAnswers(Stored):
    """Stores standing answers. Raises `bot.store.errors.StoreUnavailable`."""

    def __init__(self, database: Database, states: StatesSince = _none_known) -> None:
        super().__init__(database)
        self._states = states

    async def put(self, answer: StandingAnswer) -> None:
        await self._database.run(partial(_put, answer))

    async def add(self, track_id: str, documents: Sequence[DocumentRef], at: datetime) -> bool:
        """Let a card follow more documents; False for a card known neither here nor to the outbox."""
        return await self._database.run(partial(_add, track_id, documents, at))

    async def find(self, track_id: str) -> StandingAnswer | None:
        query = select(STANDING_ANSWER).where(_A.track == track_id)
        row = await self._database.run(lambda connection: connection.execute(query).first())
        if row is None:
            return None
        place = Place.parse(row.place)
        kind = ConversationKind.GROUP if place.kind is PlaceKind.GROUP else ConversationKind.DIRECT
        return _ANSWER.read_row(row, conversation=Conversation(row.conversation, kind))

    async def stands(self, track_id: str, now: datetime) -> bool:
        query = select(_F.track).where(_F.track == track_id, _F.at_ms > to_ms(now - MAX_AGE)).limit(1)
        return await self._database.run(lambda connection: connection.execute(query).first()) is not None

    async def redraw(self, track_id: str, now: datetime) -> None:
        """Queue a card's newest state."""
        await self._database.run(lambda connection: _owe(connection, _A.track == track_id, now, now))

    async def uncover(self, track_id: str, since: datetime, until: datetime, now: datetime) -> None:
        """Redraw any card of the bot changed after ``since`` and by ``until``."""
        changed = and_(_D.track == track_id, _D.changed_ms > to_ms(since), _D.changed_ms <= to_ms(until))
        await self._database.run(lambda connection: _uncover(connection, changed, now))

    async def catch_up(
        self, track_id: str, since: datetime, shows: Collection[str], now: datetime, *, undrawn: bool = False
    ) -> None:
        """Queue a card's newest state if one of its documents has changed since, to a state not in ``shows``."""
        which = and_(_A.track == track_id, ~_DRAWN_ANYWAY) if undrawn else _A.track == track_id

        def catch_up(connection: Connection) -> None:
            if not self._states(connection, _documents_of(connection, track_id), since) <= frozenset(shows):
                _owe(connection, which, now, now)

        await self._database.run(catch_up)


def redraw_answers(connection: Connection, documents: Mapping[tuple[str, str], datetime], now: datetime) -> None:
    """Queue the cards that show a document, for its newest state, within the caller's transaction.

    ``documents`` are sources and lower-cased numbers, with the time when the state is due.
    """
    young = _F.at_ms > to_ms(now - MAX_AGE)
    for (source, folded), due_at in sorted(documents.items()):
        following = select(_F.track).where(_F.source == source, _F.folded == folded, young)
        _owe(connection, _A.track.in_(following), due_at, now)
        _uncover(connection, _D.track.in_(following), due_at)


def _documents_of(connection: Connection, track_id: str) -> tuple[tuple[str, str], ...]:
    following = select(_F.source, _F.folded).where(_F.track == track_id)
    return tuple((row.source, row.folded) for row in connection.execute(following))


def _put(answer: StandingAnswer, connection: Connection) -> None:
    at = to_ms(answer.at)
    _forget(connection, at)
    row = _ANSWER.write(answer) | {"place": str(answer.place), "conversation": answer.conversation.id}
    # The name under which a card was created stays, whatever it shows now; so does its count of changes.
    keep = ("made_as", "revision")
    connection.execute(replace_into(STANDING_ANSWER, connection.dialect.name, keep=keep).values(row))
    connection.execute(delete(STANDING_DOCUMENT).where(_F.track == answer.track_id))
    _follow(connection, answer.track_id, answer.documents, at)


def _add(track_id: str, documents: Sequence[DocumentRef], at: datetime, connection: Connection) -> bool:
    answers = connection.execute(select(_A.track).where(_A.track == track_id)).first()
    if answers is None and connection.execute(select(_D.card).where(_D.track == track_id)).first() is None:
        return False
    _follow(connection, track_id, documents, to_ms(at))
    return True


def _follow(connection: Connection, track_id: str, documents: Iterable[DocumentRef], at: int) -> None:
    named = {(document.source, document.number.casefold()) for document in documents}
    for source, folded in sorted(named):
        row = {"track": track_id, "source": source, "folded": folded, "at_ms": at}
        connection.execute(replace_into(STANDING_DOCUMENT, connection.dialect.name).values(row))
        this = (_F.source == source, _F.folded == folded)
        kept = select(_F.track).where(*this).order_by(_F.at_ms.desc(), _F.track).limit(MAX_FOR_DOCUMENT)
        connection.execute(delete(STANDING_DOCUMENT).where(*this, _F.track.not_in(kept)))


def _forget(connection: Connection, at: int) -> None:
    """Delete cards too old to be kept up to date."""
    limit = at - round(MAX_AGE.total_seconds() * 1000)
    connection.execute(delete(STANDING_DOCUMENT).where(_F.at_ms <= limit))
    connection.execute(delete(STANDING_ANSWER).where(_A.at_ms <= limit))


def _owe(connection: Connection, which: ColumnElement[bool], due_at: datetime, now: datetime) -> None:
    # Always in the same order, so that no two transactions wait for each other's rows.
    locked = select(STANDING_ANSWER).where(which).order_by(_A.track).with_for_update()
    deliveries = []
    for row in connection.execute(locked).all():
        connection.execute(update(STANDING_ANSWER).where(_A.track == row.track).values(revision=row.revision + 1))
        delivery = Delivery(
            card=answer_card_key(row.track),
            place=Place.parse(row.place),
            kind=ANSWER_KIND,
            ref=row.track,
            revision=row.revision + 1,
            urgency=Urgency.NOW,
            due_at=due_at,
            stands_as=row.made_as,
        )
        deliveries.append(delivery)
    enqueue(connection, *deliveries, now=now)


def _uncover(connection: Connection, which: ColumnElement[bool], due_at: datetime) -> None:
    """Redraw outbox cards on which a click led to a document; queued ones are drawn anyway."""
    at = to_ms(due_at)
    settled = and_(_D.state != DeliveryState.QUEUED, _D.shown != 0, or_(_D.lease == "", _D.lease_ms <= at))
    again = {"shown": NEEDS_REDRAW, "state": DeliveryState.QUEUED, "due_ms": at, "next_ms": at}
    connection.execute(update(DELIVERY).where(which, settled).values(again))
