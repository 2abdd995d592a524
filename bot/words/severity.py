"""Severity: the scale shared by events, alerts and cards."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """The severity of a problem (docs: contracts.md#event-intake)."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """A number that grows with the severity."""
        return _RANKS[self]


_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
