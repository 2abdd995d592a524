"""Storage for intake: every event once, in order of arrival, including rejected ones; and the polling progress of
sources.

A batch is one JSON parameter and one statement, as in the inbox (`bot.store.chat.inbox` says why).

Of the waiting events the worst come first, and sources take turns, so that a flood from one source delays no other: at
each severity every source contributes its oldest event, then its second, and so on. An event brings along earlier ones
about the same subject, so that nobody sees an alert end before it began. The cost depends on the number of sources and
of events taken, not on how many wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import zip_longest
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Row, bindparam, delete, func, insert, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from bot.alerts.intake.poll_state import NORMAL, Checkpoint, CloudEvent, PolledSubject
from bot.alerts.intake.port import EventState, ReceivedEvent, StoredEvent
from bot.mechanisms.wakeup import SharedWork
from bot.store.alerts.packs import forget_packs, forget_packs_before, read_bodies, store_bodies
from bot.store.announcements import announce
from bot.store.database import Stored
from bot.store.record_codec import IN_MILLISECONDS, PlainCodec, RecordCodec
from bot.store.row_times import from_ms, to_ms
from bot.store.sealed_columns import Sealed, keys_in_use, seal
from bot.store.statements import chunks, insert_into, replace_into
from bot.store.tables import EVENT, POLL_POSITION, POLL_SUBJECT, POLL_UNSENT
from bot.store.unreadable_rows import read_readable
from bot.words.sealing import KeyRing, NotOpened
from bot.words.severity import Severity

_RANKS: Final = tuple(sorted((severity.rank for severity in Severity), reverse=True))

# As text: SQLite uses a partial index only for the exact expression it was created with. The sources of a rank are
# found by jumping from one to the next in the index (https://wiki.postgresql.org/wiki/Loose_indexscan).
_SOURCES: Final = text(
    "WITH RECURSIVE known (source) AS ("
    "SELECT (SELECT source FROM event WHERE state = 'waiting' AND rank = :rank ORDER BY source LIMIT 1) "
    "UNION ALL SELECT (SELECT source FROM event WHERE state = 'waiting' AND rank = :rank AND source > known.source "
    "ORDER BY source LIMIT 1) FROM known WHERE known.source IS NOT NULL"
    ") SELECT source FROM known WHERE source IS NOT NULL"
)
_OLDEST: Final = text(
    "SELECT seq, rank, source, subject FROM event "
    "WHERE state = 'waiting' AND rank = :rank AND source = :source ORDER BY seq LIMIT :most"
)
_EARLIER: Final = text(
    "SELECT seq, rank, source, subject FROM event "
    "WHERE state = 'waiting' AND source = :source AND subject IN :subjects AND seq < :before ORDER BY seq LIMIT :most"
).bindparams(bindparam("subjects", expanding=True))

PRUNED_AT_ONCE = 2_000
"""Rows per transaction: others want to write in between."""

_IS_WAITING = text("state = 'waiting'")
"""As text: SQLite uses a partial index only for the exact expression it was created with."""

NOT_OPENED = "what it says was changed in the database, or sealed by another key"

_NAMES = {"id": "event_id", "at": "time_ms", "received_at": "received_ms"}
_STORED = RecordCodec(StoredEvent, IN_MILLISECONDS, names=_NAMES, skip={"is_opened", "raw"})
_UNOPENED = RecordCodec(StoredEvent, IN_MILLISECONDS, names=_NAMES, skip={"is_opened", "raw", "reason"})
_PLAIN_COLUMNS = tuple(column for column in EVENT.c if not isinstance(column.type, Sealed))

_P, _S, _U = POLL_POSITION.c, POLL_SUBJECT.c, POLL_UNSENT.c
_POSITION = RecordCodec(
    Checkpoint, IN_MILLISECONDS, names={"began_at": "began_ms", "swept_at": "swept_ms", "good_at": "good_ms"}
)
_TEXT = PlainCodec(lambda said: orjson.dumps(dict(said)).decode(), orjson.loads)
_SUBJECT = RecordCodec(
    PolledSubject, {**IN_MILLISECONDS, Mapping[str, str]: _TEXT}, names={"at": "at_ms", "seen_at": "seen_ms"}
)

_ROWS = {
    "sqlite": (
        "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), "
        "json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'), "
        "json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]'), "
        "json_extract(value, '$[9]'), json_extract(value, '$[10]'), json_extract(value, '$[11]'), "
        "json_extract(value, '$[12]'), json_extract(value, '$[13]'), '' "
        "FROM json_each(:rows) WHERE true"
    ),
    "postgresql": (
        "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, "
        "CAST(value ->> 7 AS bigint), CAST(value ->> 8 AS bigint), value ->> 9, value ->> 10, "
        "CAST(value ->> 11 AS integer), CAST(value ->> 12 AS bigint), CAST(value ->> 13 AS integer), '' "
        "FROM json_array_elements(CAST(:rows AS json)) AS value"
    ),
}
# A valid repeat of a rejected event replaces it; other known events stay unchanged.
_INSERT = {
    dialect: text(
        "INSERT INTO event (source, origin, event_id, type, subject, via, severity, time_ms, received_ms, state, "
        f"reason, rank, pack, position, raw) {rows} ON CONFLICT (source, origin, event_id) "
        "DO UPDATE SET type = excluded.type, subject = excluded.subject, via = excluded.via, "
        "severity = excluded.severity, time_ms = excluded.time_ms, received_ms = excluded.received_ms, "
        "state = excluded.state, reason = excluded.reason, rank = excluded.rank, "
        "pack = excluded.pack, position = excluded.position, raw = '' "
        "WHERE event.state = 'rejected' AND excluded.state = 'waiting' RETURNING source, origin, event_id, state, pack"
    )
    for dialect, rows in _ROWS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSearch:
    """A search for stored events; empty fields match everything."""

    source: str = ""
    type: str = ""
    """A type, or a prefix of types with a trailing ``*``."""
    subject: str = ""
    event_id: str = ""
    state: EventState | None = None
    since: datetime | None = None
    """Received at this time or later."""
    until: datetime | None = None
    """Received before this time."""
    before: int | None = None
    """Only events with a smaller number: the last one of the previous page."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class EventBacklog:
    """The number of a source's events waiting to be processed, and the arrival of the oldest."""

    count: int
    oldest_at: datetime


