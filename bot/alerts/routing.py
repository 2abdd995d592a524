"""What the rules say about an event: where it goes, when, and who is told if nobody acts.

The port between the alert lifecycle and the company's rules (`bot.alerts.rules`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.alerts.alert import Alert
from bot.alerts.event import Event
from bot.outbox.delivery import DingWay
from bot.outbox.place import Place
from bot.words.severity import Severity


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """The further recipients if an alert is not acknowledged within ``after`` of its first card."""

    after: timedelta
    places: tuple[Place, ...]
    ding: DingWay | None = None
    """As `Target.ding`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One place that gets a card, with the manner of delivery."""

    place: Place
    route: str
    group: str
    """Alerts with the same group share a card at this place; without grouping it is the alert's key."""
    wait: timedelta = timedelta(0)
    """How long the first alerts of a group gather before the card is shown."""
    interval: timedelta = timedelta(0)
    """The minimum time between two changes of a shown card that only add or update; the end is shown at once."""
    repeat: timedelta | None = None
    """When an unacknowledged open alert gets a new card (the old one says so); None: never."""
    steps: tuple[EscalationStep, ...] = ()
    ding: DingWay | None = None
    """How people there are also called about urgent alerts; None: as in the settings."""


@dataclass(frozen=True, slots=True)
class Routing:
    """An event's destinations, and why: one line for each rule checked, for ``dingerp routes test``."""

    targets: tuple[Target, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleSuppression:
    """A silence or inhibition that suppresses an event; ``until`` is None if it lasts as long as its cause."""

    reason: str
    until: datetime | None


class AlertRules(Protocol):
    """The rules in force. All methods are pure."""

    @property
    def revive(self) -> timedelta:
        """The time after its end within which a reopened alert is the same one on the same cards."""
        ...

    def grade(self, event: Event) -> Severity:
        """Return the severity by the company's thresholds, otherwise the event's own."""
        ...

    def route(self, event: Event, severity: Severity, now: datetime) -> Routing:
        """Return the places for an event; without a target nobody wants it."""
        ...

    def inhibited(self, event: Event, severity: Severity, others: Sequence[Alert]) -> RuleSuppression | None:
        """Return the inhibition by an open alert among ``others``."""
        ...

    def silenced(self, event: Event, severity: Severity, place: Place, now: datetime) -> RuleSuppression | None:
        """Return the configured silence that suppresses the event at this place."""
        ...

    def shows_at(self, target: Target, severity: Severity, now: datetime, since: datetime | None = None) -> datetime:
        """Return when a card due at ``now`` may be shown: time windows, working days, digest times.

        ``since`` is the start of its wait: a digest time that has passed since then counts, as timers always run
        slightly late. ``target.wait`` is not added here.
        """
        ...

    @property
    def has_top_boxes(self) -> bool:
        """Whether any route sets a top box for critical alerts."""
        ...

    def top_box(self, route: str) -> bool | None:
        """Return whether critical alerts of this route also get a top box in the group.

        None if no rule says so: then the settings apply.
        """
        ...
