"""How bad something is: the one scale of events, alerts and their cards."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """How bad it is (docs: contracts.md#event-intake)."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Return a number that is higher for what is worse."""
        return _RANKS[self]


_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
