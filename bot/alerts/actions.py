"""What people do to alerts: acknowledge, snooze, assign, mute. Each is one unit of work; doing it twice changes
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.alerts import card_lifecycle
from bot.alerts.alert import Alert, AlertCard, AlertState, CardState, UserStamp
from bot.alerts.placement import PlacementCause, next_due_at, place_alert
from bot.alerts.repository import AlertRepository, AlertUnitOfWork, Mute
from bot.alerts.routing import Target
from bot.alerts.suppression import WATCH_KEY_PREFIX
from bot.outbox.delivery import Urgency
from bot.outbox.place import Place


class AlertActionOutcome(StrEnum):
    """What came of it."""

    DONE = "done"
    ALREADY = "already"
    """Somebody was faster, who is in `AlertActionResult.first`; nothing has changed."""
    OVER = "over"
    """The matter is closed, or was news only; nothing has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertActionResult:
    """What came of it, and the alert as it is now."""

    outcome: AlertActionOutcome
    alert: Alert
    first: UserStamp | None = None


class AlertActions(Protocol):
    """Each is one transaction, in which all cards of the alert come to owe an update.

    The caller has asked the access policy and knows that the alert is shown where the person is. Doing the same again
    changes nothing. All return None for an alert that does not exist, and raise `bot.errors.DingerpError` when the
    store is away.
    """

    async def acknowledge(self, alert_id: str, by: UserStamp) -> AlertActionResult | None:
        """Note who takes care: escalation ends. `AlertActionOutcome.ALREADY` when somebody else does."""
        ...

    async def snooze(self, alert_id: str, until: datetime, by: UserStamp) -> AlertActionResult | None:
        """Put the alert off: nothing is escalated or repeated before ``until``; the latest wish counts."""
        ...

    async def assign(self, alert_id: str, to: UserStamp, by: UserStamp) -> AlertActionResult | None:
        """Say who is to take care (``to.at`` is now); the latest wish counts."""
        ...


def acknowledge(unit: AlertUnitOfWork, alert_id: str, by: UserStamp) -> AlertActionResult | None:
    """Note who takes care of an alert: escalation and showing anew end. The first one has it."""
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
    taken = replace(alert, acknowledged=by, snoozed=None, snoozed_until=None, escalate_at=None)
    return _apply(unit, taken, "acknowledged", by.user_id)


def snooze(unit: AlertUnitOfWork, alert_id: str, until: datetime, by: UserStamp) -> AlertActionResult | None:
    """Put an alert off: before ``until`` only its end is shown, or that it got worse. The latest wish counts."""
    alert = unit.repository.alert(alert_id)
    if alert is None or not alert.is_open:
        return _not_open(alert)
    if alert.snoozed_until == until or until <= unit.now:
        return AlertActionResult(outcome=AlertActionOutcome.DONE, alert=alert, first=alert.snoozed)
    before = alert.snoozed if alert.snoozed_until is not None else None
    off = replace(alert, snoozed=by, snoozed_until=until, escalate_at=None)
    return _apply(unit, off, "snoozed", f"{by.user_id} until {until:%F %T%z}", before)


def assign(unit: AlertUnitOfWork, alert_id: str, to: UserStamp, by: UserStamp) -> AlertActionResult | None:
    """Say who is to take care; a card comes to that person's own chat. The latest wish counts."""
    alert = unit.repository.alert(alert_id)
    if alert is None or not alert.is_open:
        return _not_open(alert)
    before = alert.assigned
    if before is not None and before.user_id == to.user_id:
        return AlertActionResult(outcome=AlertActionOutcome.DONE, alert=alert, first=before)
    given = replace(alert, assigned=to)
    acted = _apply(unit, given, "assigned", f"{to.user_id} by {by.user_id}", before)
    placed = place_alert(unit, acted.alert, PlacementCause(urgency=Urgency.NOW))
    unit.repository.put_alert(placed, next_due_at(placed))
    return replace(acted, alert=placed)


def mute(unit: AlertUnitOfWork, wish: Mute) -> None:
    """Hold something back at a place, or (if it ends by now) let it come again what was held back."""
    unit.repository.put_mute(wish)
    if wish.until <= unit.now:
        unit.repository.mark_suppressed_due(unit.now)


def unwatch(unit: AlertUnitOfWork, watch_ids: Sequence[str]) -> None:
    """Forget watches; what they had opened is over, without a word."""
    for watch_id in watch_ids:
        unit.repository.remove_watch(watch_id)
    begun = tuple(f"{WATCH_KEY_PREFIX}{watch_id}#" for watch_id in watch_ids)
    for alert in unit.repository.open_alerts():
        if alert.key.startswith(begun):
            over = replace(
                alert, state=AlertState.RESOLVED, resolved_at=unit.now, held=False, look_at=None,
                snoozed_until=None, escalate_at=None, revision=alert.revision + 1,
            )  # fmt: skip
            unit.repository.put_alert(over, None)
            unit.note("resolved", alert=alert.id, detail="its watch was given up")
            for card in unit.repository.cards_of(alert.id):
                if not card.is_closed:
                    card_lifecycle.drop_alert(unit, card, over, _unchanged_target(card))


def fold(unit: AlertUnitOfWork, card_ids: Sequence[str], where: Place) -> AlertCard | None:
    """Let one digest stand for cards that a place has not seen; None if none of them is left to be seen."""
    found = map(unit.repository.card, card_ids)
    cards = [card for card in found if card is not None and not card.next and card.place == where]
    return card_lifecycle.fold(unit, cards, where) if cards else None


def open_at(repository: AlertRepository, where: Place) -> tuple[Alert, ...]:
    """Return the open alerts that living cards at a place show, newest first."""
    shown = (card for card in repository.cards_at(where) if card.state is CardState.SHOWN)
    ids = dict.fromkeys(alert for card in shown for alert in card.alerts)
    alerts = [alert for alert in repository.alerts(tuple(ids)) if alert.is_open]
    return tuple(sorted(alerts, key=lambda alert: alert.opened_at, reverse=True))


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
            # When it is shown anew (if anybody still needs it) only the rules know: they are asked at that time.
            unit.repository.put_card(replace(kept, due_at=card.due_at))
    return AlertActionResult(outcome=AlertActionOutcome.DONE, alert=changed, first=first)


def _unchanged_target(card: AlertCard) -> Target:
    return Target(place=card.place, route=card.route, group=card.group)
