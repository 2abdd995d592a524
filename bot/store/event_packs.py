"""The bodies of events: those that are stored together lie in one value.

They are much alike: compressed together they take a tenth of what they take singly (`bot.sealing`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import delete, insert, select, text
from sqlalchemy.engine import Connection

from bot.alerts.intake.port import EventState, ReceivedEvent
from bot.store.row_times import to_ms
from bot.store.statements import chunks
from bot.store.tables import EVENT, EVENT_PACK

PACK = 64
"""Events in a pack: to read one of them, all are opened."""

_BETWEEN = "\x1e"
"""No JSON text has this character (RFC 7464)."""

_P = EVENT_PACK.c
_STORE = insert(EVENT_PACK).returning(_P.number)

# As text: SQLite uses a partial index only for the very words that it was made with.
_HELD = [select(EVENT.c.pack).where(text(f"state = '{state}'")) for state in (EventState.WAITING, EventState.REJECTED)]


def store_bodies(connection: Connection, events: Collection[ReceivedEvent]) -> Sequence[tuple[int, int]]:
    """Store what events say, and return for each of them the number of its pack and its position there."""
    alike: dict[EventState, list[tuple[int, ReceivedEvent]]] = defaultdict(list)
    for number, event in enumerate(events):
        # Rejected events are kept for a different time than the others.
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
    number: int = connection.execute(_STORE, values).scalar_one()
    return number


def read_bodies(connection: Connection, packs: Iterable[int]) -> Mapping[int, Sequence[str]]:
    """Return the bodies in packs, in the order of their positions. Raises `bot.sealing.NotOpened`."""
    found: dict[int, Sequence[str]] = {}
    for some in chunks(set(packs)):
        rows = connection.execute(select(_P.number, _P.bodies).where(_P.number.in_(some)))
        found.update((row.number, row.bodies.split(_BETWEEN)) for row in rows)
    return found


def forget_packs(connection: Connection, packs: Collection[int]) -> None:
    """Delete packs of which no event is needed: all of them were known."""
    for some in chunks(packs):
        connection.execute(delete(EVENT_PACK).where(_P.number.in_(some)))


def forget_packs_before(connection: Connection, before_ms: int, limit: int) -> int:
    """Delete up to so many packs that came before a time and hold nothing that waits or was rejected."""
    held = [_P.number.not_in(packs) for packs in _HELD]
    old = select(_P.number).where(_P.received_ms < before_ms, *held).limit(limit)
    return connection.execute(delete(EVENT_PACK).where(_P.number.in_(old))).rowcount
