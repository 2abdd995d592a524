"""What the index needs: a place to keep it, and the sources to follow. The bot's database and the hub are these."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bot.erp.index.model import Entry, Position
from bot.erp.model import Area, Changes, Product

Readings = Mapping[str, tuple[str, ...]]
"""Chinese character → its readings in letters without tones, the usual one first; none for a sign that has none."""


class IndexStore(Protocol):
    """Keeps the index. Every call is one transaction; all raise a `DingerpError` when the store does not answer."""

    async def search(self, source: str, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return the products that have every word of ``text`` (folded) somewhere, best match first."""
        ...

    async def positions(self) -> Mapping[str, Position]:
        """Return how far each source has been followed."""
        ...

    async def count(self, source: str) -> int:
        """Return how many products of a source are kept."""
        ...

    async def advance(
        self, before: Position | None, after: Position, *, entries: Sequence[Entry] = (), gone: Collection[str] = ()
    ) -> bool:
        """Store entries, drop those with the keys ``gone``, and move on from ``before``, all at once or not at all.

        Where a walk ends, entries that it did not come upon are dropped too. Returns False, with nothing stored, when
        somebody else has moved on from ``before`` meanwhile.
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


class Feed(Protocol):
    """The sources as the index asks them: spaced out and given up like every other call."""

    async def changed_since(self, source: str, area: Area, cursor: str, *, limit: int) -> Changes:
        """Return one source's next changes."""
        ...

    async def search_source(self, source: str, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return what one source itself finds; raises the classes of `bot.erp.errors`."""
        ...
