"""A cursor over records with a time of change, for ERPs that do not number their changes.

Several records may share a time. A record may also appear late, when its transaction ends, with the time at which it
began. So each call starts a little before the last time, and the cursor remembers the records already seen there:
nothing is missed or repeated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.erp.errors import Invalid
from bot.erp.model import Change, Changes, Followed

_START = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimeCursor:
    """The position of a reader of changes: the last time it saw, and the records from ``overlap`` before it on."""

    at: datetime | None = None
    seen: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> TimeCursor:
        """Parse the result of `str`; an empty text is the beginning. Raises `Invalid` for any other text."""
        if not text:
            return cls()
        try:
            at, seen = json.loads(text)
            cursor = cls(datetime.fromisoformat(at), frozenset(map(str, seen)))
        except (ValueError, TypeError) as error:
            raise Invalid(f"not a cursor of this ERP: {text[:40]!r}") from error
        if cursor.at is None or cursor.at.tzinfo is None:
            raise Invalid(f"not a cursor of this ERP: {text[:40]!r}")
        return cursor

    def __str__(self) -> str:
        return "" if self.at is None else json.dumps([self.at.isoformat(), sorted(self.seen)], separators=(",", ":"))

    def since(self, overlap: timedelta = timedelta(0)) -> datetime | None:
        """Return the time to read from (inclusive); None: from the beginning."""
        return None if self.at is None else self.at - overlap

    def fetch_size(self, limit: int) -> int:
        """Return how many records to request in order to get ``limit`` new ones and to detect further ones."""
        return limit + len(self.seen) + 1

    def next_changes(
        self,
        area: Followed,
        rows: Iterable[Change],
        *,
        limit: int,
        overlap: timedelta = timedelta(0),
        more: bool = False,
    ) -> Changes:
        """Return the next changes among ``rows``: those from `since` on, oldest first, `fetch_size` of them or all.

        ``more``: the ERP has further rows after these.
        """
        fresh = [row for row in rows if _mark(row) not in self.seen]
        taken = fresh[:limit]
        if not taken:
            # Only known rows, and more after them: possible only if fewer than `fetch_size` were read.
            return Changes(items=(), cursor=str(self), more=False)
        at = max(row.changed_at for row in taken)
        at = at if self.at is None else max(at, self.at)
        kept = {mark for mark in self.seen if _time_of(mark) >= _number(at - overlap if at > _START + overlap else at)}
        seen = kept | {_mark(row) for row in taken if row.changed_at >= at - overlap}
        return Changes(items=tuple(taken), cursor=str(TimeCursor(at, frozenset(seen))), more=more or len(fresh) > limit)


def _number(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _time_of(mark: str) -> int:
    return int(mark.partition("/")[0], 36)


def _mark(row: Change) -> str:
    """Return a short mark for a record in this state: its time and part of the hash of its key."""
    key = hashlib.blake2b(f"{row.area}/{row.key}".encode(), digest_size=6).hexdigest()
    return f"{_base36(_number(row.changed_at))}/{key}"


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    sign, number, text = "-" if number < 0 else "", abs(number), ""
    while number:
        number, digit = divmod(number, 36)
        text = digits[digit] + text
    return sign + (text or "0")
