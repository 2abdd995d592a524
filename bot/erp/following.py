"""Implements `bot.erp.port.Erp.changed_since` for ERPs that only record times of change.

An area is read in one or more streams, each ordered by one time. All streams are complete up to the earliest time at
which one was cut off. Within that range, each record is reported once, at the latest of its times.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.erp.cursor import TimeCursor
from bot.erp.errors import Invalid
from bot.erp.model import Change, Changes, Followed

EARLIEST, LATEST = datetime(1900, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Bounds of times of change; a cursor outside them would overflow when the overlap is subtracted."""
TRANSACTION = timedelta(minutes=3)
"""How much later than its own time a change may appear: the longest assumed duration of an ERP's transaction."""
_WIDEN = 4

Overlap = timedelta | Callable[[datetime], timedelta]
"""How long before a time changes may still turn up; a function if that depends on the time."""


@dataclass(frozen=True, slots=True)
class StreamPage:
    """The beginning of a stream: its records' times by key, and up to when it is complete (None: all of it)."""

    seen: Mapping[str, datetime]
    until: datetime | None = None


Read = Callable[[datetime | None, int], Awaitable[Sequence[StreamPage]]]
Complete = Callable[[dict[str, datetime]], Awaitable[Mapping[str, datetime]]]


def latest(times: Iterable[tuple[str, datetime | None]]) -> dict[str, datetime]:
    """Return the latest time of each key; missing times are ignored."""
    found: dict[str, datetime] = {}
    for key, at in times:
        if at is not None:
            found[key] = max(at, found.get(key, at))
    return found


async def follow(
    area: Followed,
    cursor: str,
    *,
    limit: int,
    overlap: Overlap,
    read: Read,
    complete: Complete | None = None,
    least: int = 0,
) -> Changes:
    """Return the next changes after ``cursor``; raises `Invalid` for a malformed one.

    ``read`` returns, for every stream, the changes from a time on (None: from the beginning), oldest first: the
    requested number of records or all. Each stream has to be a single request: between two requests, a changed record
    would move to the end and shift another one past the page boundary. ``complete`` adds times from outside the streams
    and drops records to leave out. ``least`` is the smallest number of records to request.
    """
    position = TimeCursor.parse(cursor)
    if position.at is not None and not EARLIEST < position.at < LATEST:
        raise Invalid("the cursor's time lies outside the years in which ERPs work")
    margin = _margin(overlap, position.at)
    since = position.since(margin)
    count = max(position.fetch_size(limit), least)
    while True:
        pages = await read(since, count)
        until = min((page.until for page in pages if page.until is not None), default=None)
        known: Mapping[str, datetime] = _within(latest(_times(pages)), None, until)
        if complete is not None:
            known = await complete(dict(known))
        rows = sorted(
            (Change(area=area, key=key, changed_at=at) for key, at in _within(known, since, until).items()),
            key=lambda change: (change.changed_at, change.key),
        )
        newest = rows[-1].changed_at if rows else None
        found = position.next_changes(
            area, rows, limit=limit, overlap=max(margin, _margin(overlap, newest)), more=until is not None
        )
        if until is None or (found.items and not _falls_back(until, position.at)):
            return found
        # All of these are known already, belong to a later time, or end before what is known, so read more.
        count *= _WIDEN


def _falls_back(until: datetime, known: datetime | None) -> bool:
    """Return whether a page ends before the time up to which records were reported.

    It would tell earlier times of records whose later ones belong to a page after it.
    """
    return known is not None and until < known


def _margin(overlap: Overlap, at: datetime | None) -> timedelta:
    if isinstance(overlap, timedelta):
        return overlap
    return timedelta(0) if at is None else overlap(at)


def _times(pages: Iterable[StreamPage]) -> Iterable[tuple[str, datetime]]:
    return ((key, at) for page in pages for key, at in page.seen.items())


def _within(known: Mapping[str, datetime], since: datetime | None, until: datetime | None) -> dict[str, datetime]:
    return {
        key: at.astimezone(UTC)
        for key, at in known.items()
        if (since is None or at >= since) and (until is None or at <= until)
    }
