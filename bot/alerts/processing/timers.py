"""Changes by time alone: waiting cards, escalation, ends of silences and snoozes, repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.alerts.alert import Alert, AlertCard, AlertState, CardState
from bot.alerts.processing import card_lifecycle
from bot.alerts.processing.placement import PlacementCause, find_targets, next_due_at, place_alert, schedule_escalation
from bot.alerts.processing.suppression import SuppressionLookup
from bot.alerts.repository import AlertUnitOfWork
from bot.alerts.routing import Target
from bot.outbox.delivery import Urgency
from bot.outbox.place import Place

AT_ONCE = 500
"""Alerts and cards per unit of work; it bounds how long events wait."""
_PAUSE = timedelta(minutes=5)
"""How long failed work is deferred."""


@dataclass(frozen=True, slots=True)
class DueWork:
    """The ids of due work: if a unit of work fails, it is repeated item by item."""

    alerts: tuple[str, ...]
    cards: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of alerts and cards."""
        return len(self.alerts) + len(self.cards)

    def single(self) -> tuple[DueWork, ...]:
        """Return the alerts and cards as single items."""
        alerts = (DueWork((alert_id,), ()) for alert_id in self.alerts)
        return (*alerts, *(DueWork((), (card_id,)) for card_id in self.cards))


def find_due(unit: AlertUnitOfWork, limit: int = AT_ONCE) -> DueWork:
    """Return the work due now, the longest waiting first; alerts precede cards, because they may change them."""
    alerts = unit.repository.due_alerts(unit.now, limit)
    cards = unit.repository.due_cards(unit.now, limit) if len(alerts) < limit else ()
    return DueWork(tuple(alerts), tuple(cards))


def run_due(unit: AlertUnitOfWork, due: DueWork) -> None:
    """Do the work that is due."""
    for alert in unit.repository.alerts(due.alerts):
        _run_alert_timer(unit, alert)
    cards = [card for card in map(unit.repository.card, due.cards) if card is not None and _is_due(card, unit)]
    for card in _fold_late_cards(unit, cards):
        _run_card_timer(unit, card)


def postpone(unit: AlertUnitOfWork, due: DueWork) -> None:
    """Defer work that keeps failing alone."""
    unit.repository.postpone(due.alerts, due.cards, unit.now + _PAUSE)


def _is_due(card: AlertCard, unit: AlertUnitOfWork) -> bool:
    return card.due_at is not None and card.due_at <= unit.now


def _run_alert_timer(unit: AlertUnitOfWork, alert: Alert) -> None:
    if not alert.is_open:
        unit.repository.put_alert(alert, None)
        return
    changed, urgency = False, None
    if alert.snoozed_until is not None and alert.snoozed_until <= unit.now:
        alert = replace(alert, snoozed_until=None, revision=alert.revision + 1)
        unit.note("back", alert=alert.id, detail="it was put off until now")
        changed = True
    if alert.escalate_at is not None and alert.escalate_at <= unit.now:
        if SuppressionLookup(unit, alert).everywhere is None:
            alert = _escalate(unit, alert)
            changed, urgency = True, Urgency.NOW
        else:  # the step's time restarts when the suppression ends
            alert = replace(alert, escalate_at=None)
    unit.repository.put_alert(alert, next_due_at(alert))
    placed = place_alert(unit, alert, PlacementCause(changed=changed, at_once=changed, urgency=urgency))
    unit.repository.put_alert(placed, next_due_at(placed))


def _escalate(unit: AlertUnitOfWork, alert: Alert) -> Alert:
    targets = find_targets(unit, alert)
    if alert.acknowledged is not None or alert.step >= len(targets.steps):
        return replace(alert, escalate_at=None)
    places = ", ".join(map(str, targets.steps[alert.step].places))
    unit.note("escalated", alert=alert.id, detail=f"step {alert.step + 1} to {places}")
    return replace(alert, step=alert.step + 1, escalate_at=None, revision=alert.revision + 1)


def _fold_late_cards(unit: AlertUnitOfWork, cards: Sequence[AlertCard]) -> list[AlertCard]:
    """Fold the late cards of a place if there are many; return the cards left to show one by one."""
    late: dict[Place, list[AlertCard]] = {}
    single: list[AlertCard] = []
    for card in cards:
        if card.late and card.state is CardState.WAITING and not _is_critical(unit, card):
            late.setdefault(card.place, []).append(card)
        else:
            single.append(card)
    for place, late_cards in late.items():
        free = [card for card in (_without_suppressed(unit, card) for card in late_cards) if card is not None]
        if len(free) > unit.lateness.many:
            card_lifecycle.fold(unit, free, place)
            _start_escalation(unit, [alert for card in free for alert in unit.repository.alerts(card.alerts)])
        else:
            single.extend(free)
    return single


