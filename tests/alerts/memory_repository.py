"""An alert repository in memory, for tests of whatever works with alerts: it passes the suite of the stored one."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from bot.alerts.alert import Alert, AlertCard, Mute, Watch
from bot.alerts.intake.port import StoredEvent
from bot.alerts.repository import AlertHistoryEntry
from bot.alerts.top_boxes import TOP_PREFIX
from bot.outbox.delivery import Delivery
from bot.outbox.place import Place

T = TypeVar("T")


class MemoryAlertRepository:
    """Implements `bot.alerts.repository.AlertRepository`, and with `events` the `AlertProcessingRepository` of
    `bot.alerts.processing.processor`.
    """

    def __init__(self) -> None:
        self._alerts: dict[str, Alert] = {}
        self._alerts_due: dict[str, datetime | None] = {}
        self._cards: dict[str, AlertCard] = {}
        self._members: dict[str, frozenset[str]] = {}
        self._mutes: dict[str, Mute] = {}
        self._watches: dict[str, Watch] = {}
        self.deliveries: list[Delivery] = []
        """All that were ever asked for, in order."""
        self.withdrawn: list[str] = []
        self.now: datetime | None = None
        """The time of the unit of work; without one, nothing is known to wait."""
        self._owed: dict[str, datetime] = {}
        """When what is owed is due, by card."""
        self.notes: list[AlertHistoryEntry] = []
        self.events: list[StoredEvent] = []
        """Those that wait."""
        self.rejected: dict[int, str] = {}

    def __copy__(self) -> MemoryAlertRepository:
        """Return a repository with the same content, for what may have to be taken back."""
        twin = MemoryAlertRepository()
        for name, value in vars(self).items():
            setattr(twin, name, copy(value))
        return twin

    def expect(self, keys: Sequence[str], subjects: Sequence[str]) -> None:
        """Know it all already."""

    def latest(self, key: str) -> Alert | None:
        """Return the newest alert of a matter, open or not."""
        return next((alert for alert in reversed(self._alerts.values()) if alert.key == key), None)

    def alert(self, alert_id: str) -> Alert | None:
        """Return one alert."""
        return self._alerts.get(alert_id)

    def alerts(self, alert_ids: Sequence[str]) -> Sequence[Alert]:
        """Return several alerts in this order."""
        return tuple(self._alerts[alert_id] for alert_id in alert_ids if alert_id in self._alerts)

    def open_alerts(self, limit: int = 1000) -> Sequence[Alert]:
        """Return the open alerts, newest first."""
        return [alert for alert in reversed(self._alerts.values()) if alert.is_open][:limit]

    def ended_alerts(self, limit: int) -> Sequence[Alert]:
        """Return the alerts that are over, newest first."""
        return [alert for alert in reversed(self._alerts.values()) if not alert.is_open][:limit]

    def put_alert(self, alert: Alert, due_at: datetime | None) -> None:
        """Store an alert."""
        self._alerts[alert.id] = alert
        self._alerts_due[alert.id] = due_at

    def mark_suppressed_due(self, now: datetime) -> None:
        """Make all open alerts due that are held back somewhere."""
        for alert in tuple(self._alerts.values()):
            if alert.held and alert.is_open:
                self.put_alert(replace(alert, look_at=now), now)

    def card(self, card_id: str) -> AlertCard | None:
        """Return one card."""
        return self._cards.get(card_id)

    def cards_of(self, alert_id: str) -> Sequence[AlertCard]:
        """Return all cards that show an alert, oldest first."""
        return [card for card in self._cards.values() if alert_id in self._members[card.id]]

    def cards(self, card_ids: Sequence[str]) -> Sequence[AlertCard]:
        """Return several cards in this order."""
        return [self._cards[card_id] for card_id in card_ids if card_id in self._cards]

    def open_on(self, card_id: str, limit: int = 1000) -> Sequence[Alert]:
        """Return the open alerts on a card, newest first."""
        return [alert for alert in self.open_alerts(len(self._alerts)) if alert.id in self._members[card_id]][:limit]

    def move_members(self, card_id: str, to: str) -> None:
        """Let the alerts that a digest stands for belong to another one."""
        self._members[to] = self._members.get(to, frozenset()) | self._members.pop(card_id)

    def open_card(self, place: Place, group: str) -> AlertCard | None:
        """Return the card of a group at a place that is not closed."""
        return next((card for card in self.cards_at(place) if card.group == group), None)

    def waiting_digest(self, place: Place) -> AlertCard | None:
        """Return the first digest that is not due yet."""
        now = self.now
        late = (card for card in self._cards.values() if now is not None and self._owed.get(card.id, now) > now)
        return next((card for card in late if card.place == place and card.is_digest and not card.is_closed), None)

    def cards_at(self, place: Place, limit: int = 1000) -> Sequence[AlertCard]:
        """Return the cards of a place that are not closed, newest first."""
        cards = (card for card in reversed(self._cards.values()) if card.place == place and not card.is_closed)
        return list(cards)[:limit]

    def put_card(self, card: AlertCard) -> None:
        """Store a card."""
        self._cards[card.id] = card
        counted = self._members.get(card.id, frozenset()) if card.is_digest else frozenset()
        self._members[card.id] = counted | {*card.alerts}

    def due_alerts(self, now: datetime, limit: int) -> Sequence[str]:
        """Return alerts whose time has come, the longest waiting first."""
        due = ((at, one) for one, at in self._alerts_due.items() if at is not None and at <= now)
        return [one for _, one in sorted(due, key=_first)][:limit]

    def due_cards(self, now: datetime, limit: int) -> Sequence[str]:
        """Return cards whose time has come, the longest waiting first."""
        due = ((card.due_at, card) for card in self._cards.values() if card.due_at is not None and card.due_at <= now)
        return [card.id for _, card in sorted(due, key=_first)][:limit]

    def postpone(self, alert_ids: Sequence[str], card_ids: Sequence[str], until: datetime) -> None:
        """Make alerts and cards due at a time."""
        self._alerts_due.update(dict.fromkeys(alert_ids, until))
        self._cards.update({card_id: replace(self._cards[card_id], due_at=until) for card_id in card_ids})

    def next_due(self) -> datetime | None:
        """Return when time will change something next."""
        times = (*self._alerts_due.values(), *(card.due_at for card in self._cards.values()))
        return min((at for at in times if at is not None), default=None)

    def mutes(self, place: Place, now: datetime) -> Sequence[Mute]:
        """Return the mutes in force at a place."""
        found = (mute for mute in self._mutes.values() if mute.place == place and mute.until > now)
        return sorted(found, key=lambda mute: mute.made_at)

    def put_mute(self, mute: Mute) -> None:
        """Store a mute; one with the same id is replaced."""
        self._mutes[mute.id] = mute

    def watches_on(self, subject: str) -> Sequence[Watch]:
        """Return the watches on a subject, oldest first."""
        return [watch for watch in self.watches() if watch.subject.casefold() == subject.casefold()]

    def watches(self, user_id: str = "") -> Sequence[Watch]:
        """Return the watches of a person, or all, oldest first."""
        found = (watch for watch in self._watches.values() if user_id in ("", watch.user_id))
        return sorted(found, key=lambda watch: (watch.made_at, watch.id))

    def put_watch(self, watch: Watch) -> None:
        """Store a watch; one with the same id is replaced."""
        self._watches[watch.id] = watch

    def remove_watch(self, watch_id: str) -> None:
        """Forget a watch."""
        self._watches.pop(watch_id, None)

    def deliver(self, delivery: Delivery) -> None:
        """Owe a place the newest state of a card."""
        self.deliveries.append(delivery)
        self._owed[delivery.card] = min(delivery.due_at, self._owed.get(delivery.card, delivery.due_at))

    def standing_boxes(self) -> Sequence[str]:
        """Return the cards whose boxes were owed: nobody here takes them down."""
        return [card.removeprefix(TOP_PREFIX) for card in self._owed if card.startswith(TOP_PREFIX)]

    def withdraw(self, card_id: str) -> None:
        """Owe a card no longer that its place has never seen."""
        self.withdrawn.append(card_id)
        self._owed.pop(card_id, None)

    def note(self, note: AlertHistoryEntry) -> None:
        """Write a line of the history."""
        self.notes.append(note)

    def history(self, *, fact: str = "", alert: str = "", limit: int = 1000) -> Sequence[AlertHistoryEntry]:
        """Return the lines about an event or about an alert, in the order of writing."""
        return [note for note in self.notes if fact in ("", note.fact) and alert in ("", note.alert)][:limit]

    def waiting(self, limit: int) -> Sequence[StoredEvent]:
        """Return the waiting events that came first, in their order."""
        return self.events[:limit]

    def done(self, seqs: Sequence[int]) -> None:
        """Mark events as worked on."""
        self.events = [event for event in self.events if event.seq not in seqs]

    def reject(self, seq: int, reason: str) -> None:
        """Set an event aside with the reason."""
        self.done((seq,))
        self.rejected[seq] = reason


def _first(pair: tuple[datetime | None, object]) -> datetime:
    assert pair[0] is not None, "only what is due is sorted"
    return pair[0]