class StoredEvents(Stored):
    """Stores events for intake; `search` and `prune` are for tools."""

    async def keep(self, events: Collection[ReceivedEvent]) -> frozenset[tuple[str, str, str]]:
        """Store events in one transaction that survives a power cut, and return the keys of new waiting events."""
        return await self._database.run(partial(insert_events, events=events), durable=True)

    async def backlog(self) -> Mapping[str, EventBacklog]:
        """Return the waiting events by source."""
        query = (
            select(EVENT.c.source, func.count(), func.min(EVENT.c.received_ms))
            .where(_IS_WAITING)
            .group_by(EVENT.c.source)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {source: EventBacklog(count, from_ms(oldest)) for source, count, oldest in rows}

    async def search(self, wanted: EventSearch) -> tuple[StoredEvent, ...]:
        """Return stored events, newest first."""
        return await self._database.run(partial(find_events, wanted=wanted))

    async def prune(self, now: datetime, *, done: timedelta, rejected: timedelta) -> int:
        """Delete older events and return their number; a waiting event is never deleted.

        If the source sends a deleted event again, it is new.
        """
        count = 0
        for state, age in ((EventState.DONE, done), (EventState.REJECTED, rejected)):
            forget = partial(_forget, state=state, before_ms=to_ms(now - age))
            while gone := await self._database.run(forget):
                count += gone
        forget_bodies = partial(forget_packs_before, before_ms=to_ms(now - done), limit=PRUNED_AT_ONCE)
        while await self._database.run(forget_bodies):
            pass
        return count


def insert_events(connection: Connection, events: Collection[ReceivedEvent]) -> frozenset[tuple[str, str, str]]:
    """Insert events with distinct keys and return the keys of new waiting events."""
    if not events:
        return frozenset()
    ring = keys_in_use().ring
    places = store_bodies(connection, events)
    rows = orjson.dumps([_row(event, place, ring) for event, place in zip(events, places, strict=True)]).decode()
    stored = connection.execute(_INSERT[connection.dialect.name], {"rows": rows}).all()
    if known := {pack for pack, _ in places} - {row[4] for row in stored}:
        forget_packs(connection, known)
    waiting = frozenset((row[0], row[1], row[2]) for row in stored if row[3] == EventState.WAITING)
    if waiting:
        announce(connection, SharedWork.EVENTS)
    return waiting


def take_waiting(connection: Connection, limit: int) -> tuple[StoredEvent, ...]:
    """Return the next waiting events in order, inside the caller's transaction."""
    numbers = choose_waiting(connection, limit)
    return _read(connection, numbers)


def mark_done(connection: Connection, seqs: Sequence[int]) -> None:
    """Mark events as done, inside the transaction that stores their effects."""
    for some in chunks(seqs):
        connection.execute(update(EVENT).where(EVENT.c.seq.in_(some)).values(state=EventState.DONE))


def mark_rejected(connection: Connection, reasons: Mapping[int, str]) -> None:
    """Mark events as rejected, each with its reason, unless they are done by now."""
    for seq, reason in reasons.items():
        rejected = update(EVENT).where(EVENT.c.seq == seq, EVENT.c.state == EventState.WAITING)
        connection.execute(rejected.values(state=EventState.REJECTED, reason=reason))


def find_events(connection: Connection, wanted: EventSearch) -> tuple[StoredEvent, ...]:
    """Return stored events, newest first."""
    found = select(EVENT.c.seq).where(*_conditions(wanted)).order_by(EVENT.c.seq.desc()).limit(wanted.limit)
    return _read(connection, connection.execute(found).scalars().all())


def _read(connection: Connection, numbers: Sequence[int]) -> tuple[StoredEvent, ...]:
    """Return events in this order; one that cannot be opened does not stop the others."""
    found: dict[int, StoredEvent] = {}
    for some in chunks(numbers):
        try:
            found |= _read_all(connection, some)
        except NotOpened:
            for number in some:
                found |= _read_single(connection, number)
    return tuple(found[number] for number in numbers if number in found)


def _read_all(connection: Connection, numbers: Sequence[int]) -> Mapping[int, StoredEvent]:
    rows = connection.execute(select(EVENT).where(EVENT.c.seq.in_(numbers))).all()
    bodies = read_bodies(connection, {row.pack for row in rows if not row.raw})
    # Older versions stored each body with its event.
    return {row.seq: _STORED.read_row(row, raw=row.raw or bodies[row.pack][row.position]) for row in rows}


def _read_single(connection: Connection, number: int) -> Mapping[int, StoredEvent]:
    try:
        return _read_all(connection, (number,))
    except NotOpened:
        rows = connection.execute(select(*_PLAIN_COLUMNS).where(EVENT.c.seq == number))
        return {row.seq: _UNOPENED.read_row(row, raw="", reason=NOT_OPENED, is_opened=False) for row in rows}


def _conditions(wanted: EventSearch) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        EVENT.c[column] == value
        for column, value in (
            ("source", wanted.source),
            ("subject", wanted.subject),
            ("event_id", wanted.event_id),
            ("state", wanted.state),
        )
        if value
    ]
    if wanted.type.endswith("*"):
        conditions.append(EVENT.c.type.startswith(wanted.type[:-1], autoescape=True))
    elif wanted.type:
        conditions.append(EVENT.c.type == wanted.type)
    if wanted.since is not None:
        conditions.append(EVENT.c.received_ms >= to_ms(wanted.since))
    if wanted.until is not None:
        conditions.append(EVENT.c.received_ms < to_ms(wanted.until))
    if wanted.before is not None:
        conditions.append(EVENT.c.seq < wanted.before)
    return conditions