def _is_critical(unit: AlertUnitOfWork, card: AlertCard) -> bool:
    """Return whether a card has become critical since it began to wait."""
    return any(
        alert.is_critical and alert.state is not AlertState.RESOLVED for alert in unit.repository.alerts(card.alerts)
    )


def _run_card_timer(unit: AlertUnitOfWork, card: AlertCard) -> None:
    if card.is_closed and not card.behind:
        unit.repository.put_card(replace(card, due_at=None))
        return
    alerts = unit.repository.alerts(card.alerts)
    routed_by = next((alert for alert in alerts if alert.is_open), alerts[0])
    target = find_targets(unit, routed_by).at(card)
    if card.state is CardState.WAITING:
        _show_waiting(unit, card, target)
        return
    severity = card_lifecycle.worst_of(alert for alert in alerts if alert.is_open)
    if not _is_unsuppressed(unit, card, alerts):
        unit.repository.put_card(replace(card, due_at=None))
        return
    repeat_at = card_lifecycle.repeat_at(unit, card, target)
    if repeat_at is not None and repeat_at <= unit.now:
        later = unit.rules.shows_at(target, severity, unit.now, card.due_at)
        if later <= unit.now:
            card_lifecycle.repeat(unit, card, target)
        else:
            unit.repository.put_card(replace(card, due_at=later))
    elif card.behind:
        card_lifecycle.change(unit, card, target, severity)
    else:
        card_lifecycle.schedule_repeat(unit, card, target)


def _show_waiting(unit: AlertUnitOfWork, card: AlertCard, target: Target) -> None:
    free = _without_suppressed(unit, card)
    if free is None:
        return
    alerts = unit.repository.alerts(free.alerts)
    later = unit.rules.shows_at(target, card_lifecycle.worst_of(alerts), unit.now, card.due_at)
    if later > unit.now:  # the rules have changed since it began to wait
        unit.repository.put_card(replace(free, due_at=later))
        return
    card_lifecycle.show(unit, free, target)
    _start_escalation(unit, alerts)


def _start_escalation(unit: AlertUnitOfWork, alerts: Sequence[Alert]) -> None:
    for alert in alerts:
        started = schedule_escalation(unit, alert, find_targets(unit, alert), shown=True)
        if started != alert:
            unit.repository.put_alert(started, next_due_at(started))


def _without_suppressed(unit: AlertUnitOfWork, card: AlertCard) -> AlertCard | None:
    """Return a waiting card without the alerts suppressed now; they return later. None if all are."""
    free = []
    for alert in unit.repository.alerts(card.alerts):
        suppression = SuppressionLookup(unit, alert).at(card.place)
        if suppression is None:
            free.append(alert.id)
        else:
            unit.note(suppression.what, alert=alert.id, card=card.id, detail=f"{card.place}: {suppression.reason}")
            _recheck_later(unit, alert, suppression.until)
    if len(free) == len(card.alerts):
        return card
    if not free:
        unit.repository.put_card(replace(card, state=CardState.CLOSED, due_at=None))
        return None
    kept = replace(card, alerts=tuple(free))
    unit.repository.put_card(kept)
    return kept


def _is_unsuppressed(unit: AlertUnitOfWork, card: AlertCard, alerts: Sequence[Alert]) -> bool:
    """Return whether any alert on a shown card is unsuppressed; if none is, all are checked again when that changes."""
    suppressions = [(alert, SuppressionLookup(unit, alert).at(card.place)) for alert in alerts if alert.is_open]
    if not suppressions or any(suppression is None for _, suppression in suppressions):
        return True
    for alert, suppression in suppressions:
        if suppression is not None:
            _recheck_later(unit, alert, suppression.until)
    return False


def _recheck_later(unit: AlertUnitOfWork, alert: Alert, until: datetime | None) -> None:
    if not alert.is_open:  # suppressed news is dropped
        return
    times = [moment for moment in (alert.look_at, until) if moment is not None]
    held = replace(alert, held=True, look_at=min(times, default=None))
    unit.repository.put_alert(held, next_due_at(held))
