"""The state of polling in the bot's database: positions, open subjects, and events that are not handed over yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.engine import Connection

from bot.alerts.intake.poll_state import NORMAL, Checkpoint, CloudEvent, PolledSubject
from bot.store.database import Database
from bot.store.record_codec import IN_MILLISECONDS, PlainCodec, RecordCodec
from bot.store.row_times import to_ms
from bot.store.statements import chunks, insert_into, replace_into
from bot.store.tables import POLL_POSITION, POLL_SUBJECT, POLL_UNSENT
from bot.store.unreadable_rows import read_readable

_P, _S, _U = POLL_POSITION.c, POLL_SUBJECT.c, POLL_UNSENT.c
_POSITION = RecordCodec(
    Checkpoint, IN_MILLISECONDS, names={"began_at": "began_ms", "swept_at": "swept_ms", "good_at": "good_ms"}
)
_TEXT = PlainCodec(lambda said: orjson.dumps(dict(said)).decode(), orjson.loads)
_SUBJECT = RecordCodec(
    PolledSubject, {**IN_MILLISECONDS, Mapping[str, str]: _TEXT}, names={"at": "at_ms", "seen_at": "seen_ms"}
)


class StoredPolls:
    """Implements `bot.alerts.intake.poll_state.PollStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def positions(self, source: str) -> Mapping[str, Checkpoint]:
        """Return how far the areas of a source have been polled, by their names."""
        wanted = select(POLL_POSITION).where(_P.source == source)
        rows = await self._database.run(lambda connection: connection.execute(wanted).all())
        return {row.area: _POSITION.read_row(row) for row in rows}

    async def subjects(self, source: str, area: str, codes: Collection[str]) -> Mapping[str, PolledSubject]:
        keys = sorted({code.casefold() for code in codes})
        own = (_S.source == source, _S.area == area)

        def read(connection: Connection) -> list[Row[Any]]:
            queries = (select(POLL_SUBJECT).where(*own, _S.key.in_(some)) for some in chunks(keys))
            return [row for query in queries for row in connection.execute(query)]

        return {row.key: _SUBJECT.read_row(row) for row in await self._database.run(read)} if keys else {}

    async def unseen(self, source: str, area: str, before: datetime, limit: int) -> Sequence[PolledSubject]:
        own = (_S.source == source, _S.area == area, _S.state != NORMAL, _S.seen_ms < to_ms(before))
        wanted = select(POLL_SUBJECT).where(*own).order_by(_S.seen_ms, _S.key).limit(limit)
        rows = await self._database.run(lambda connection: connection.execute(wanted).all())
        return [_SUBJECT.read_row(row) for row in rows]

    async def advance(
        self,
        before: Checkpoint | None,
        after: Checkpoint,
        subjects: Sequence[PolledSubject],
        events: Sequence[CloudEvent],
    ) -> bool:
        """Store a step as a whole; False where another process moved on from ``before``."""
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
            upsert = replace_into(POLL_SUBJECT, self._database.dialect)
            connection.execute(upsert, [_subject_row(after, subject) for subject in subjects])
        if events:
            rows = [{"source": after.source, "event": orjson.dumps(event).decode()} for event in events]
            connection.execute(insert(POLL_UNSENT), rows)
        return True

    def _move(self, connection: Connection, before: Checkpoint | None, after: Checkpoint) -> bool:
        row = _POSITION.write(after)
        if before is None:
            first = insert_into(POLL_POSITION, self._database.dialect).values(**row).on_conflict_do_nothing()
            return connection.scalar(first.returning(_P.source)) is not None
        still = (_P.source == before.source, _P.area == before.area, _P.round == before.round)
        moved = update(POLL_POSITION).where(*still).values(**row)
        return connection.scalar(moved.returning(_P.source)) is not None

    async def answered(self, source: str, at: datetime) -> None:
        """Note that a source answered everything."""
        noted = update(POLL_POSITION).where(_P.source == source).values(good_ms=to_ms(at))
        await self._database.run(lambda connection: connection.execute(noted))

    async def unsent(self, source: str, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        """Return events that are not handed over yet, in their order, each with its number."""
        wanted = select(POLL_UNSENT).where(_U.source == source).order_by(_U.number).limit(limit)
        rows = await self._database.run(lambda connection: read_readable(connection, POLL_UNSENT, wanted))
        return [(row.number, orjson.loads(row.event)) for row in rows]

    async def sent(self, numbers: Sequence[int]) -> None:
        """Delete events that were handed over."""

        def forget(connection: Connection) -> None:
            for some in chunks(numbers):
                connection.execute(delete(POLL_UNSENT).where(_U.number.in_(some)))

        await self._database.run(forget)

    async def prune(self, source: str, before: datetime) -> None:
        """Delete subjects that need no attention and that the ERP did not mention since."""
        old = delete(POLL_SUBJECT).where(_S.source == source, _S.state == NORMAL, _S.seen_ms < to_ms(before))
        await self._database.run(lambda connection: connection.execute(old))


def _subject_row(position: Checkpoint, subject: PolledSubject) -> dict[str, Any]:
    return {"source": position.source, "area": position.area, "key": subject.key, **_SUBJECT.write(subject)}
