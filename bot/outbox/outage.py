"""Outage handling: after several failures in a row, one attempt at a time until one succeeds.

Only an attempt can reveal the end of an outage. Queued rows back off further and further, so one row at a time, the
most urgent and oldest, is tried as a probe; the first success makes all others due at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.outbox.ports import SendFailureKind

AWAY = frozenset({SendFailureKind.BUSY, SendFailureKind.UNKNOWN})
"""Failures that indicate an outage of DingTalk: it was busy, unreachable, or gave no answer."""

_IN_A_ROW = 3
"""The number of consecutive failures that make an outage: one card may fail for a reason of its own."""

_SHORTEST, _LONGEST, _AFTER_HOURS = timedelta(seconds=5), timedelta(seconds=40), timedelta(minutes=5)
_HOURS = timedelta(hours=6)
"""After that, probes become rarer: each may cost a call of the month."""


class OutageWatch:
    """Counts the results of the outbox's attempts."""

    def __init__(self) -> None:
        self._failures = 0
        self._since: datetime | None = None
        self._probe_at: datetime | None = None
        self._may_owe = True
        """Whether rows may wait that failed in the outage, including those of an earlier process."""

    @property
    def is_away(self) -> bool:
        return self._failures >= _IN_A_ROW

    def failed(self, now: datetime) -> None:
        """Record a failure of `AWAY`."""
        self._failures += 1
        self._may_owe = True
        self._since = self._since or now
        self._probe_at = now + self._pause(now - self._since)

    def worked(self) -> bool:
        """Record a success; return whether rows that failed before it are due again now."""
        owes, self._may_owe = self._may_owe, False
        self._failures, self._since, self._probe_at = 0, None, None
        return owes

    def probe_at(self, now: datetime) -> datetime:
        """Return when the next probe is due; ``now`` while there is no outage."""
        return self._probe_at if self.is_away and self._probe_at is not None else now

    @staticmethod
    def _pause(lasts: timedelta) -> timedelta:
        return _AFTER_HOURS if lasts > _HOURS else min(max(lasts / 10, _SHORTEST), _LONGEST)
