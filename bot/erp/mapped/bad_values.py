"""What could not be read as the configuration says: kept aside with its reason, told once in the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import structlog

from bot.erp.model import Area

_log = structlog.get_logger(__name__)

_KEPT = 1_000
_TOLD = 500
"""How many different ones are remembered as told: a field has few ways of being wrong."""


@dataclass(frozen=True, slots=True)
class BadValue:
    """One value that is not what it should be. ``kept``: the record was told all the same, without this value."""

    area: Area
    key: str
    name: str
    """The field."""
    reason: str
    kept: bool
    record: Any = field(default=None, repr=False)
    """The source's own record: may hold prices, and so never reaches a log."""


class BadValues:
    """The last bad values of a source, the oldest first, the same one once. Safe to use from several threads."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._held: dict[tuple[Area, str, str], BadValue] = {}
        self._order: deque[tuple[Area, str, str]] = deque()
        self._told: set[tuple[Area, str, str]] = set()
        self._lock = Lock()

    def __iter__(self) -> Iterator[BadValue]:
        with self._lock:
            return iter(tuple(self._held.values()))

    def note(self, bad: BadValue) -> None:
        """Hold a bad value, and warn of its sort once."""
        place = (bad.area, bad.key, bad.name)
        with self._lock:
            if place not in self._held:
                self._order.append(place)
            self._held[place] = bad
            while len(self._order) > _KEPT:
                del self._held[self._order.popleft()]
        self.warn(bad.area, bad.name, bad.reason)

    def warn(self, area: Area, name: str, reason: str) -> None:
        """Write one line for each area, field and reason."""
        with self._lock:
            new = (area, name, reason) not in self._told and len(self._told) < _TOLD
            if new:
                self._told.add((area, name, reason))
        if new:
            _log.warning("a value of the ERP is unreadable", source=self._source, area=area, field=name, reason=reason)
