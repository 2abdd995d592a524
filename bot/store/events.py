"""The event table: every event once, in the order of arrival, those that cannot be understood among them.

A batch goes in as one JSON parameter and one statement, as the inbox does it (`bot.store.inbox` says why).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Row, delete, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from bot.alerts.intake.port import EventState, ReceivedEvent, StoredEvent
from bot.store.database import Database
from bot.store.tables import EVENT

PRUNED_AT_ONCE = 2_000
"""Rows per transaction: others want to write in between."""
_AT_ONCE = 500
"""Parameters of one statement."""

_MOMENT = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ROWS = {
    "sqlite": (
        "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), "
        "json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'), "
        "json_extract(value, '$[6]'), json_extract(value, '$[7]'), json_extract(value, '$[8]'), "
        "json_extract(value, '$[9]'), json_extract(value, '$[10]'), json_extract(value, '$[11]') "
        "FROM json_each(:rows) WHERE true"
    ),
    "postgresql": (
        "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, "
        "CAST(value ->> 7 AS bigint), CAST(value ->> 8 AS bigint), value ->> 9, value ->> 10, value ->> 11 "
        "FROM json_array_elements(CAST(:rows AS json)) AS value"
    ),
}
# What was rejected and comes again in order takes its place; everything else that is known stays as it is.
_INSERT = {
    dialect: text(
        "INSERT INTO event (source, origin, event_id, type, subject, via, severity, time_ms, received_ms, state, "
        f"reason, raw) {rows} ON CONFLICT (source, origin, event_id) DO UPDATE SET type = excluded.type, "
        "subject = excluded.subject, via = excluded.via, severity = excluded.severity, time_ms = excluded.time_ms, "
        "received_ms = excluded.received_ms, state = excluded.state, reason = excluded.reason, raw = excluded.raw "
        "WHERE event.state = 'rejected' AND excluded.state = 'waiting' RETURNING source, origin, event_id, state"
    )
    for dialect, rows in _ROWS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSearch:
    """Which kept events are looked for; what is empty matters not."""

    source: str = ""
    type: str = ""
    """A type, or the beginning of types with ``*`` at its end."""
    subject: str = ""
    event_id: str = ""
    state: EventState | None = None
    since: datetime | None = None
    """Received then or later."""
    until: datetime | None = None
    """Received before."""
    before: int | None = None
    """Only events with a smaller number: the last one of the page before."""
    limit: int = 100


class StoredEvents:
    """Implements `bot.alerts.intake.batched_intake.EventStore`; the rest is for the tools."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, events: Collection[ReceivedEvent]) -> frozenset[tuple[str, str, str]]:
        """Store events in one transaction and return the keys of those waiting that are new."""
        return await self._database.run(partial(insert_events, events=events))

    async def search(self, wanted: EventSearch) -> tuple[StoredEvent, ...]:
        """Return kept events, newest first."""
        return await self._database.run(partial(find_events, wanted=wanted))

    async def prune(self, now: datetime, *, done: timedelta, rejected: timedelta) -> int:
        """Forget what was received longer ago, and return how many; what still waits is never forgotten.

        An event that its source sends again after that is a new one.
        """
        count = 0
        for state, age in ((EventState.DONE, done), (EventState.REJECTED, rejected)):
            forget = partial(_forget, state=state, before_ms=_ms(now - age))
            while gone := await self._database.run(forget):
                count += gone
        return count


def insert_events(connection: Connection, events: Collection[ReceivedEvent]) -> frozenset[tuple[str, str, str]]:
    """Store events whose keys differ; return the keys of those waiting that are new."""
    if not events:
        return frozenset()
    rows = orjson.dumps([_row(one) for one in events]).decode()
    stored = connection.execute(_INSERT[connection.dialect.name], {"rows": rows})
    return frozenset((row[0], row[1], row[2]) for row in stored if row[3] == EventState.WAITING)


def take_waiting(connection: Connection, limit: int) -> tuple[StoredEvent, ...]:
    """Return the waiting events that came first, in their order, inside the caller's transaction."""
    waiting = select(EVENT).where(EVENT.c.state == EventState.WAITING).order_by(EVENT.c.seq).limit(limit)
    return tuple(_event(row) for row in connection.execute(waiting))


def mark_done(connection: Connection, seqs: Sequence[int]) -> None:
    """Mark events as worked on, inside the transaction that holds what came of them."""
    for start in range(0, len(seqs), _AT_ONCE):
        some = EVENT.c.seq.in_(seqs[start : start + _AT_ONCE])
        connection.execute(update(EVENT).where(some).values(state=EventState.DONE))


def mark_rejected(connection: Connection, reasons: Mapping[int, str]) -> None:
    """Keep aside events that turned out not to be understood, each with its reason."""
    for seq, reason in reasons.items():
        aside = update(EVENT).where(EVENT.c.seq == seq)
        connection.execute(aside.values(state=EventState.REJECTED, reason=reason))


def find_events(connection: Connection, wanted: EventSearch) -> tuple[StoredEvent, ...]:
    """Return kept events, newest first."""
    found = select(EVENT).where(*_conditions(wanted)).order_by(EVENT.c.seq.desc()).limit(wanted.limit)
    return tuple(_event(row) for row in connection.execute(found))


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
        conditions.append(EVENT.c.received_ms >= _ms(wanted.since))
    if wanted.until is not None:
        conditions.append(EVENT.c.received_ms < _ms(wanted.until))
    if wanted.before is not None:
        conditions.append(EVENT.c.seq < wanted.before)
    return conditions


def _forget(connection: Connection, state: EventState, before_ms: int) -> int:
    old = select(EVENT.c.seq).where(EVENT.c.state == state, EVENT.c.received_ms < before_ms).limit(PRUNED_AT_ONCE)
    return connection.execute(delete(EVENT).where(EVENT.c.seq.in_(old))).rowcount


def _row(one: ReceivedEvent) -> tuple[str | int, ...]:
    named = (one.source, one.origin, one.id, one.type, one.subject, one.via, one.severity)
    return (*named, _ms(one.at), _ms(one.received_at), one.state, one.reason, one.raw)


def _event(row: Row[Any]) -> StoredEvent:
    return StoredEvent(
        seq=row.seq,
        source=row.source,
        origin=row.origin,
        id=row.event_id,
        type=row.type,
        subject=row.subject,
        severity=row.severity,
        via=row.via,
        at=_EPOCH + row.time_ms * _MOMENT,
        received_at=_EPOCH + row.received_ms * _MOMENT,
        state=EventState(row.state),
        reason=row.reason,
        raw=row.raw,
    )


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MOMENT
