"""Actions on alerts: acknowledge, snooze, assign, mute, unwatch. All are idempotent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.alerts.alert import Alert, AlertCard, AlertState, CardState, Mute, UserStamp, watch_key_prefix
from bot.alerts.processing import card_lifecycle
from bot.alerts.processing.placement import PlacementCause, find_targets, next_due_at, place_alert
from bot.alerts.repository import AlertRepository, AlertUnitOfWork
from bot.alerts.routing import Target
from bot.outbox.delivery import Urgency
from bot.outbox.place import Place, PlaceKind


class AlertActionOutcome(StrEnum):
    """The outcome of an action."""

    DONE = "done"
    ALREADY = "already"
    """Another person was faster, see `AlertActionResult.first`; nothing has changed."""
    OVER = "over"
    """The alert is resolved, or was only news; nothing has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertActionResult:
    """The outcome of an action, and the alert in its new state."""

    outcome: AlertActionOutcome
    alert: Alert
    first: UserStamp | None = None


def acknowledge(unit: AlertUnitOfWork, alert_id: str, by: UserStamp) -> AlertActionResult | None:
    """Record who takes care of an alert, which ends escalation and repeats. The first acknowledgement counts."""
    alert = unit.repository.alert(alert_id)
    if alert is None or not alert.is_open:
        return _not_open(alert)
    if alert.acknowledged is not None:
        faster = alert.acknowledged.user_id != by.user_id
        return AlertActionResult(
            outcome=AlertActionOutcome.ALREADY if faster else AlertActionOutcome.DONE,
            alert=alert,
            first=alert.acknowledged,
        )
    acknowledged = replace(alert, acknowledged=by, snoozed=None, snoozed_until=None, escalate_at=None)
    return _apply(unit, acknowledged, "acknowledged", by.user_id)


def snooze(unit: AlertUnitOfWork, alert_id: str, until: datetime, by: UserStamp) -> AlertActionResult | None:
    """Snooze an alert: before ``until`` only its end, or a rise in severity, is shown. The latest request counts."""
    alert = unit.repository.alert(alert_id)
    if alert is None or not alert.is_open:
        return _not_open(alert)
    if alert.snoozed_until == until or until <= unit.now:
        return AlertActionResult(outcome=AlertActionOutcome.DONE, alert=alert, first=alert.snoozed)
    before = alert.snoozed if alert.snoozed_until is not None else None
    snoozed = replace(alert, snoozed=by, snoozed_until=until, escalate_at=None)
    return _apply(unit, snoozed, "snoozed", f"{by.user_id} until {until:%F %T%z}", before)


def assign(unit: AlertUnitOfWork, alert_id: str, to: UserStamp, by: UserStamp) -> AlertActionResult | None:
    """Assign an alert; the assignee gets a card in their own chat. The latest request counts."""
    alert = unit.repository.alert(alert_id)
    if alert is None or not alert.is_open:
        return _not_open(alert)
    before = alert.assigned
    if before is not None and before.user_id == to.user_id:
        return AlertActionResult(outcome=AlertActionOutcome.DONE, alert=alert, first=before)
    assigned = replace(alert, assigned=to)
    result = _apply(unit, assigned, "assigned", f"{to.user_id} by {by.user_id}", before)
    placed = place_alert(unit, result.alert, PlacementCause(urgency=Urgency.NOW))
    unit.repository.put_alert(placed, next_due_at(placed))
    return replace(result, alert=placed)


def mute(unit: AlertUnitOfWork, mute: Mute) -> None:
    """Store a mute; if it has ended, have the alerts it held back checked again."""
    unit.repository.put_mute(mute)
    if mute.until <= unit.now:
        unit.repository.mark_suppressed_due(unit.now)


def unwatch(unit: AlertUnitOfWork, watch_ids: Sequence[str]) -> None:
    """Delete watches and silently close the alerts that they opened."""
    for watch_id in watch_ids:
        unit.repository.remove_watch(watch_id)
    prefixes = tuple(map(watch_key_prefix, watch_ids))
    for alert in unit.repository.open_alerts():
        if alert.key.startswith(prefixes):
            resolved = replace(
                alert, state=AlertState.RESOLVED, resolved_at=unit.now, held=False, look_at=None,
                snoozed_until=None, escalate_at=None, revision=alert.revision + 1,
            )  # fmt: skip
            unit.repository.put_alert(resolved, None)
            unit.note("resolved", alert=alert.id, detail="its watch was given up")
            for card in unit.repository.cards_of(alert.id):
                if not card.is_closed:
                    card_lifecycle.drop_alert(unit, card, resolved, _unchanged_target(card))


