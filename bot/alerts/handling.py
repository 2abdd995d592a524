"""What people do: acknowledge, put off, assign, mute. Each is one unit of work; doing it twice changes nothing.

What a person does is seen at once on all cards of the alert, whatever their intervals, silences and windows: somebody
is looking at them right now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.alerts import showing
from bot.alerts.acting import Acted, Outcome
from bot.alerts.alert import Alert, AlertCard, AlertState, CardState, Mark
from bot.alerts.hushing import WATCH
from bot.alerts.ledger import Ledger, Mute
from bot.alerts.placing import Occasion, due_of, place
from bot.alerts.plan import Target
from bot.alerts.unit import Unit
from bot.outbox.delivery import Urgency
from bot.outbox.place import Place


def acknowledge(unit: Unit, alert_id: str, by: Mark) -> Acted | None:
    """Note who takes care of an alert: escalation and showing anew end. The first one has it."""
    alert = unit.ledger.alert(alert_id)
    if alert is None or not alert.is_open:
        return _over(alert)
    if alert.acknowledged is not None:
        faster = alert.acknowledged.user_id != by.user_id
        return Acted(outcome=Outcome.ALREADY if faster else Outcome.DONE, alert=alert, first=alert.acknowledged)
    taken = replace(alert, acknowledged=by, snoozed=None, snoozed_until=None, escalate_at=None)
    return _done(unit, taken, "acknowledged", by.user_id)


def snooze(unit: Unit, alert_id: str, until: datetime, by: Mark) -> Acted | None:
    """Put an alert off: before ``until`` only its end is shown, or that it got worse. The latest wish counts."""
    alert = unit.ledger.alert(alert_id)
    if alert is None or not alert.is_open:
        return _over(alert)
    if alert.snoozed_until == until or until <= unit.now:
        return Acted(outcome=Outcome.DONE, alert=alert, first=alert.snoozed)
    before = alert.snoozed if alert.snoozed_until is not None else None
    off = replace(alert, snoozed=by, snoozed_until=until, escalate_at=None)
    return _done(unit, off, "snoozed", f"{by.user_id} until {until:%F %T%z}", before)


def assign(unit: Unit, alert_id: str, to: Mark, by: Mark) -> Acted | None:
    """Say who is to take care; a card comes to that person's own chat. The latest wish counts."""
    alert = unit.ledger.alert(alert_id)
    if alert is None or not alert.is_open:
        return _over(alert)
    before = alert.assigned
    if before is not None and before.user_id == to.user_id:
        return Acted(outcome=Outcome.DONE, alert=alert, first=before)
    given = replace(alert, assigned=to)
    acted = _done(unit, given, "assigned", f"{to.user_id} by {by.user_id}", before)
    placed = place(unit, acted.alert, Occasion(urgency=Urgency.NOW))
    unit.ledger.put_alert(placed, due_of(placed))
    return replace(acted, alert=placed)


def mute(unit: Unit, wish: Mute) -> None:
    """Hold something back at a place, or (if it ends by now) let it come again what was held back."""
    unit.ledger.put_mute(wish)
    if wish.until <= unit.now:
        unit.ledger.wake_held(unit.now)


def unwatch(unit: Unit, watch_ids: Sequence[str]) -> None:
    """Forget watches; what they had opened is over, without a word."""
    for watch_id in watch_ids:
        unit.ledger.remove_watch(watch_id)
    begun = tuple(f"{WATCH}{watch_id}#" for watch_id in watch_ids)
    for alert in unit.ledger.open_alerts():
        if alert.key.startswith(begun):
            over = replace(
                alert, state=AlertState.RESOLVED, resolved_at=unit.now, held=False, look_at=None,
                snoozed_until=None, escalate_at=None, revision=alert.revision + 1,
            )  # fmt: skip
            unit.ledger.put_alert(over, None)
            unit.note("resolved", alert=alert.id, detail="its watch was given up")
            for card in unit.ledger.cards_of(alert.id):
                if not card.is_closed:
                    showing.leave(unit, card, over, _as_it_is(card))


def fold(unit: Unit, card_ids: Sequence[str], where: Place) -> AlertCard | None:
    """Let one digest stand for cards that a place has not seen; None if none of them is left to be seen."""
    found = map(unit.ledger.card, card_ids)
    cards = [card for card in found if card is not None and not card.next and card.place == where]
    return showing.fold(unit, cards, where) if cards else None


def open_at(ledger: Ledger, where: Place) -> tuple[Alert, ...]:
    """Return the open alerts that living cards at a place show, newest first."""
    shown = (card for card in ledger.cards_at(where) if card.state is CardState.SHOWN)
    ids = dict.fromkeys(alert for card in shown for alert in card.alerts)
    alerts = [alert for alert in ledger.alerts(tuple(ids)) if alert.is_open]
    return tuple(sorted(alerts, key=lambda alert: alert.opened_at, reverse=True))


def _over(alert: Alert | None) -> Acted | None:
    return None if alert is None else Acted(outcome=Outcome.OVER, alert=alert)


def _done(unit: Unit, alert: Alert, what: str, detail: str, first: Mark | None = None) -> Acted:
    changed = replace(alert, revision=alert.revision + 1)
    unit.ledger.put_alert(changed, due_of(changed))
    unit.note(what, alert=alert.id, detail=detail)
    for card in unit.ledger.cards_of(alert.id):
        if card.state is CardState.SHOWN:
            target = _as_it_is(card)
            kept = showing.change(unit, card, target, alert.severity, at_once=True, urgency=Urgency.NOW)
            # When it is shown anew (if anybody still needs it) only the rules know: they are asked at that time.
            unit.ledger.put_card(replace(kept, due_at=card.due_at))
    return Acted(outcome=Outcome.DONE, alert=changed, first=first)


def _as_it_is(card: AlertCard) -> Target:
    return Target(place=card.place, route=card.route, group=card.group)
