"""What time alone brings: cards that have waited, escalation, ends of silences and snoozes, showing anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.alerts import showing
from bot.alerts.alert import Alert, AlertCard, CardState
from bot.alerts.hushing import Hushes
from bot.alerts.placing import Occasion, due_of, escalating, place
from bot.alerts.plan import Target
from bot.alerts.targeting import find_targets
from bot.alerts.unit import Unit
from bot.outbox.delivery import Urgency
from bot.outbox.place import Place

AT_ONCE = 500
"""Alerts and cards per unit of work: it bounds the time for which events wait."""
_PAUSE = timedelta(minutes=5)
"""For so long something is left alone that could not be done."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is due, by id: a unit of work that fails is done again one by one."""

    alerts: tuple[str, ...]
    cards: tuple[str, ...]

    def __len__(self) -> int:
        """Return how much is due."""
        return len(self.alerts) + len(self.cards)

    def single(self) -> tuple[Due, ...]:
        """Return each thing alone."""
        alerts = (Due((one,), ()) for one in self.alerts)
        return (*alerts, *(Due((), (one,)) for one in self.cards))


def find_due(unit: Unit, limit: int = AT_ONCE) -> Due:
    """Return what is due now, the longest waiting first; alerts before cards, whose showing they may change."""
    alerts = unit.ledger.due_alerts(unit.now, limit)
    cards = unit.ledger.due_cards(unit.now, limit) if len(alerts) < limit else ()
    return Due(tuple(alert.id for alert in alerts), tuple(card.id for card in cards))


def sweep(unit: Unit, due: Due) -> None:
    """Do what is due."""
    for alert in unit.ledger.alerts(due.alerts):
        _wake(unit, alert)
    cards = [card for card in map(unit.ledger.card, due.cards) if card is not None and _is_due(card, unit)]
    for card in _without_flood(unit, cards):
        _turn(unit, card)


def put_off(unit: Unit, due: Due) -> None:
    """Leave what cannot be done now alone for a while."""
    until = unit.now + _PAUSE
    for alert in unit.ledger.alerts(due.alerts):
        unit.ledger.put_alert(alert, until)
    for card in filter(None, map(unit.ledger.card, due.cards)):
        unit.ledger.put_card(replace(card, due_at=until))


def _is_due(card: AlertCard, unit: Unit) -> bool:
    return card.due_at is not None and card.due_at <= unit.now


def _wake(unit: Unit, alert: Alert) -> None:
    if not alert.is_open:
        unit.ledger.put_alert(alert, None)
        return
    changed, urgency = False, None
    if alert.snoozed_until is not None and alert.snoozed_until <= unit.now:
        alert = replace(alert, snoozed_until=None, revision=alert.revision + 1)
        unit.note("back", alert=alert.id, detail="it was put off until now")
        changed = True
    if alert.escalate_at is not None and alert.escalate_at <= unit.now:
        if Hushes(unit, alert).everywhere is None:
            alert = _escalate(unit, alert)
            changed, urgency = True, Urgency.NOW
        else:  # its time begins anew when that is over
            alert = replace(alert, escalate_at=None)
    unit.ledger.put_alert(alert, due_of(alert))
    placed = place(unit, alert, Occasion(changed=changed, at_once=changed, urgency=urgency))
    unit.ledger.put_alert(placed, due_of(placed))


def _escalate(unit: Unit, alert: Alert) -> Alert:
    targets = find_targets(unit, alert)
    if alert.acknowledged is not None or alert.step >= len(targets.steps):
        return replace(alert, escalate_at=None)
    places = ", ".join(map(str, targets.steps[alert.step].places))
    unit.note("escalated", alert=alert.id, detail=f"step {alert.step + 1} to {places}")
    return replace(alert, step=alert.step + 1, escalate_at=None, revision=alert.revision + 1)