def fold(unit: AlertUnitOfWork, card_ids: Sequence[str], place: Place) -> AlertCard | None:
    """Replace cards not yet seen at a place by one digest; None if nothing is left to see."""
    cards = [card for card in unit.repository.cards(card_ids) if not card.next and card.place == place]
    return card_lifecycle.fold(unit, cards, place) if cards else None


def call_in_groups(unit: AlertUnitOfWork, card_id: str) -> None:
    """Call the person whose own chat did not take a card: once per alert, in the groups that show it.

    Their cards there are sent again, since updating an existing card notifies nobody.
    """
    card = unit.repository.card(card_id)
    if card is None or card.place.kind is not PlaceKind.PERSON:
        return
    called: set[str] = set()
    for alert in unit.repository.alerts(card.alerts):
        if not alert.is_open or alert.acknowledged is not None or _was_called(unit, alert, card):
            continue
        unit.note("called", alert=alert.id, card=card.id, detail=str(card.place))
        targets = find_targets(unit, alert)
        for shown in unit.repository.cards_of(alert.id):
            if _calls_there(shown) and shown.id not in called:
                called.add(card_lifecycle.repeat(unit, shown, targets.at(shown), calls=card.place.id).id)


def _calls_there(card: AlertCard) -> bool:
    return card.place.kind is PlaceKind.GROUP and card.state is CardState.SHOWN and not card.is_digest


def _was_called(unit: AlertUnitOfWork, alert: Alert, card: AlertCard) -> bool:
    return any(line.what == "called" and line.card == card.id for line in unit.repository.history(alert=alert.id))


def open_at(repository: AlertRepository, place: Place) -> tuple[Alert, ...]:
    """Return the open alerts that cards at a place show, newest first."""
    shown = (card for card in repository.cards_at(place) if card.state is CardState.SHOWN)
    found: dict[str, Alert] = {}
    for card in shown:
        alerts = repository.open_on(card.id) if card.further.open else repository.alerts(card.alerts)
        found |= {alert.id: alert for alert in alerts if alert.is_open}
    return tuple(sorted(found.values(), key=lambda alert: alert.opened_at, reverse=True))


def open_for(repository: AlertRepository, own: Place) -> tuple[Alert, ...]:
    """Return the open alerts that cards in any group show, or cards in a person's ``own`` chat, newest first."""
    found = repository.open_alerts()
    repository.expect([alert.key for alert in found], ())
    return tuple(alert for alert in found if any(_is_shown(card, own) for card in repository.cards_of(alert.id)))


def ended_for(repository: AlertRepository, own: Place, limit: int) -> tuple[tuple[Alert, bool], ...]:
    """Return alerts that are over, newest first, that cards in any group or in a person's ``own`` chat showed.

    The flag tells whether a card in their own chat did. At most ``limit`` alerts are looked at.
    """
    found = repository.ended_alerts(limit)
    repository.expect([alert.key for alert in found], ())
    places = {
        alert.id: {card.place for card in repository.cards_of(alert.id) if card.shown_at is not None} for alert in found
    }
    return tuple(
        (alert, own in seen)
        for alert in found
        if own in (seen := places[alert.id]) or any(place.kind is PlaceKind.GROUP for place in seen)
    )


def _is_shown(card: AlertCard, own: Place) -> bool:
    return card.state is CardState.SHOWN and (card.place.kind is PlaceKind.GROUP or card.place == own)


def _not_open(alert: Alert | None) -> AlertActionResult | None:
    return None if alert is None else AlertActionResult(outcome=AlertActionOutcome.OVER, alert=alert)


def _apply(
    unit: AlertUnitOfWork, alert: Alert, what: str, detail: str, first: UserStamp | None = None
) -> AlertActionResult:
    changed = replace(alert, revision=alert.revision + 1)
    unit.repository.put_alert(changed, next_due_at(changed))
    unit.note(what, alert=alert.id, detail=detail)
    for card in unit.repository.cards_of(alert.id):
        if card.state is CardState.SHOWN:
            target = _unchanged_target(card)
            kept = card_lifecycle.change(unit, card, target, alert.severity, at_once=True, urgency=Urgency.NOW)
            # Only the rules know when the card is repeated, if anybody still needs that: they are asked at that time.
            unit.repository.put_card(replace(kept, due_at=card.due_at))
    return AlertActionResult(outcome=AlertActionOutcome.DONE, alert=changed, first=first)


def _unchanged_target(card: AlertCard) -> Target:
    return Target(place=card.place, route=card.route, group=card.group)
