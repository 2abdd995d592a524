"""An alert: the living matter, and the cards that show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.alerts.event import Event, Severity
from bot.outbox.place import Place


class AlertState(StrEnum):
    """Whether the matter still concerns anybody."""

    OPEN = "open"
    RESOLVED = "resolved"
    INFORMED = "informed"
    """News that never was open."""


@dataclass(frozen=True, slots=True)
class UserStamp:
    """Who did something to an alert, and when. ``name`` is as people read it."""

    user_id: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One matter from its opening to its end; opened again within a while it is the same alert."""

    id: str
    key: str
    event: Event
    """The latest event: its figures are what the cards show."""
    state: AlertState
    severity: Severity
    opened_at: datetime
    last_at: datetime
    count: int = 1
    """How often it was reported since it opened."""
    acknowledged: UserStamp | None = None
    assigned: UserStamp | None = None
    """To whom; ``at`` is when that was said."""
    snoozed: UserStamp | None = None
    """Who put it off last, and when."""
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    step: int = 0
    """Steps of escalation that were taken."""
    escalate_at: datetime | None = None
    held: bool = False
    """Held back at some place: by an inhibition, a silence, a mute, or because somebody put it off."""
    look_at: datetime | None = None
    """When the earliest of these ends; None also for those that last as long as their cause."""
    revivals: int = 0
    """How often it was over and opened again."""
    revision: int = 1
    """Grows with every change that a card shows."""

    @property
    def is_open(self) -> bool:
        """Whether the matter is open."""
        return self.state is AlertState.OPEN


class CardState(StrEnum):
    """Where a card is in its life."""

    WAITING = "waiting"
    """Not yet at its place: it gathers, waits for a time of day, or for the end of a silence."""
    SHOWN = "shown"
    CLOSED = "closed"
    """All its matters are over; one of them opening again within a while brings the card back to `SHOWN`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCard:
    """One card at one place. It shows one alert, or all alerts of one group where the route groups them."""

    id: str
    place: Place
    route: str
    """Name of the route that brought it here, for the record and for its times."""
    group: str
    """What the alerts on this card have in common; with the place it is unique among the cards that are not closed."""
    alerts: tuple[str, ...]
    state: CardState
    opened_at: datetime
    due_at: datetime | None = None
    """When something is to be done next: show it, change it, repeat it."""
    shown_at: datetime | None = None
    changed_at: datetime | None = None
    """When the outbox was last asked for its newest state."""
    behind: bool = False
    """Something changed that the place is still to see, when its interval or its silence is over."""
    late: bool = False
    """It brings what the bot learnt long after it happened."""
    next: str = ""
    """The card that took its place: shown anew after a while, or one digest for many; this one says so."""
    repeats: int = 0
    revision: int = 1
    """Grows with every change that has to reach the place."""

    @property
    def is_closed(self) -> bool:
        """Whether it is over with the card."""
        return self.state is CardState.CLOSED
