"""Conditions that an event did not allow to answer: counted, and said once for each rule and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import structlog

_log = structlog.get_logger(__name__)
_REASONS = 16
"""Reasons of one rule that are logged; the count goes on."""


class Unanswered:
    """The counts of one set of rules."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._said: dict[str, set[str]] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how often each rule could not be answered."""
        return dict(self._counts)

    def count(self, rule: str, reason: str) -> None:
        """Count one event; the first one of a kind is worth a line."""
        self._counts[rule] += 1
        said = self._said.setdefault(rule, set())
        if reason not in said and len(said) < _REASONS:
            said.add(reason)
            _log.warning("condition cannot be answered", rule=rule, reason=reason)
