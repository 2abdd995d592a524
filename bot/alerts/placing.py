"""Brings an alert to where it belongs: new places get a card, places that have one see what is new, and whatever is
held back anywhere is looked at again when that ends. Doing it twice does nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.alerts import showing
from bot.alerts.alert import Alert, AlertCard, CardState
from bot.alerts.event import Severity
from bot.alerts.hushing import Hushes
from bot.alerts.plan import Target
from bot.alerts.targeting import Targets, find_targets, next_step
from bot.alerts.unit import Unit, moment_of
from bot.outbox.delivery import Urgency
from bot.outbox.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Why an alert is placed. ``changed``: a card would show something else than before; ``fact`` is empty if no event
    but time or a person is the reason.
    """

    changed: bool = False
    at_once: bool = False
    urgency: Urgency | None = None
    fact: str = ""


def place(unit: Unit, alert: Alert, occasion: Occasion) -> Alert:
    """Return the alert as it stands after it was brought to its places; the caller stores it.

    It must have been put into the ledger before, since cards look at all their alerts there.
    """
    targets = find_targets(unit, alert)
    standing = _standing(unit, alert)
    by_place = {card.place: targets.at(card) for card in standing.values()} | targets.by_place
    _tell_route(unit, alert, occasion, targets, by_place)
    hushes = Hushes(unit, alert)
    held: list[datetime | None] = []
    shown = False
    for where, target in by_place.items():
        card = standing.get(where)
        if (hush := hushes.at(where)) is not None:
            held.append(hush.until)
            if occasion.changed or not alert.held:
                unit.note(hush.what, alert=alert.id, fact=occasion.fact, detail=f"{where}: {hush.reason}")
            if card is not None and occasion.changed:
                showing.hold(unit, card)
        else:
            card = _bring(unit, alert, card, target, occasion)
        shown = shown or (card is not None and card.state is CardState.SHOWN)
    return escalating(unit, _holding(alert, held), targets, shown=shown and hushes.everywhere is None)


def end(unit: Unit, alert: Alert, fact: str) -> None:
    """Let all cards of an alert show that it is over."""
    targets = find_targets(unit, alert)
    for card in unit.ledger.cards_of(alert.id):
        if not card.is_closed:
            showing.leave(unit, card, alert, targets.at(card), fact=fact)


def escalating(unit: Unit, alert: Alert, targets: Targets, *, shown: bool) -> Alert:
    """Return the alert with the time of its next step, which runs from when somebody could see a card of it."""
    if not alert.is_open or alert.acknowledged is not None:
        return alert if alert.escalate_at is None else replace(alert, escalate_at=None)
    if alert.escalate_at is not None or not shown:
        return alert
    after = next_step(alert, targets)
    return alert if after is None else replace(alert, escalate_at=unit.now + after)


def due_of(alert: Alert) -> datetime | None:
    """Return when time alone will change an alert."""
    if not alert.is_open:
        return None
    times = (alert.escalate_at, alert.snoozed_until, alert.look_at)
    return min((moment for moment in times if moment is not None), default=None)


def _standing(unit: Unit, alert: Alert) -> dict[Place, AlertCard]:
    """Return the cards by which its places know an alert: the living ones, and those that it may bring back to life."""
    cards = unit.ledger.cards_of(alert.id)
    past = {card.place: card for card in cards if card.is_closed and card.shown_at is not None and not card.next}
    return past | {card.place: card for card in cards if not card.is_closed}


def _bring(unit: Unit, alert: Alert, card: AlertCard | None, target: Target, occasion: Occasion) -> AlertCard:
    if card is None:
        return _join(unit, alert, target, occasion)
    if card.state is CardState.WAITING:
        return _hurry(unit, alert, card, target, occasion)
    if card.is_closed and alert.is_open:
        if unit.ledger.open_card(card.place, card.group) is not None:
            joined = _join(unit, alert, replace(target, group=card.group), occasion)
            showing.supersede(unit, card, joined)
            return joined
        card, occasion = showing.reopen(unit, card), replace(occasion, changed=True, at_once=True)
    if occasion.changed or card.behind:
        at_once, urgency, fact = occasion.at_once, occasion.urgency, occasion.fact
        return showing.change(unit, card, target, alert.severity, at_once=at_once, urgency=urgency, fact=fact)
    if card.state is CardState.SHOWN and card.due_at is None:
        return showing.rest(unit, card, target)
    return card


