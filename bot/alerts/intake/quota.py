"""How many events of one source may wait to be processed: a source that floods fills neither disk nor queue.

What was accepted is never dropped. What exceeds the quota is not accepted: a webhook's sender is told when to try
again, a queue keeps its messages, and polling goes on later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bot.alerts.intake.port import IntakeFull

RETRY_AFTER = 5.0
"""Seconds until more is accepted: by then what waits was counted again."""


class SourceQuota:
    """Counts what waits, between two counts in the database by what is accepted meanwhile."""

    def __init__(self, most: int) -> None:
        """``most`` events of a source may wait; one hand-over may exceed that, or a large one would never fit."""
        self._most = most
        self._waiting: Counter[str] = Counter()

    def admit(self, source: str, count: int) -> None:
        """Admit events. Raises `IntakeFull` while too many of the source wait."""
        waiting = self._waiting[source]
        if waiting and waiting + count > self._most:
            raise IntakeFull(f"{waiting} events of {source} wait to be processed", retry_after=RETRY_AFTER)

    def add(self, source: str, count: int) -> None:
        """Count events that were stored."""
        self._waiting[source] += count

    def recount(self, waiting: Mapping[str, int]) -> None:
        """Take over what the database counts."""
        self._waiting = Counter(waiting)