def _forget(connection: Connection, state: EventState, before_ms: int) -> int:
    old = select(EVENT.c.seq).where(EVENT.c.state == state, EVENT.c.received_ms < before_ms).limit(PRUNED_AT_ONCE)
    return connection.execute(delete(EVENT).where(EVENT.c.seq.in_(old))).rowcount


def _row(event: ReceivedEvent, place: tuple[int, int], ring: KeyRing) -> tuple[str | int, ...]:
    named = (event.source, event.origin, event.id, event.type, event.subject, event.via, event.severity)
    reason = seal(EVENT.c.reason, event.reason, ring)
    return (*named, to_ms(event.at), to_ms(event.received_at), event.state, reason, event.rank, *place)


# Taking turns


class _Waiting(NamedTuple):
    seq: int
    rank: int
    source: str
    subject: str


def choose_waiting(connection: Connection, limit: int) -> tuple[int, ...]:
    """Return the numbers of up to ``limit`` waiting events in processing order."""
    chosen: list[_Waiting] = []
    for rank in _RANKS:
        if len(chosen) < limit:
            chosen += _take_turns(connection, rank, limit - len(chosen))
    return tuple(_with_earlier(connection, chosen, limit))[:limit]


def _take_turns(connection: Connection, rank: int, room: int) -> Sequence[_Waiting]:
    sources = connection.execute(_SOURCES, {"rank": rank}).scalars().all()
    queues = [_rows(connection.execute(_OLDEST, {"rank": rank, "source": source, "most": room})) for source in sources]
    # In each round the longest waiting comes first: with more sources than room none is left out for ever.
    rounds = (sorted(event for event in turn if event is not None) for turn in zip_longest(*queues))
    return [event for turn in rounds for event in turn][:room]


