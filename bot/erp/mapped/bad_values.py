"""Values that could not be read as the configuration says: kept with the reason, logged once."""

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
_MAX_LOGGED = 500
"""Different warnings that are remembered as logged: a field has few ways of being wrong."""


@dataclass(frozen=True, slots=True)
class BadValue:
    """A value that is not of its field's kind. ``kept``: the record was shown without it."""

    area: Area
    key: str
    name: str
    """The field."""
    reason: str
    kept: bool
    record: Any = field(default=None, repr=False)
    """The source's own record. It may hold prices, so it never reaches a log."""


class BadValues:
    """The last bad values of a source, oldest first, each once. Safe to use from several threads."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._held: dict[tuple[Area, str, str], BadValue] = {}
        self._order: deque[tuple[Area, str, str]] = deque()
        self._logged: set[tuple[Area, str, str]] = set()
        self._lock = Lock()

    def __iter__(self) -> Iterator[BadValue]:
        with self._lock:
            return iter(tuple(self._held.values()))

    def note(self, bad: BadValue) -> None:
        """Keep a bad value, and warn of its kind once."""
        place = (bad.area, bad.key, bad.name)
        with self._lock:
            if place not in self._held:
                self._order.append(place)
            self._held[place] = bad
            while len(self._order) > _KEPT:
                del self._held[self._order.popleft()]
        self.warn(bad.area, bad.name, bad.reason)

    def warn(self, area: Area, name: str, reason: str) -> None:
        """Log each area, field and reason once."""
        with self._lock:
            new = (area, name, reason) not in self._logged and len(self._logged) < _MAX_LOGGED
            if new:
                self._logged.add((area, name, reason))
        if new:
            _log.warning("a value of the ERP is unreadable", source=self._source, area=area, field=name, reason=reason)
