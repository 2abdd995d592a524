"""Limits the waiting events per source: a flooding source fills neither disk nor queue.

Accepted events are never dropped. Events beyond the quota are not accepted: a webhook's sender is told when to retry, a
queue keeps its messages, and polling continues later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bot.alerts.intake.port import IntakeFull

RETRY_AFTER = 5.0
"""Seconds until more is accepted: by then the waiting events are counted again."""


class SourceQuota:
    """Counts waiting events: from the database at intervals, plus those accepted in between."""

    def __init__(self, most: int) -> None:
        """``most`` events of a source may wait; a single hand-over may exceed it, or a large one would never fit."""
        self._most = most
        self._waiting: Counter[str] = Counter()

    def admit(self, source: str, count: int) -> None:
        """Admit events. Raises `IntakeFull` while too many of the source wait."""
        waiting = self._waiting[source]
        if waiting and waiting + count > self._most:
            raise IntakeFull(f"{waiting} events of {source} wait to be processed", retry_after=RETRY_AFTER)

    def add(self, source: str, count: int) -> None:
        """Count stored events."""
        self._waiting[source] += count

    def recount(self, waiting: Mapping[str, int]) -> None:
        """Adopt the database's count."""
        self._waiting = Counter(waiting)
