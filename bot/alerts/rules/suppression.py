"""Suppression by rule: inhibitions by other alerts, and configured silences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.alerts.alert import Alert
from bot.alerts.event import Event, correlate
from bot.alerts.routing import RuleSuppression
from bot.alerts.rules.condition import Condition
from bot.alerts.rules.facts import Facts
from bot.outbox.place import Place
from bot.words.severity import Severity

FactsOf = Callable[[Event, Severity], Facts]
"""The facts at the time of receipt: what an open alert inhibits does not depend on when it is checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """While an alert matching ``source`` is open, alerts matching ``target`` are suppressed."""

    name: str
    source: Condition
    target: Condition
    common: Callable[[Event], object]
    """Variables that both must share, from `bot.alerts.rules.facts.COMMON`."""

    def suppression(self, facts: Facts, others: Sequence[Alert], facts_of: FactsOf) -> RuleSuppression | None:
        """Return the inhibition by another alert; no alert inhibits itself."""
        if self.target.refusal(facts):
            return None
        key, shared = correlate(facts.event).key, self.common(facts.event)
        for other in others:  # thousands in a storm: cheap and selective tests come first
            if self.common(other.event) != shared or not other.is_open or other.key == key:
                continue
            if not self.source.refusal(facts_of(other.event, other.severity)):
                return RuleSuppression(f"{self.name}: while {other.event.type} {other.event.subject} is open", None)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A planned silence from ``begins`` (None: at once) to ``ends``."""

    name: str
    condition: Condition
    places: frozenset[Place]
    """Empty: everywhere."""
    begins: datetime | None
    ends: datetime
    comment: str

    def suppression(self, facts: Facts, place: Place) -> RuleSuppression | None:
        """Return the silence if it suppresses the event."""
        if not (self.begins is None or self.begins <= facts.now) or facts.now >= self.ends:
            return None
        if (self.places and place not in self.places) or self.condition.refusal(facts):
            return None
        until = f"{self.ends.astimezone(facts.now.tzinfo):%Y-%m-%d %H:%M}"
        return RuleSuppression(f"{self.name}: until {until}" + (f", {self.comment}" if self.comment else ""), self.ends)
