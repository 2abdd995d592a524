"""An in-memory alert service for the commands, with the rules of the real one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from bot.alerts.actions import AlertActionOutcome, AlertActionResult
from bot.alerts.alert import Alert, AlertCard, AlertState, CardState, CardWithAlerts, Mute, UserStamp, Watch
from bot.alerts.event import Event, EventType
from bot.alerts.repository import AlertHistoryEntry
from bot.alerts.service import AlertService
from bot.outbox.place import Place, PlaceKind
from bot.words.severity import Severity
from tests.commands.company import NOW

HERE = Place(PlaceKind.GROUP, "cidGroup==")
ELSEWHERE = Place(PlaceKind.GROUP, "cidOther==")
OWN = Place(PlaceKind.PERSON, "keeper01")

LOW = MappingProxyType({"available": "12", "reorder_point": "50", "unit": "pcs"})


def alert(
    alert_id: str,
    subject: str = "SKU123",
    *,
    kind: str = EventType.STOCK_LOW,
    severity: Severity = Severity.WARNING,
    state: AlertState = AlertState.OPEN,
    since: datetime = NOW - timedelta(hours=2),
    data: Mapping[str, object] = LOW,
    title: str = "",
) -> Alert:
    event = Event(
        source="main",
        id=f"e-{alert_id}",
        type=kind,
        subject=subject,
        at=since,
        received_at=since,
        severity=severity,
        warehouse="SH",
        quantity=Decimal(12),
        title=title,
        data=data,
    )
    return Alert(
        id=alert_id,
        key=f"stock:main::{subject}",
        event=event,
        state=state,
        severity=severity,
        opened_at=since,
        last_at=since,
        resolved_at=NOW if state is AlertState.RESOLVED else None,
    )


class InMemoryAlertService(AlertService):
    """The alert service on dictionaries; ``actions`` lists what was done."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.cards: dict[str, AlertCard] = {}
        self.stored_mutes: dict[str, Mute] = {}
        self.stored_watches: dict[str, Watch] = {}
        self.actions: list[str] = []
        self.notes: list[AlertHistoryEntry] = []

    def show(self, *alerts: Alert, place: Place = HERE, card: str = "") -> str:
        """Put alerts on one card and return its id."""
        card_id = card or f"c-{alerts[0].id}-{place.kind}"
        self.alerts |= {shown.id: shown for shown in alerts}
        self.cards[card_id] = AlertCard(
            id=card_id,
            place=place,
            route="warehouse",
            group=card_id,
            alerts=tuple(shown.id for shown in alerts),
            state=CardState.SHOWN,
            opened_at=NOW,
            shown_at=NOW,
        )
        return card_id

    async def open_at(self, place: Place) -> tuple[Alert, ...]:
        ids = dict.fromkeys(key for card in self.cards.values() if card.place == place for key in card.alerts)
        return tuple(self.alerts[key] for key in ids if self.alerts[key].is_open)

    async def open_for(self, own: Place) -> tuple[Alert, ...]:
        places = {card.place for card in self.cards.values() if card.place.kind is PlaceKind.GROUP or card.place == own}
        found = {alert.id: alert for place in sorted(places, key=str) for alert in await self.open_at(place)}
        return tuple(found.values())

    async def ended_for(self, own: Place, limit: int) -> tuple[tuple[Alert, bool], ...]:
        found: dict[str, bool] = {}
        for card in self.cards.values():
            if card.place.kind is PlaceKind.GROUP or card.place == own:
                found |= {key: found.get(key, False) or card.place == own for key in card.alerts}
        ended = [(self.alerts[key], is_own) for key, is_own in found.items() if not self.alerts[key].is_open]
        return tuple(ended[:limit])

    async def history(self, alert_id: str) -> tuple[AlertHistoryEntry, ...]:
        return tuple(note for note in self.notes if note.alert == alert_id)

    async def alert(self, alert_id: str) -> Alert | None:
        return self.alerts.get(alert_id)

    async def cards_of(self, alert_id: str) -> tuple[AlertCard, ...]:
        return tuple(card for card in self.cards.values() if alert_id in card.alerts)

    async def card_with_alerts(self, card_id: str) -> CardWithAlerts | None:
        card = self.cards.get(card_id)
        return CardWithAlerts(card, tuple(self.alerts[key] for key in card.alerts)) if card else None

    async def mutes(self, place: Place, now: datetime) -> tuple[Mute, ...]:
        return tuple(mute for mute in self.stored_mutes.values() if mute.place == place and mute.until > now)

    async def put_mute(self, mute: Mute) -> None:
        self.stored_mutes[mute.id] = mute

    async def lift_mute(self, mute: Mute) -> None:
        del self.stored_mutes[mute.id]

    async def watches(self, user_id: str) -> tuple[Watch, ...]:
        return tuple(watch for watch in self.stored_watches.values() if watch.user_id == user_id)

    async def put_watch(self, watch: Watch) -> None:
        self.stored_watches[watch.id] = watch

    async def drop_watches(self, watch_ids: tuple[str, ...]) -> None:
        for watch_id in watch_ids:
            del self.stored_watches[watch_id]

    async def acknowledge(self, alert_id: str, by: UserStamp) -> AlertActionResult | None:
        now = self.alerts[alert_id]
        if now.acknowledged and now.acknowledged.user_id != by.user_id:
            return AlertActionResult(outcome=AlertActionOutcome.ALREADY, alert=now, first=now.acknowledged)
        return self._done(f"ack {alert_id} {by.user_id}", replace(now, acknowledged=by))

    async def snooze(self, alert_id: str, until: datetime, by: UserStamp) -> AlertActionResult | None:
        action = f"snooze {alert_id} {by.user_id} {until.isoformat()}"
        return self._done(action, replace(self.alerts[alert_id], snoozed=by, snoozed_until=until))

    async def assign(self, alert_id: str, to: UserStamp, by: UserStamp) -> AlertActionResult | None:
        return self._done(f"assign {alert_id} {by.user_id} {to.user_id}", replace(self.alerts[alert_id], assigned=to))

    def _done(self, action: str, changed: Alert) -> AlertActionResult:
        self.actions.append(action)
        self.alerts[changed.id] = changed
        return AlertActionResult(outcome=AlertActionOutcome.DONE, alert=changed)
