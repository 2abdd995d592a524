"""What the rules say about an event: where it goes, when, and who is told if nobody acts.

The port between the lifecycle of alerts and the rules that a company writes (`bot.alerts.rules`).
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
    """Who else is told when an alert is not acknowledged ``after`` its first card was shown."""

    after: timedelta
    places: tuple[Place, ...]
    ding: DingWay | None = None
    """As `Target.ding`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One place that gets a card, and how."""

    place: Place
    route: str
    group: str
    """Alerts with the same group share a card at this place; without grouping it is the alert's key."""
    wait: timedelta = timedelta(0)
    """How long the first alerts of a group gather before the card is shown."""
    interval: timedelta = timedelta(0)
    """The least time between two changes of a shown card that only add or update; the end is shown at once."""
    repeat: timedelta | None = None
    """When an unacknowledged open alert gets a new card (the old one says so); None: never."""
    steps: tuple[EscalationStep, ...] = ()
    ding: DingWay | None = None
    """How a person there is also called about what is urgent; None where no rule says so: then the settings count."""


@dataclass(frozen=True, slots=True)
class Routing:
    """Where an event goes, and why: one line for each rule that was asked, for ``dingerp routes test``."""

    targets: tuple[Target, ...]
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleSuppression:
    """A silence or an inhibition that holds an event back; ``until`` is None if it lasts as long as its cause."""

    reason: str
    until: datetime | None


class AlertRules(Protocol):
    """The rules in force. All are pure: answers depend on the arguments alone."""

    @property
    def revive(self) -> timedelta:
        """How long after its end an alert that opens again is the same alert on the same cards."""
        ...

    def grade(self, event: Event) -> Severity:
        """Return the severity by the company's thresholds, else the event's own."""
        ...

    def route(self, event: Event, severity: Severity, now: datetime) -> Routing:
        """Return the places for an event; without a target nobody wants it."""
        ...

    def inhibited(self, event: Event, severity: Severity, others: Sequence[Alert]) -> RuleSuppression | None:
        """Return the inhibition by an open alert among ``others``."""
        ...

    def silenced(self, event: Event, severity: Severity, place: Place, now: datetime) -> RuleSuppression | None:
        """Return the configured silence that holds the event back at this place."""
        ...

    def shows_at(self, target: Target, severity: Severity, now: datetime, since: datetime | None = None) -> datetime:
        """Return when a card that is due at ``now`` may be shown: time windows, working days, digest times.

        ``since`` is the moment for which it was set to wait: a digest's time that passed since then has come, as timers
        are always a little late. ``target.wait`` is not added here.
        """
        ...

    @property
    def has_top_boxes(self) -> bool:
        """Whether any route says that what is critical on its cards is also at the top of the group."""
        ...

    def top_box(self, route: str) -> bool | None:
        """Return whether what is critical on a card of this route is also at the top of its group.

        None where no rule says so: then the settings count.
        """
        ...