def _hurry(unit: Unit, alert: Alert, card: AlertCard, target: Target, occasion: Occasion) -> AlertCard:
    """Let an alert wait no longer than what has become of it may wait: what is critical by now waits for no morning."""
    ready = unit.rules.shows_at(target, alert.severity, max(unit.now, card.opened_at + target.wait))
    if (card.late and not _is_critical(alert)) or (card.due_at is not None and card.due_at <= ready):
        return card
    if card.group == target.group or len(card.alerts) == 1:
        sooner = replace(card, due_at=ready)
        if ready <= unit.now:
            return showing.show(unit, sooner, target, urgency=occasion.urgency, fact=occasion.fact)
        unit.ledger.put_card(sooner)
        return sooner
    # The others go on waiting for their digest.
    unit.ledger.put_card(replace(card, alerts=tuple(one for one in card.alerts if one != alert.id)))
    return _join(unit, alert, target, occasion)


def _join(unit: Unit, alert: Alert, target: Target, occasion: Occasion) -> AlertCard:
    late = bool(occasion.fact) and _is_late(unit, alert)
    if late:
        unit.note("late", alert=alert.id, fact=occasion.fact, detail=str(unit.now - moment_of(alert.event)))
        ready = unit.now + max(target.wait, unit.lateness.gather)
    else:
        ready = unit.now + target.wait
    due = unit.rules.shows_at(target, alert.severity, ready)
    group = target.group
    card = unit.ledger.open_card(target.place, group)
    if card is not None and card.state is CardState.SHOWN:
        if (later := unit.rules.shows_at(target, alert.severity, unit.now)) <= unit.now:
            return _add(unit, card, alert, target, occasion)
        # A card that is out does not change in its off-time unseen: what comes then gathers on the next one.
        group = f"{group}@{later.isoformat(timespec='minutes')}"
        card = unit.ledger.open_card(target.place, group)
    if card is not None:
        unit.note("grouped", alert=alert.id, card=card.id, fact=occasion.fact, detail=f"{target.place}: {group}")
        soonest = due if card.due_at is None else min(due, card.due_at)
        grown = replace(card, alerts=(*card.alerts, alert.id), due_at=soonest, late=card.late and late)
        return showing.change(unit, grown, target, alert.severity)
    card = AlertCard(
        id=unit.new_id(),
        place=target.place,
        route=target.route,
        group=group,
        alerts=(alert.id,),
        state=CardState.WAITING,
        opened_at=unit.now,
        due_at=due,
        late=late,
    )
    if due <= unit.now:
        return showing.show(unit, card, target, urgency=occasion.urgency, fact=occasion.fact)
    unit.ledger.put_card(card)
    unit.note("waiting", alert=alert.id, card=card.id, fact=occasion.fact, detail=f"{target.place} until {due:%F %T%z}")
    return card


def _add(unit: Unit, card: AlertCard, alert: Alert, target: Target, occasion: Occasion) -> AlertCard:
    unit.note("grouped", alert=alert.id, card=card.id, fact=occasion.fact, detail=f"{card.place}: {card.group}")
    roomy = showing.without_old_ends(unit, card)
    grown = replace(roomy, alerts=(*roomy.alerts, alert.id))
    return showing.change(unit, grown, target, alert.severity, urgency=occasion.urgency, fact=occasion.fact)


def _is_late(unit: Unit, alert: Alert) -> bool:
    """Return whether it is old when it is learnt; what is critical is never one of many."""
    return not _is_critical(alert) and unit.now - moment_of(alert.event) > unit.lateness.after


def _is_critical(alert: Alert) -> bool:
    return alert.severity is Severity.CRITICAL


def _holding(alert: Alert, held: list[datetime | None]) -> Alert:
    if not alert.is_open or not (held or alert.held):  # news that is held back is dropped
        return alert
    look_at = min((until for until in held if until is not None), default=None)
    return replace(alert, held=bool(held), look_at=look_at)


def _tell_route(unit: Unit, alert: Alert, occasion: Occasion, targets: Targets, by_place: dict[Place, Target]) -> None:
    if not occasion.fact or not occasion.changed:
        return
    if by_place:
        places = ", ".join(f"{where} by {target.route}" for where, target in by_place.items())
        unit.note("routed", alert=alert.id, fact=occasion.fact, detail=places)
    else:
        unit.note("no_route", alert=alert.id, fact=occasion.fact, detail="; ".join(targets.why))
