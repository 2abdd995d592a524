"""One unit of work of the desk: what is done in it has one time and one set of rules, and is stored together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.alerts.event import Event
from bot.alerts.ledger import Ledger, Note
from bot.alerts.plan import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """When news is old: after downtime, many old ones become one digest at each place instead of a flood."""

    after: timedelta = timedelta(minutes=15)
    many: int = 5
    """So many late cards at a place are still shown one by one."""
    gather: timedelta = timedelta(seconds=10)
    """How long late ones are waited for, so that they can be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What the stages share."""

    ledger: Ledger
    rules: Rules
    now: datetime
    new_id: Callable[[], str]
    lateness: Lateness = Lateness()

    def note(self, what: str, *, fact: str = "", alert: str = "", card: str = "", detail: str = "") -> None:
        """Write a line of the story."""
        self.ledger.note(Note(at=self.now, what=what, fact=fact, alert=alert, card=card, detail=detail))


def fact_of(event: Event) -> str:
    """Return how the story names an event."""
    return f"{event.source}/{event.id}"


def moment_of(event: Event) -> datetime:
    """Return when it happened; a sender whose clock is ahead cannot outdo everything that comes later."""
    return min(event.at, event.received_at)
