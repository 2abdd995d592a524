"""What happens to cards: shown, changed, closed, shown anew, folded into a digest.

At any place a matter has one card that lives. When a card is shown anew (or many become a digest), the new one takes
over and the old one, closed, says so: what stands above in the chat is never a second opinion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.alerts.alert import Alert, AlertCard, AlertState, CardState, digest_group
from bot.alerts.repository import AlertUnitOfWork
from bot.alerts.routing import Target
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place
from bot.severity import Severity

CARD_KIND = "alert"
"""Who composes these cards, for the outbox."""

_CROWDED = 20
"""From so many alerts on, a card lets go of those that are over and were seen to be."""


def urgency_of(alerts: Iterable[Alert]) -> Urgency:
    """Return how urgent a card with these alerts is."""
    ranks = [alert.severity.rank for alert in alerts if alert.state is not AlertState.INFORMED]
    if not ranks or max(ranks) == Severity.INFO.rank:
        return Urgency.LATER
    return Urgency.NOW if max(ranks) == Severity.CRITICAL.rank else Urgency.SOON


def worst_of(alerts: Iterable[Alert]) -> Severity:
    """Return the worst severity."""
    return max((alert.severity for alert in alerts), key=lambda severity: severity.rank, default=Severity.INFO)


def show(
    unit: AlertUnitOfWork, card: AlertCard, target: Target, *, urgency: Urgency | None = None, fact: str = ""
) -> AlertCard:
    """Bring a card to its place for the first time. One that has only news on it is over at once."""
    alerts = unit.repository.alerts(card.alerts)
    state = CardState.SHOWN if any(alert.is_open for alert in alerts) else CardState.CLOSED
    shown = replace(card, state=state, shown_at=unit.now)
    for alert in alerts:
        unit.note("shown", alert=alert.id, card=card.id, fact=fact or alert.event.ref, detail=str(card.place))
    return _deliver(unit, shown, target, urgency or urgency_of(alerts), fact)


def change(
    unit: AlertUnitOfWork,
    card: AlertCard,
    target: Target,
    severity: Severity,
    *,
    at_once: bool = False,
    urgency: Urgency | None = None,
    fact: str = "",
) -> AlertCard:
    """Let the place see what is new on a card: now, or when its interval is over and a change may be shown."""
    if card.state is CardState.WAITING:
        return _put(unit, card)
    due = unit.now
    if not at_once:
        due = unit.rules.shows_at(target, severity, max(due, (card.changed_at or due) + target.interval))
    if due > unit.now:
        return _put(unit, replace(card, behind=True, due_at=_earlier(due, repeat_at(unit, card, target))))
    return _deliver(unit, card, target, urgency or urgency_of(_relevant_alerts(unit, card)), fact, again=True)


def mark_behind(unit: AlertUnitOfWork, card: AlertCard) -> AlertCard:
    """Remember that the place has not seen what is new, because it is held back."""
    return card if card.behind or card.state is CardState.WAITING else _put(unit, replace(card, behind=True))


def schedule_repeat(unit: AlertUnitOfWork, card: AlertCard, target: Target) -> AlertCard:
    """Leave a card as it is, with the time for which it may rest."""
    due = repeat_at(unit, card, target)
    return card if due == card.due_at else _put(unit, replace(card, due_at=due))


def drop_alert(unit: AlertUnitOfWork, card: AlertCard, alert: Alert, target: Target, *, fact: str = "") -> AlertCard:
    """Let a card know that one of its alerts is over. What nobody has seen just goes; the last one closes the card."""
    if card.state is CardState.WAITING:
        others = tuple(one for one in card.alerts if one != alert.id)
        unit.note("unseen", alert=alert.id, card=card.id, fact=fact, detail=str(card.place))
        kept = replace(card, alerts=others) if others else replace(card, state=CardState.CLOSED, due_at=None)
        return _put(unit, kept)
    if not any(one.is_open for one in unit.repository.alerts(card.alerts)):
        card = replace(card, state=CardState.CLOSED)
    return change(unit, card, target, alert.severity, at_once=True, urgency=urgency_of((alert,)), fact=fact)


def reopen(unit: AlertUnitOfWork, card: AlertCard) -> AlertCard:
    """Bring a closed card back to life: one of its alerts opened again."""
    return replace(card, state=CardState.SHOWN, shown_at=unit.now)


def repeat(unit: AlertUnitOfWork, card: AlertCard, target: Target) -> AlertCard:
    """Show a card anew: what is still open on it stands on a new card from now on."""
    alerts = [alert for alert in unit.repository.alerts(card.alerts) if alert.is_open]
    new = AlertCard(
        id=unit.new_id(),
        place=card.place,
        route=card.route,
        group=card.group,
        alerts=tuple(alert.id for alert in alerts),
        state=CardState.SHOWN,
        opened_at=unit.now,
        shown_at=unit.now,
        late=card.late,
        repeats=card.repeats + 1,
    )
    _close_in_favour_of(unit, card, new)
    for alert in alerts:
        unit.note("shown anew", alert=alert.id, card=new.id, detail=f"{card.place}, {new.repeats} times")
    return _deliver(unit, new, target, urgency_of(alerts), "")


def fold(unit: AlertUnitOfWork, cards: Sequence[AlertCard], place: Place) -> AlertCard | None:
    """Let one digest stand for cards that their place has not seen; the outbox owes it and no longer the cards.

    None if all of it is over by now: what nobody saw begin, nobody has to see end.
    """
    ids = tuple(dict.fromkeys(alert for card in cards for alert in card.alerts))
    alerts = [alert for alert in unit.repository.alerts(ids) if alert.state is not AlertState.RESOLVED]
    card_id = unit.new_id() if alerts else ""
    for card in cards:
        unit.repository.withdraw(card.id)
        _put(unit, replace(card, state=CardState.CLOSED, next=card_id, due_at=None, behind=False))
    if not alerts:
        return None
    for alert in alerts:
        unit.note("folded", alert=alert.id, card=card_id, detail=str(place))
    digest = AlertCard(
        id=card_id,
        place=place,
        route="digest",
        group=digest_group(card_id),
        alerts=tuple(alert.id for alert in alerts),
        state=CardState.WAITING,
        opened_at=unit.now,
        late=any(card.late for card in cards),
    )
    return show(unit, digest, Target(place=place, route=digest.route, group=digest.group))


def supersede(unit: AlertUnitOfWork, card: AlertCard, by: AlertCard) -> None:
    """Let a closed card say where its matter, open again, stands now."""
    _close_in_favour_of(unit, card, by)


def repeat_at(unit: AlertUnitOfWork, card: AlertCard, target: Target) -> datetime | None:
    """Return when a shown card is shown anew if nobody acts, None for never."""
    if target.repeat is None or card.shown_at is None or card.is_closed:
        return None
    alerts = unit.repository.alerts(card.alerts)
    return card.shown_at + target.repeat if any(is_unattended(alert, unit.now) for alert in alerts) else None


def is_unattended(alert: Alert, now: datetime) -> bool:
    """Return whether it is open and nobody said that he knows, or wants to know later."""
    put_off = alert.snoozed_until is not None and alert.snoozed_until > now
    return alert.is_open and alert.acknowledged is None and not put_off


def without_expired(unit: AlertUnitOfWork, card: AlertCard) -> AlertCard:
    """Return a crowded card without the alerts that nothing can bring back."""
    if len(card.alerts) < _CROWDED:
        return card
    alerts = unit.repository.alerts(card.alerts)
    kept = tuple(alert.id for alert in alerts if alert.is_open or alert.last_at + unit.rules.revive >= unit.now)
    return replace(card, alerts=kept)


def _relevant_alerts(unit: AlertUnitOfWork, card: AlertCard) -> Iterable[Alert]:
    alerts = unit.repository.alerts(card.alerts)
    return [alert for alert in alerts if alert.is_open] or alerts


def _close_in_favour_of(unit: AlertUnitOfWork, card: AlertCard, new: AlertCard) -> None:
    closed = replace(card, state=CardState.CLOSED, next=new.id, due_at=None, behind=False, revision=card.revision + 1)
    target = Target(place=card.place, route=card.route, group=card.group)
    _deliver(unit, closed, target, Urgency.LATER, "")


def _deliver(
    unit: AlertUnitOfWork, card: AlertCard, target: Target, urgency: Urgency, fact: str, *, again: bool = False
) -> AlertCard:
    due_at, revision = repeat_at(unit, card, target), card.revision + again
    sent = replace(card, changed_at=unit.now, behind=False, due_at=due_at, revision=revision)
    unit.repository.put_card(sent)
    unit.repository.deliver(
        Delivery(
            card=sent.id,
            place=sent.place,
            kind=CARD_KIND,
            ref=sent.id,
            revision=sent.revision,
            urgency=urgency,
            due_at=unit.now,
            fact=fact,
        )
    )
    return sent


def _put(unit: AlertUnitOfWork, card: AlertCard) -> AlertCard:
    unit.repository.put_card(card)
    return card


def _earlier(one: datetime, other: datetime | None) -> datetime:
    return one if other is None else min(one, other)
