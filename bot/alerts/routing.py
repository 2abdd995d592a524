"""What the rules say about an event: where it goes, when, and who hears of it if nobody acts.

The port between the life of alerts (`bot.alerts.pipeline`) and the rules that a company writes (`bot.alerts.rules`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.alerts.alert import Alert
from bot.alerts.event import Event
from bot.outbox.place import Place
from bot.severity import Severity


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """Who else is told when an alert was not acknowledged ``after`` it could first be seen anywhere."""

    after: timedelta
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One place that gets a card, and how."""

    place: Place
    route: str
    group: str
    """Alerts with the same group share a card at this place; without grouping it is the matter's key."""
    wait: timedelta = timedelta(0)
    """How long the first alerts of a group gather before the card is shown."""
    interval: timedelta = timedelta(0)
    """At least this long between two changes of a shown card that only add or update; the end is shown at once."""
    repeat: timedelta | None = None
    """After this long an unacknowledged open alert is shown anew (a new card; the older one says so); None: never."""
    steps: tuple[EscalationStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Routing:
    """Where an event goes, and why: one line for each rule that was looked at, for ``dingerp routes test``."""

    targets: tuple[Target, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleSuppression:
    """A silence or an inhibition that holds an event back; ``until`` is None for as long as the cause lasts."""

    reason: str
    until: datetime | None


class AlertRules(Protocol):
    """The rules in force. All are pure: what they say depends on their arguments alone."""

    @property
    def revive(self) -> timedelta:
        """How long after its end a matter that opens again is the same alert on the same cards."""
        ...

    def grade(self, event: Event) -> Severity:
        """Return the severity by the company's thresholds, or the event's own."""
        ...

    def route(self, event: Event, severity: Severity, now: datetime) -> Routing:
        """Return the places for an event; no target means that nobody wants it."""
        ...

    def inhibited(self, event: Event, severity: Severity, others: Sequence[Alert]) -> RuleSuppression | None:
        """Return why an open alert among ``others`` makes this one needless."""
        ...

    def silenced(self, event: Event, severity: Severity, place: Place, now: datetime) -> RuleSuppression | None:
        """Return the silence of the configuration that holds the event back at this place."""
        ...

    def shows_at(self, target: Target, severity: Severity, now: datetime) -> datetime:
        """Return when a card that is due at ``now`` may be shown: time windows, working days, digest times.

        ``target.wait`` is not added here.
        """
        ...