def _without_flood(unit: Unit, cards: Sequence[AlertCard]) -> list[AlertCard]:
    """Return the cards to be shown one by one, after many late ones of a place were folded into one."""
    late: dict[Place, list[AlertCard]] = {}
    for card in cards:
        if card.late and card.state is CardState.WAITING:
            late.setdefault(card.place, []).append(card)
    single = [card for card in cards if not (card.late and card.state is CardState.WAITING)]
    for where, some in late.items():
        free = [card for card in (_unhushed(unit, card) for card in some) if card is not None]
        if len(free) > unit.lateness.many:
            showing.fold(unit, free, where)
            _start_escalation(unit, [alert for card in free for alert in unit.ledger.alerts(card.alerts)])
        else:
            single.extend(free)
    return single


def _turn(unit: Unit, card: AlertCard) -> None:
    if card.is_closed and not card.behind:
        unit.ledger.put_card(replace(card, due_at=None))
        return
    alerts = unit.ledger.alerts(card.alerts)
    speaker = next((alert for alert in alerts if alert.is_open), alerts[0])
    target = find_targets(unit, speaker).at(card)
    if card.state is CardState.WAITING:
        _show(unit, card, target)
        return
    severity = showing.worst_of(alert for alert in alerts if alert.is_open)
    if not _is_free(unit, card, alerts):
        unit.ledger.put_card(replace(card, due_at=None))
        return
    repeat_at = showing.repeat_at(unit, card, target)
    if repeat_at is not None and repeat_at <= unit.now:
        later = unit.rules.shows_at(target, severity, unit.now)
        if later <= unit.now:
            showing.succeed(unit, card, target)
        else:
            unit.ledger.put_card(replace(card, due_at=later))
    elif card.behind:
        showing.change(unit, card, target, severity)
    else:
        showing.rest(unit, card, target)


def _show(unit: Unit, card: AlertCard, target: Target) -> None:
    free = _unhushed(unit, card)
    if free is None:
        return
    alerts = unit.ledger.alerts(free.alerts)
    later = unit.rules.shows_at(target, showing.worst_of(alerts), unit.now)
    if later > unit.now:  # the rules are others than when it began to wait
        unit.ledger.put_card(replace(free, due_at=later))
        return
    showing.show(unit, free, target)
    _start_escalation(unit, alerts)


def _start_escalation(unit: Unit, alerts: Sequence[Alert]) -> None:
    for alert in alerts:
        started = escalating(unit, alert, find_targets(unit, alert), shown=True)
        if started != alert:
            unit.ledger.put_alert(started, due_of(started))


def _unhushed(unit: Unit, card: AlertCard) -> AlertCard | None:
    """Return a waiting card without what is held back by now, which comes again when that ends; None if all is."""
    free = []
    for alert in unit.ledger.alerts(card.alerts):
        hush = Hushes(unit, alert).at(card.place)
        if hush is None:
            free.append(alert.id)
        else:
            unit.note(hush.what, alert=alert.id, card=card.id, detail=f"{card.place}: {hush.reason}")
            _look_again(unit, alert, hush.until)
    if len(free) == len(card.alerts):
        return card
    if not free:
        unit.ledger.put_card(replace(card, state=CardState.CLOSED, due_at=None))
        return None
    kept = replace(card, alerts=tuple(free))
    unit.ledger.put_card(kept)
    return kept


def _is_free(unit: Unit, card: AlertCard, alerts: Sequence[Alert]) -> bool:
    """Return whether anything on a shown card may be told; if not, all of it is looked at again when that changes."""
    open_ones = [alert for alert in alerts if alert.is_open]
    hushes = [(alert, Hushes(unit, alert).at(card.place)) for alert in open_ones]
    if not hushes or any(hush is None for _, hush in hushes):
        return True
    for alert, hush in hushes:
        if hush is not None:
            _look_again(unit, alert, hush.until)
    return False


def _look_again(unit: Unit, alert: Alert, until: datetime | None) -> None:
    if not alert.is_open:  # news that is held back is dropped
        return
    times = [moment for moment in (alert.look_at, until) if moment is not None]
    held = replace(alert, held=True, look_at=min(times, default=None))
    unit.ledger.put_alert(held, due_of(held))
