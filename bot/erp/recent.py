"""What sources said in the last seconds: who asks the same again is told the same, without another call.

A product is asked for by several people of a group in the same minute, and a card's buttons lead back to what was just
shown. An answer keeps the time at which it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from cachetools import TTLCache

from bot.erp.flight import Flight
from bot.metrics import Metrics

_HELD = 256
"""Answers of one source at most; the least recently used go first."""


class RecentReads:
    """The reads that brought an answer, for as many ``seconds`` after it as each source allows (0: none)."""

    def __init__(self, seconds: Mapping[str, float], *, metrics: Metrics, monotonic: Callable[[], float]) -> None:
        self._landed: dict[str, TTLCache[tuple[Hashable, ...], Flight[Any]]] = {
            source: TTLCache(_HELD, span, timer=monotonic) for source, span in seconds.items() if span
        }
        self._metrics = metrics

    def get(self, source: str, call: str, key: tuple[Hashable, ...]) -> Flight[Any] | None:
        """Return the read of ``key`` that landed a moment ago, and count that it spares a call."""
        landed = self._landed.get(source)
        read = None if landed is None else landed.get(key)
        if read is not None:
            self._metrics.erp_cached.labels(source, call).inc()
        return read

    def put(self, source: str, key: tuple[Hashable, ...], read: Flight[Any]) -> None:
        """Hold a read from now on."""
        landed = self._landed.get(source)
        if landed is not None:
            landed[key] = read

    def drop(self, source: str) -> None:
        """Hold nothing of a source any longer."""
        if source in self._landed:
            self._landed[source].clear()
