"""What polling knows, in the bot's database: how far it got, what is open, and events that are still to be told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.engine import Connection

from bot.alerts.intake.poll_state import NORMAL, Checkpoint, CloudEvent, PolledSubject
from bot.store.database import Database
from bot.store.statements import insert_into
from bot.store.tables import POLL_POSITION, POLL_SUBJECT, POLL_UNSENT

_P, _S, _U = POLL_POSITION.c, POLL_SUBJECT.c, POLL_UNSENT.c
_AT_ONCE = 500
"""Values in one IN: SQLite of old takes 999."""
_KEY = ("source", "area", "key")
_MOMENT = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StoredPolls:
    """Implements `bot.alerts.intake.poll_state.PollStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def positions(self, source: str) -> Mapping[str, Checkpoint]:
        """Return how far the areas of a source have been polled, by their names."""
        wanted = select(POLL_POSITION).where(_P.source == source)
        rows = await self._database.run(lambda connection: connection.execute(wanted).all())
        return {row.area: _position(row) for row in rows}

    async def subjects(self, source: str, area: str, codes: Collection[str]) -> Mapping[str, PolledSubject]:
        """Return what is known of some subjects, by `PolledSubject.key`."""
        keys = sorted({code.casefold() for code in codes})
        own = (_S.source == source, _S.area == area)

        def read(connection: Connection) -> list[Row[Any]]:
            queries = (select(POLL_SUBJECT).where(*own, _S.key.in_(some)) for some in _pieces(keys))
            return [row for query in queries for row in connection.execute(query)]

        return {row.key: _subject(row) for row in await self._database.run(read)} if keys else {}

    async def unseen(self, source: str, area: str, before: datetime, limit: int) -> Sequence[PolledSubject]:
        """Return open subjects that were last seen before a moment, the longest unseen first."""
        own = (_S.source == source, _S.area == area, _S.state != NORMAL, _S.seen_ms < _ms(before))
        wanted = select(POLL_SUBJECT).where(*own).order_by(_S.seen_ms, _S.key).limit(limit)
        rows = await self._database.run(lambda connection: connection.execute(wanted).all())
        return [_subject(row) for row in rows]

    async def advance(
        self,
        before: Checkpoint | None,
        after: Checkpoint,
        subjects: Sequence[PolledSubject],
        events: Sequence[CloudEvent],
    ) -> bool:
        """Store a step as a whole; False where somebody else moved on from ``before``."""
        return await self._database.run(lambda connection: self._advance(connection, before, after, subjects, events))

    def _advance(
        self,
        connection: Connection,
        before: Checkpoint | None,
        after: Checkpoint,
        subjects: Sequence[PolledSubject],
        events: Sequence[CloudEvent],
    ) -> bool:
        if not self._move(connection, before, after):
            return False
        if subjects:
            known = insert_into(POLL_SUBJECT, self._database.dialect)
            new = {name: known.excluded[name] for name in map(str, POLL_SUBJECT.c.keys()) if name not in _KEY}
            upsert = known.on_conflict_do_update(index_elements=_KEY, set_=new)
            connection.execute(upsert, [_subject_row(after, subject) for subject in subjects])
        if events:
            rows = [{"source": after.source, "event": orjson.dumps(event).decode()} for event in events]
            connection.execute(insert(POLL_UNSENT), rows)
        return True

    def _move(self, connection: Connection, before: Checkpoint | None, after: Checkpoint) -> bool:
        row = _position_row(after)
        if before is None:
            first = insert_into(POLL_POSITION, self._database.dialect).values(**row).on_conflict_do_nothing()
            return connection.scalar(first.returning(_P.source)) is not None
        still = (_P.source == before.source, _P.area == before.area, _P.round == before.round)
        moved = update(POLL_POSITION).where(*still).values(**row)
        return connection.scalar(moved.returning(_P.source)) is not None

    async def answered(self, source: str, at: datetime) -> None:
        """Note that a source answered everything."""
        noted = update(POLL_POSITION).where(_P.source == source).values(good_ms=_ms(at))
        await self._database.run(lambda connection: connection.execute(noted))

    async def unsent(self, source: str, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        """Return events that are still to be handed over, in their order, each with its number."""
        wanted = select(POLL_UNSENT).where(_U.source == source).order_by(_U.number).limit(limit)
        rows = await self._database.run(lambda connection: connection.execute(wanted).all())
        return [(row.number, orjson.loads(row.event)) for row in rows]

    async def sent(self, numbers: Sequence[int]) -> None:
        """Forget events that were handed over."""

        def forget(connection: Connection) -> None:
            for some in _pieces(numbers):
                connection.execute(delete(POLL_UNSENT).where(_U.number.in_(some)))

        await self._database.run(forget)

    async def prune(self, source: str, before: datetime) -> None:
        """Forget subjects that nothing is the matter with and that nobody has seen since."""
        old = delete(POLL_SUBJECT).where(_S.source == source, _S.state == NORMAL, _S.seen_ms < _ms(before))
        await self._database.run(lambda connection: connection.execute(old))


def _pieces(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def _position_row(position: Checkpoint) -> dict[str, Any]:
    return {
        "source": position.source,
        "area": position.area,
        "round": position.round,
        "cursor": position.cursor,
        "followed": position.followed,
        "place": position.place,
        "sweeping": position.sweeping,
        "began_ms": _ms(position.began_at),
        "swept_ms": _ms(position.swept_at),
        "good_ms": _ms(position.good_at),
    }


def _position(row: Row[Any]) -> Checkpoint:
    return Checkpoint(
        source=row.source,
        area=row.area,
        round=row.round,
        cursor=row.cursor,
        followed=row.followed,
        place=row.place,
        sweeping=row.sweeping,
        began_at=_moment(row.began_ms),
        swept_at=_moment(row.swept_ms),
        good_at=_moment(row.good_ms),
    )


def _subject_row(position: Checkpoint, subject: PolledSubject) -> dict[str, Any]:
    return {
        "source": position.source,
        "area": position.area,
        "key": subject.key,
        "code": subject.code,
        "state": subject.state,
        "told": subject.told,
        "at_ms": _ms(subject.at),
        "said": orjson.dumps(dict(subject.said)).decode(),
        "seen_ms": _ms(subject.seen_at),
    }


def _subject(row: Row[Any]) -> PolledSubject:
    return PolledSubject(
        code=row.code,
        state=row.state,
        told=row.told,
        at=_EPOCH + row.at_ms * _MOMENT,
        said=orjson.loads(row.said),
        seen_at=_EPOCH + row.seen_ms * _MOMENT,
    )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // _MOMENT


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else _EPOCH + ms * _MOMENT
