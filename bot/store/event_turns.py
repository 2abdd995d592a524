"""Which of the waiting events come next: the worst first, and sources take turns.

A flood of one source makes no other source wait: of each severity every source gives its oldest event, then its
second, and so on. An event takes along earlier ones about the same subject, so that nobody sees a matter end before it
began. The cost depends on the number of sources and of events that are taken, not on how many wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.engine import Connection

from bot.severity import Severity

_RANKS: Final = tuple(sorted((severity.rank for severity in Severity), reverse=True))

# As text: SQLite uses a partial index only for the very words that it was made with. The sources of a rank are found by
# jumping from one to the next in the index (https://wiki.postgresql.org/wiki/Loose_indexscan).
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


class _Waiting(NamedTuple):
    seq: int
    rank: int
    source: str
    subject: str


def choose_waiting(connection: Connection, limit: int) -> tuple[int, ...]:
    """Return the numbers of up to ``limit`` waiting events in the order in which they are to be processed."""
    chosen: list[_Waiting] = []
    for rank in _RANKS:
        if len(chosen) < limit:
            chosen += _take_turns(connection, rank, limit - len(chosen))
    return tuple(_with_earlier(connection, chosen, limit))[:limit]


def _take_turns(connection: Connection, rank: int, room: int) -> Sequence[_Waiting]:
    sources = connection.execute(_SOURCES, {"rank": rank}).scalars().all()
    queues = [_rows(connection.execute(_OLDEST, {"rank": rank, "source": source, "most": room})) for source in sources]
    # In each round the longest waiting comes first: with more sources than room nobody is left out for ever.
    rounds = (sorted(event for event in turn if event is not None) for turn in zip_longest(*queues))
    return [event for turn in rounds for event in turn][:room]


def _with_earlier(connection: Connection, chosen: Sequence[_Waiting], limit: int) -> Iterator[int]:
    """Yield the chosen events, each after those that came before it about its subject."""
    earlier = {source: _earlier(connection, source, chosen, limit) for source in {event.source for event in chosen}}
    # There may be more before a chosen event than one batch takes: then its source's turns are spent on the oldest.
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
    """Return what came from a source before its chosen events and is about their subjects; the oldest ``limit``."""
    # Those of the lowest rank are taken in their order anyway.
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
