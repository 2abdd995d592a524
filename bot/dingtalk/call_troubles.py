"""The DingTalk APIs that currently fail, and since when.

Occasional failures do not count; repeated failures are one trouble: it begins when most of the latest attempts fail,
and ends when hardly any does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

FAILING: Final = frozenset({"unavailable", "unknown", "timeout", "rate_limited", "auth_failed"})
"""Outcomes in which DingTalk refused a call that it would accept at another time, or with the right keys."""

NEWEST: Final = 50
"""The number of attempts considered."""
WITHIN: Final = 60.0
"""Seconds: older attempts prove nothing about the present."""
FEWEST: Final = 3
"""The number of failures that is no accident any more."""
RECOVERED: Final = 10
"""One failure among this many attempts is not reported."""
SILENT: Final = 1800.0
"""Seconds without an attempt after which the state is unknown."""


@dataclass(frozen=True, slots=True)
class CallTrouble:
    """Most calls of an API have failed for ``seconds``; ``outcome`` is that of the last failure."""

    seconds: float
    outcome: str


@dataclass(slots=True)
class ApiTries:
    """The latest attempts of one API. Times are in seconds of a monotonic clock."""

    _tries: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=NEWEST))
    _since: float | None = None

    def note(self, outcome: str, now: float) -> None:
        """Record an attempt."""
        self._tries.append((now, outcome if outcome in FAILING else ""))
        self._judge(now)

    def trouble(self, now: float) -> CallTrouble | None:
        """Return the current trouble, if any."""
        self._judge(now)
        if self._since is None or now - self._tries[-1][0] > SILENT:
            return None
        return CallTrouble(now - self._since, next(failed for _, failed in reversed(self._tries) if failed))

    def _judge(self, now: float) -> None:
        recent = [(at, failed) for at, failed in self._tries if now - at <= WITHIN]
        failures = [at for at, failed in recent if failed]
        if self._since is None:
            if len(failures) >= FEWEST and 2 * len(failures) > len(recent):
                self._since = failures[0]
        elif RECOVERED * len(failures) <= len(recent) and not self._tries[-1][1]:
            self._since = None


def find_troubles(tries: Mapping[str, ApiTries], now: float) -> Mapping[str, CallTrouble]:
    """Return the failing APIs by name."""
    found = {name: each.trouble(now) for name, each in tries.items()}
    return {name: trouble for name, trouble in found.items() if trouble is not None}
