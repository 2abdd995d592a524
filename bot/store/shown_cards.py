"""Cards that the bot showed by itself, as clicks find them: by the ids that DingTalk knows them by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import insert, or_, select, update
from sqlalchemy.engine import Connection

from bot.gathering import Gathering
from bot.outbox.place import Place
from bot.outbox.record import State, What
from bot.store.database import Database
from bot.store.outbox import milliseconds
from bot.store.outbox_sql import step
from bot.store.tables import DELIVERY, DELIVERY_STEP

_D = DELIVERY.c

COVERED = -1
"""``shown`` of a card that stands, but shows something else than any of its revisions."""


class StoredShownCards:
    """Implements `bot.chat.clicks.ShownCards` on the outbox. Clicks of the same moment share a commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clicked: Gathering[_Clicked, Place | None] = Gathering(self._clicked_together)

    async def clicked(self, track_id: str, by: str, now: datetime) -> Place | None:
        """Record a click and return where the card stands, None for one that nobody remembers.

        ``by`` is a userId. Raises `bot.store.errors.StoreUnavailable`.
        """
        return await self._clicked(_Clicked(track_id, by, now)) if track_id else None

    async def covered(self, track_id: str, now: datetime) -> bool:
        """Have a card shown anew that an answer covers; False while it is just being sent.

        Raises `bot.store.errors.StoreUnavailable`.
        """
        return await self._database.run(partial(_uncover, track_id, milliseconds(now)))

    async def _clicked_together(self, clicks: Sequence[_Clicked]) -> Sequence[Place | None]:
        return await self._database.run(partial(_record, clicks))


@dataclass(frozen=True, slots=True)
class _Clicked:
    track: str
    by: str
    at: datetime


def _uncover(track_id: str, at: int, connection: Connection) -> bool:
    standing = (_D.track == track_id, _D.shown != 0)
    free = or_(_D.lease == "", _D.lease_ms <= at)
    anew = {"shown": COVERED, "state": State.QUEUED, "due_ms": at, "next_ms": at}
    if connection.execute(update(DELIVERY).where(*standing, free).values(anew)).rowcount:
        return True
    return connection.execute(select(_D.card).where(*standing)).first() is None


def _record(clicks: Sequence[_Clicked], connection: Connection) -> tuple[Place | None, ...]:
    standing = select(_D.track, _D.card, _D.place)
    rows = connection.execute(standing.where(_D.track.in_({one.track for one in clicks})))
    stands = {row.track: row for row in rows}
    known = [one for one in clicks if one.track in stands]
    if known:
        steps = [step(stands[one.track].card, milliseconds(one.at), What.CLICKED, 0, detail=one.by) for one in known]
        connection.execute(insert(DELIVERY_STEP), steps)
    return tuple(Place.parse(stands[one.track].place) if one.track in stands else None for one in clicks)
