"""The events of alerts that began together lie in one value, until one of them changes.

As for the events themselves (`bot.store.event_packs`): compressed together they take a tenth of what they take singly,
and one seal is opened for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Integer, bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from bot.sealing import BrokenSeal, NotOpened
from bot.store.statements import chunks, execute_many
from bot.store.tables import ALERT, ALERT_PACK

PACK = 64
"""Alerts in a pack."""

_BETWEEN = "\x1e"
"""No JSON text has this character (RFC 7464)."""

_A, _P = ALERT.c, ALERT_PACK.c
_INSERT: Final = insert(ALERT_PACK).inline()
_IN_PACK: Final = select(_A.number, _A.event).where(
    _A.number >= bindparam("first", type_=Integer),
    _A.number < bindparam("end", type_=Integer),
    _A.pack == bindparam("first", type_=Integer),
)


def pack_events(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Move what the rows of new alerts hold of their events into packs; their numbers follow each other."""
    for start in range(0, len(rows), PACK):
        some = rows[start : start + PACK]
        if len(some) < 2:
            return
        first = some[0]["number"]
        execute_many(connection, _INSERT, [{"first": first, "events": _BETWEEN.join(row["event"] for row in some)}])
        for row in some:
            row.update(event="", pack=first)


def with_events(connection: Connection, rows: Iterable[Any]) -> list[Any]:
    """Return rows of alerts, each with its own event. Raises `bot.sealing.NotOpened`."""
    rows = list(rows)
    packs = _read(connection, {row.pack for row in rows if not row.event})
    return [row if row.event else _unpacked(row, packs) for row in rows]


def forget_alerts(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete alerts. The others of their packs get an event of their own: nothing is kept longer for their sake."""
    for some in chunks(numbers):
        packs = set(connection.execute(select(_A.pack).where(_A.number.in_(some), _A.pack != 0)).scalars())
        connection.execute(delete(ALERT).where(_A.number.in_(some)))
        for first in packs:
            _dissolve(connection, first)


def _dissolve(connection: Connection, first: int) -> None:
    rows = connection.execute(_IN_PACK, {"first": first, "end": first + PACK}).all()
    packed = [row.number for row in rows if not row.event]
    try:
        events = _read(connection, (first,)) if packed else {}
    except NotOpened:
        # Its alerts are shown as unreadable, and go when they are over.
        return
    for number in packed:
        own = {"event": events[first][number - first], "pack": 0}
        connection.execute(update(ALERT).where(_A.number == number).values(own))
    connection.execute(delete(ALERT_PACK).where(_P.first == first))


def _read(connection: Connection, packs: Iterable[int]) -> Mapping[int, Sequence[str]]:
    found: dict[int, Sequence[str]] = {}
    for some in chunks(set(packs)):
        rows = connection.execute(select(ALERT_PACK).where(_P.first.in_(some)))
        found.update((row.first, row.events.split(_BETWEEN)) for row in rows)
    return found


def _unpacked(row: Any, packs: Mapping[int, Sequence[str]]) -> Any:
    place = row.number - row.pack
    events = packs.get(row.pack, ())
    if not 0 <= place < len(events):
        raise BrokenSeal("a value of alert.event was taken away")
    return SimpleNamespace(**{**row._mapping, "event": events[place]})