def _with_earlier(connection: Connection, chosen: Sequence[_Waiting], limit: int) -> Iterator[int]:
    """Yield the chosen events, each after earlier ones about its subject."""
    earlier = {source: _earlier(connection, source, chosen, limit) for source in {event.source for event in chosen}}
    # More may precede a chosen event than one batch takes: then its source's turns are spent on the oldest.
    crowded = {source: iter(events) for source, events in earlier.items() if len(events) == limit}
    seen: set[int] = set()
    for event in chosen:
        if event.source in crowded:
            along = [next(crowded[event.source])]
        else:
            before = (other for other in earlier[event.source] if other.subject == event.subject)
            along = [*(other for other in before if other.seq < event.seq), event]
        yield from _unseen(along, seen)


def _unseen(events: Iterable[_Waiting], seen: set[int]) -> Iterator[int]:
    for event in events:
        if event.seq not in seen:
            seen.add(event.seq)
            yield event.seq


def _earlier(connection: Connection, source: str, chosen: Sequence[_Waiting], limit: int) -> list[_Waiting]:
    """Return a source's events that precede its chosen ones and concern their subjects; the oldest ``limit``."""
    # Those of the lowest rank are taken in order anyway.
    urgent = [event for event in chosen if event.source == source and event.rank > _RANKS[-1] and event.subject]
    if not urgent:
        return []
    values = {
        "source": source,
        "subjects": sorted({event.subject for event in urgent}),
        "before": max(event.seq for event in urgent),
        "most": limit,
    }
    return _rows(connection.execute(_EARLIER, values))


def _rows(found: Iterable[Any]) -> list[_Waiting]:
    return [_Waiting(*row) for row in found]


class StoredPolls(Stored):
    """Stores polling state."""

    async def positions(self, source: str) -> Mapping[str, Checkpoint]:
        """Return the polling progress of a source's areas, by name."""
        wanted = select(POLL_POSITION).where(_P.source == source)
        rows = await self._database.rows(wanted)
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
        rows = await self._database.rows(wanted)
        return [_SUBJECT.read_row(row) for row in rows]

    async def advance(
        self,
        before: Checkpoint | None,
        after: Checkpoint,
        subjects: Sequence[PolledSubject],
        events: Sequence[CloudEvent],
    ) -> bool:
        """Store a whole step; False if another process has moved on from ``before``."""
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
        """Record that a source answered everything."""
        noted = update(POLL_POSITION).where(_P.source == source).values(good_ms=to_ms(at))
        await self._database.execute(noted)

    async def unsent(self, source: str, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        """Return events not yet handed over, in order, each with its number."""
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
        """Delete resolved subjects that the ERP has not mentioned since."""
        old = delete(POLL_SUBJECT).where(_S.source == source, _S.state == NORMAL, _S.seen_ms < to_ms(before))
        await self._database.execute(old)


def _subject_row(position: Checkpoint, subject: PolledSubject) -> dict[str, Any]:
    return {"source": position.source, "area": position.area, "key": subject.key, **_SUBJECT.write(subject)}
