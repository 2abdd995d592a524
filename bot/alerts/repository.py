"""The stored alerts, cards, mutes, watches and history, and the unit of work around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.alerts.alert import Alert, AlertCard, Mute, Watch
from bot.alerts.routing import AlertRules
from bot.outbox.delivery import Delivery, DingWay
from bot.outbox.place import Place


class UnreadableRecord(Exception):
    """A stored alert was changed from outside; retrying does not help. The text names the column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertHistoryEntry:
    """One line in the history of an event or an alert, from receipt to click; ``what`` is a short fixed word."""

    at: datetime
    what: str
    fact: str = ""
    """``source/id`` of the event that caused it, if any."""
    alert: str = ""
    card: str = ""
    detail: str = ""


class AlertRepository(Protocol):
    """Reads see earlier writes of the same unit of work."""

    def expect(self, keys: Sequence[str], subjects: Sequence[str]) -> None:
        """Prefetch the alerts with these keys and the watches on these subjects."""
        ...

    def latest(self, key: str) -> Alert | None:
        """Return the newest alert with a key, open or not."""
        ...

    def alert(self, alert_id: str) -> Alert | None:
        """Return one alert."""
        ...

    def alerts(self, alert_ids: Sequence[str]) -> Sequence[Alert]:
        """Return several alerts in this order; unknown ones are left out."""
        ...

    def open_alerts(self, limit: int = 1000) -> Sequence[Alert]:
        """Return the open alerts, newest first."""
        ...

    def ended_alerts(self, limit: int) -> Sequence[Alert]:
        """Return the alerts that are over, and news, newest first."""
        ...

    def put_alert(self, alert: Alert, due_at: datetime | None) -> None:
        """Store an alert; ``due_at`` is when time alone will change it: an escalation, the end of a snooze."""
        ...

    def mark_suppressed_due(self, now: datetime) -> None:
        """Make all open suppressed alerts due: a cause ended, or a mute was lifted."""
        ...

    def card(self, card_id: str) -> AlertCard | None:
        """Return one card."""
        ...

    def cards(self, card_ids: Sequence[str]) -> Sequence[AlertCard]:
        """Return several cards in this order; unknown ones are left out."""
        ...

    def open_on(self, card_id: str, limit: int = 1000) -> Sequence[Alert]:
        """Return the open alerts on a card, including those a digest only counts, newest first."""
        ...

    def move_members(self, card_id: str, to: str) -> None:
        """Move a digest's alerts to another one."""
        ...

    def cards_of(self, alert_id: str) -> Sequence[AlertCard]:
        """Return all cards that show or count an alert, oldest first."""
        ...

    def open_card(self, place: Place, group: str) -> AlertCard | None:
        """Return the open card of a group at a place."""
        ...

    def waiting_digest(self, place: Place) -> AlertCard | None:
        """Return the digest waiting in the outbox until its place may get a new card; None if none waits."""
        ...

    def cards_at(self, place: Place, limit: int = 1000) -> Sequence[AlertCard]:
        """Return the open cards of a place, newest first."""
        ...

    def put_card(self, card: AlertCard) -> None:
        """Store a card."""
        ...

    def due_alerts(self, now: datetime, limit: int) -> Sequence[str]:
        """Return the ids of alerts whose ``due_at`` has come, the longest waiting first."""
        ...

    def due_cards(self, now: datetime, limit: int) -> Sequence[str]:
        """Return the ids of cards whose ``due_at`` has come, the longest waiting first."""
        ...

    def postpone(self, alert_ids: Sequence[str], card_ids: Sequence[str], until: datetime) -> None:
        """Make alerts and cards due at ``until``, including unreadable ones."""
        ...

    def next_due(self) -> datetime | None:
        """Return when the next alert or card is due."""
        ...

    def mutes(self, place: Place, now: datetime) -> Sequence[Mute]:
        """Return the mutes in force at a place."""
        ...

    def put_mute(self, mute: Mute) -> None:
        """Store a mute; one that ends now or earlier is lifted."""
        ...

    def watches_on(self, subject: str) -> Sequence[Watch]:
        """Return the watches on a subject, ignoring case, oldest first."""
        ...

    def watches(self, user_id: str = "") -> Sequence[Watch]:
        """Return the watches of a person, or of everybody, oldest first."""
        ...

    def put_watch(self, watch: Watch) -> None:
        """Store a watch; one with the same id is replaced."""
        ...

    def remove_watch(self, watch_id: str) -> None:
        """Delete a watch."""
        ...

    def deliver(self, delivery: Delivery) -> None:
        """Queue the newest state of a card for a place."""
        ...

    def standing_boxes(self) -> Sequence[str]:
        """Return the ids of the cards that currently have a top box in their group."""
        ...

    def withdraw(self, card_id: str) -> None:
        """Cancel the delivery of a card never seen at its place."""
        ...

    def note(self, note: AlertHistoryEntry) -> None:
        """Append a line to the history."""
        ...

    def history(self, *, fact: str = "", alert: str = "", limit: int = 1000) -> Sequence[AlertHistoryEntry]:
        """Return the history of an event (``source/id``) or of an alert, in order of writing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LatenessPolicy:
    """The policy after downtime: many late cards become one digest per place instead of a flood."""

    after: timedelta = timedelta(minutes=15)
    """An event older than this on arrival is late."""
    many: int = 5
    """Up to this many late cards at a place are shown one by one."""
    gather: timedelta = timedelta(seconds=10)
    """How long late cards wait for others, so that they can be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertUnitOfWork:
    """The context shared by the stages; all of it is stored together, or nothing is."""

    repository: AlertRepository
    rules: AlertRules
    now: datetime
    new_id: Callable[[], str]
    lateness: LatenessPolicy = LatenessPolicy()
    top_boxes: bool = False
    """Whether groups also get a top box for critical alerts, unless a rule says otherwise."""
    ding: DingWay = DingWay.OFF
    """How people are also called (DING) about critical or escalated alerts, unless a rule says otherwise."""

    def note(self, what: str, *, fact: str = "", alert: str = "", card: str = "", detail: str = "") -> None:
        self.repository.note(
            AlertHistoryEntry(at=self.now, what=what, fact=fact, alert=alert, card=card, detail=detail)
        )
