"""Packs: event bodies stored together, and the events of alerts that began together, share one value.

They are similar: compressed together they take a tenth of the space, and one seal is opened for all
(`bot.words.sealing`). An alert's event leaves its pack when it changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Integer, bindparam, delete, insert, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from bot.alerts.intake.port import EventState, ReceivedEvent
from bot.store.row_times import to_ms
from bot.store.statements import chunks, execute_many
from bot.store.tables import ALERT, ALERT_PACK, EVENT, EVENT_PACK
from bot.words.sealing import BrokenSeal, NotOpened

PACK = 64
"""Events or alerts per pack: reading one of them opens all."""

_BETWEEN = "\x1e"
"""No JSON text has this character (RFC 7464)."""

_E_PACK = EVENT_PACK.c
_STORE_BODIES = insert(EVENT_PACK).returning(_E_PACK.number)

# As text: SQLite uses a partial index only for the exact expression it was created with.
_HELD = [select(EVENT.c.pack).where(text(f"state = '{state}'")) for state in (EventState.WAITING, EventState.REJECTED)]

_A, _A_PACK = ALERT.c, ALERT_PACK.c
_STORE_EVENTS: Final = insert(ALERT_PACK).inline()
_IN_PACK: Final = select(_A.number, _A.event).where(
    _A.number >= bindparam("first", type_=Integer),
    _A.number < bindparam("end", type_=Integer),
    _A.pack == bindparam("first", type_=Integer),
)


# Bodies of events


def store_bodies(connection: Connection, events: Collection[ReceivedEvent]) -> Sequence[tuple[int, int]]:
    """Store event bodies, and return for each its pack number and its position there."""
    alike: dict[EventState, list[tuple[int, ReceivedEvent]]] = defaultdict(list)
    for number, event in enumerate(events):
        # Rejected events have a retention of their own.
        alike[event.state].append((number, event))
    places: dict[int, tuple[int, int]] = {}
    for numbered in alike.values():
        for start in range(0, len(numbered), PACK):
            some = numbered[start : start + PACK]
            pack = _store_pack(connection, [event for _, event in some])
            places.update((number, (pack, position)) for position, (number, _) in enumerate(some))
    return [places[number] for number in range(len(places))]


def _store_pack(connection: Connection, events: Sequence[ReceivedEvent]) -> int:
    values = {
        "received_ms": to_ms(max(event.received_at for event in events)),
        "bodies": _BETWEEN.join(event.raw for event in events),
    }
    number: int = connection.execute(_STORE_BODIES, values).scalar_one()
    return number


def read_bodies(connection: Connection, packs: Iterable[int]) -> Mapping[int, Sequence[str]]:
    """Return the bodies in packs, in the order of their positions. Raises `bot.words.sealing.NotOpened`."""
    return _read(connection, packs, _E_PACK.number, _E_PACK.bodies)


def forget_packs(connection: Connection, packs: Collection[int]) -> None:
    """Delete packs without any needed event: all of them were known."""
    for some in chunks(packs):
        connection.execute(delete(EVENT_PACK).where(_E_PACK.number.in_(some)))


def forget_packs_before(connection: Connection, before_ms: int, limit: int) -> int:
    """Delete up to ``limit`` packs from before a time that hold nothing waiting or rejected."""
    held = [_E_PACK.number.not_in(packs) for packs in _HELD]
    old = select(_E_PACK.number).where(_E_PACK.received_ms < before_ms, *held).limit(limit)
    return connection.execute(delete(EVENT_PACK).where(_E_PACK.number.in_(old))).rowcount


# Events of alerts


def pack_events(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Move the events of new alert rows into packs; pack numbers are consecutive."""
    for start in range(0, len(rows), PACK):
        some = rows[start : start + PACK]
        if len(some) < 2:
            return
        first = some[0]["number"]
        execute_many(
            connection, _STORE_EVENTS, [{"first": first, "events": _BETWEEN.join(row["event"] for row in some)}]
        )
        for row in some:
            row.update(event="", pack=first)


def with_events(connection: Connection, rows: Iterable[Any]) -> list[Any]:
    """Return alert rows, each with its own event. Raises `bot.words.sealing.NotOpened`."""
    rows = list(rows)
    packs = _read_events(connection, {row.pack for row in rows if not row.event})
    return [row if row.event else _unpacked(row, packs) for row in rows]


def forget_alerts(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete alerts. The other alerts of their packs get events of their own, so that nothing is kept too long."""
    for some in chunks(numbers):
        packs = set(connection.execute(select(_A.pack).where(_A.number.in_(some), _A.pack != 0)).scalars())
        connection.execute(delete(ALERT).where(_A.number.in_(some)))
        for first in packs:
            _dissolve(connection, first)


def _dissolve(connection: Connection, first: int) -> None:
    rows = connection.execute(_IN_PACK, {"first": first, "end": first + PACK}).all()
    packed = [row.number for row in rows if not row.event]
    try:
        events = _read_events(connection, (first,)) if packed else {}
    except NotOpened:
        # Its alerts are shown as unreadable, and are deleted when resolved.
        return
    for number in packed:
        own = {"event": events[first][number - first], "pack": 0}
        connection.execute(update(ALERT).where(_A.number == number).values(own))
    connection.execute(delete(ALERT_PACK).where(_A_PACK.first == first))


def _read_events(connection: Connection, packs: Iterable[int]) -> Mapping[int, Sequence[str]]:
    return _read(connection, packs, _A_PACK.first, _A_PACK.events)


def _unpacked(row: Any, packs: Mapping[int, Sequence[str]]) -> Any:
    place = row.number - row.pack
    events = packs.get(row.pack, ())
    if not 0 <= place < len(events):
        raise BrokenSeal("a value of alert.event was taken away")
    return SimpleNamespace(**{**row._mapping, "event": events[place]})


def _read(
    connection: Connection, packs: Iterable[int], key: ColumnElement[int], value: ColumnElement[str]
) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for some in chunks(set(packs)):
        rows = connection.execute(select(key, value).where(key.in_(some)))
        found.update((number, joined.split(_BETWEEN)) for number, joined in rows)
    return found
