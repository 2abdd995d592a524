"""What the index keeps, and what it needs: a place to keep it, and the sources to follow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.erp.model import Product

VERSION = 1
"""Version of the entries' format; an index of another version is built anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """A product as it is searched.

    ``key`` tells the products of a source apart, ``code`` and ``name`` are folded for ranking. ``plain`` is all that
    can be searched as it is written; ``initials`` and ``syllables`` are the pinyin of the name, each spelling after a
    line break.
    """

    key: str
    code: str
    name: str
    plain: str
    initials: str
    syllables: str
    product: Product


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """How far a source has been followed.

    A *walk* reads all products from the beginning; what it does not come upon is gone. ``walking``: the walk has not
    reached the end; ``walked_at``: when the last one did. ``synced_at``: up to when all changes are known, None before
    the first walk's end. ``trouble``: the class of the error that the last attempt ended with.
    """

    source: str
    cursor: str = ""
    walk: int = 1
    walking: bool = True
    walked_at: datetime | None = None
    synced_at: datetime | None = None
    trouble: str = ""
    version: int = VERSION


Readings = Mapping[str, tuple[str, ...]]
"""Chinese character → its readings in letters without tones, the usual one first; it may have none."""


class IndexStore(Protocol):
    """Keeps the index. Every call is one transaction; all raise a `DingerpError` when the store does not answer."""

    async def search(self, source: str, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return the products that have every word of ``text`` (folded) somewhere, best match first."""
        ...

    async def positions(self) -> Mapping[str, SyncState]:
        """Return how far each source has been followed."""
        ...

    async def count(self, source: str) -> int:
        """Return how many products of a source are kept."""
        ...

    async def advance(
        self,
        before: SyncState | None,
        after: SyncState,
        *,
        entries: Sequence[IndexEntry] = (),
        gone: Collection[str] = (),
    ) -> bool:
        """Store entries, drop those with the keys ``gone``, and move on from ``before``, all at once or not at all.

        Where a walk ends, entries that it did not come upon are dropped too. Returns False, with nothing stored, when
        another process has moved on from ``before`` meanwhile.
        """
        ...

    async def keep_only(self, sources: Collection[str]) -> None:
        """Drop all that belongs to other sources."""
        ...

    async def readings(self, characters: Collection[str]) -> Readings:
        """Return what is known of some characters' readings."""
        ...

    async def keep_readings(self, readings: Readings) -> None:
        """Add readings."""
        ...
