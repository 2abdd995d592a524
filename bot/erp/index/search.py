"""Answers searches from the index where a source's is filled and fresh; otherwise the source is asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog

from bot.erp.index.folding import fold
from bot.erp.index.port import VERSION, IndexStore, SyncState
from bot.erp.model import Product
from bot.mechanisms.metrics import Metrics
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

_OLDEST = timedelta(minutes=15)
_SECONDS = 1.0
"""A search that takes longer goes to the source."""


def oldest(pause: float) -> timedelta:
    """Return how long an index that is looked after every ``pause`` seconds is used without news of its source.

    After that its source may have many new products.
    """
    return max(_OLDEST, timedelta(seconds=3 * pause))


class ProductIndex:
    """The index as questions use it."""

    def __init__(
        self,
        store: IndexStore,
        *,
        metrics: Metrics,
        now: Callable[[], datetime],
        oldest: timedelta = _OLDEST,
        seconds: float = _SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._now = now
        self._oldest = oldest
        self._seconds = seconds
        self._monotonic = monotonic
        self._synced: dict[str, datetime] = {}
        self._expected: set[str] = set()

    async def find(self, source: str, text: str, *, limit: int) -> tuple[Product, ...] | None:
        """Return what the index finds, best match first; None where the source itself has to be asked."""
        if not self.ready(source):
            return None
        began = self._monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                found = await self._store.search(source, fold(text), limit=limit)
        except (DingerpError, TimeoutError) as error:
            log.warning("index.not_searched", source=source, error=type(error).__name__)
            return None
        self._metrics.index_seconds.observe(self._monotonic() - began)
        return found

    def expect(self, source: str) -> None:
        """Take note that a source is followed, so that its index will be filled."""
        self._expected.add(source)

    def give_up(self, source: str) -> None:
        """Take note that a source cannot be followed: it has no index."""
        self._expected.discard(source)

    def filling(self, source: str) -> bool:
        """Return whether a source's index is still being filled for the first time."""
        return source in self._expected and source not in self._synced

    def ready(self, source: str) -> bool:
        """Return whether a source's index is filled and fresh."""
        synced = self._synced.get(source)
        return synced is not None and self._now() - synced <= self._oldest

    async def load(self, positions: Mapping[str, SyncState]) -> None:
        """Take over what earlier processes filled."""
        for position in positions.values():
            await self.update_state(position)

    async def update_state(self, position: SyncState) -> None:
        """Take note of how far a source has been followed."""
        source = position.source
        if position.synced_at is None or position.version != VERSION:
            self._synced.pop(source, None)
            return
        self._synced[source] = position.synced_at
        self._metrics.index_products.labels(source).set(await self._store.count(source))
        self._metrics.index_age.labels(source).set_function(lambda: self._age(source))

    def _age(self, source: str) -> float:
        synced = self._synced.get(source)
        return float("nan") if synced is None else (self._now() - synced).total_seconds()
