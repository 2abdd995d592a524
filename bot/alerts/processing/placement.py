"""Brings an alert to its places: new places get a card, existing ones see the changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.alerts.alert import STANDING_GROUP, Alert, AlertCard, CardState
from bot.alerts.processing import card_lifecycle, digests
from bot.alerts.processing.suppression import SuppressionLookup
from bot.alerts.repository import AlertUnitOfWork
from bot.alerts.routing import EscalationStep, Routing, Target
from bot.outbox.delivery import DingWay, Urgency
from bot.outbox.place import Place, PlaceKind


@dataclass(frozen=True, slots=True)
class Targets:
    """One target per place (the first that names it), and all escalation steps, the earliest first."""

    by_place: dict[Place, Target]
    steps: tuple[EscalationStep, ...]
    why: tuple[str, ...]

    def at(self, card: AlertCard) -> Target:
        """Return a card's target; a card no longer named by the rules is still kept up to date."""
        return self.by_place.get(card.place) or Target(place=card.place, route=card.route, group=card.group)


def find_targets(unit: AlertUnitOfWork, alert: Alert) -> Targets:
    """Return the places of an alert."""
    routing = _watched(unit, alert) if alert.is_watched else unit.rules.route(alert.event, alert.severity, unit.now)
    by_place: dict[Place, Target] = {}
    for target in routing.targets:
        by_place.setdefault(target.place, target)
    steps = sorted((step for target in routing.targets for step in target.steps), key=lambda step: step.after)
    for step in steps[: alert.step]:
        for place in step.places:
            by_place.setdefault(place, Target(place=place, route="escalation", group=alert.key, ding=step.ding))
    if alert.assigned is not None and alert.is_open:
        place = Place(PlaceKind.PERSON, alert.assigned.user_id)
        ding = _loudest(target.ding for target in routing.targets)
        by_place.setdefault(place, Target(place=place, route="assigned", group=alert.key, ding=ding))
    return Targets(by_place, tuple(steps), routing.why)


def _loudest(ways: Iterable[DingWay | None]) -> DingWay | None:
    """Return the most noticeable of the ways that rules name."""
    return max((way for way in ways if way is not None), key=lambda way: way.rank, default=None)


def next_step(alert: Alert, targets: Targets) -> timedelta | None:
    """Return the delay of the next step after the previous one (or after the first card was shown)."""
    if alert.step >= len(targets.steps):
        return None
    before = targets.steps[alert.step - 1].after if alert.step else timedelta(0)
    return targets.steps[alert.step].after - before


def _watched(unit: AlertUnitOfWork, alert: Alert) -> Routing:
    watches = unit.repository.watches_on(alert.event.subject)
    watch = next((watch for watch in watches if watch.alert_key(alert.event) == alert.key), None)
    if watch is None:
        return Routing((), ("the watch was given up",))
    place = Place(PlaceKind.PERSON, watch.user_id)
    return Routing((Target(place=place, route="watch", group=alert.key),), (f"watched by {watch.user_id}",))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementCause:
    """Why an alert is placed. ``changed``: its cards would look different; ``fact`` is the event, empty if time or a
    person caused it.
    """

    changed: bool = False
    at_once: bool = False
    urgency: Urgency | None = None
    fact: str = ""


def place_alert(unit: AlertUnitOfWork, alert: Alert, occasion: PlacementCause) -> Alert:
    """Bring an alert to its places and return its new state, which the caller stores.

    It must already be in the repository, since cards read all their alerts there.
    """
    targets = find_targets(unit, alert)
    cards = _current_cards(unit, alert)
    by_place = {card.place: targets.at(card) for card in cards.values()} | targets.by_place
    _record_route(unit, alert, occasion, targets, by_place)
    suppressions = SuppressionLookup(unit, alert)
    held: list[datetime | None] = []
    shown = False
    for place, target in by_place.items():
        card = cards.get(place)
        if (suppression := suppressions.at(place)) is not None:
            held.append(suppression.until)
            if occasion.changed or not alert.held:
                unit.note(suppression.what, alert=alert.id, fact=occasion.fact, detail=f"{place}: {suppression.reason}")
            if card is not None and occasion.changed:
                card_lifecycle.mark_behind(unit, card)
        else:
            card = _place_on_card(unit, alert, card, target, occasion)
        shown = shown or (card is not None and card.state is CardState.SHOWN)
    return schedule_escalation(
        unit, _with_suppressions(alert, held), targets, shown=shown and suppressions.everywhere is None
    )


def close_cards(unit: AlertUnitOfWork, alert: Alert, fact: str) -> None:
    """Let all cards of an alert show that it is resolved."""
    targets = find_targets(unit, alert)
    for card in unit.repository.cards_of(alert.id):
        if not card.is_closed:
            card_lifecycle.drop_alert(unit, card, alert, targets.at(card), fact=fact)


def schedule_escalation(unit: AlertUnitOfWork, alert: Alert, targets: Targets, *, shown: bool) -> Alert:
    """Return the alert with the time of its next escalation step, counted from its first card."""
    if not alert.is_open or alert.acknowledged is not None:
        return alert if alert.escalate_at is None else replace(alert, escalate_at=None)
    if alert.escalate_at is not None or not shown:
        return alert
    after = next_step(alert, targets)
    return alert if after is None else replace(alert, escalate_at=unit.now + after)


def next_due_at(alert: Alert) -> datetime | None:
    """Return when time alone will change an alert."""
    if not alert.is_open:
        return None
    times = (alert.escalate_at, alert.snoozed_until, alert.look_at)
    return min((moment for moment in times if moment is not None), default=None)


def _current_cards(unit: AlertUnitOfWork, alert: Alert) -> dict[Place, AlertCard]:
    """Return the cards that represent an alert at its places: open ones, and closed ones that it may reopen."""
    cards = unit.repository.cards_of(alert.id)
    past = {card.place: card for card in cards if card.is_closed and card.shown_at is not None and not card.next}
    return past | {card.place: card for card in cards if not card.is_closed}


def _place_on_card(
    unit: AlertUnitOfWork, alert: Alert, card: AlertCard | None, target: Target, occasion: PlacementCause
) -> AlertCard:
    if card is None:
        return _join_group(unit, alert, target, occasion)
    if card.state is CardState.WAITING:
        return _advance_waiting_card(unit, alert, card, target, occasion)
    if card.is_closed and alert.is_open:
        if unit.repository.open_card(card.place, card.group) is not None:
            joined = _join_group(unit, alert, replace(target, group=card.group), occasion)
            card_lifecycle.supersede(unit, card, joined)
            return joined
        card, occasion = card_lifecycle.reopen(unit, card), replace(occasion, changed=True, at_once=True)
    if occasion.at_once and occasion.fact:
        card = digests.reopen_counted(card, alert)
    if occasion.changed or card.behind:
        at_once, urgency, fact = occasion.at_once, occasion.urgency, occasion.fact
        return card_lifecycle.change(unit, card, target, alert.severity, at_once=at_once, urgency=urgency, fact=fact)
    if card.state is CardState.SHOWN and card.due_at is None:
        return card_lifecycle.schedule_repeat(unit, card, target)
    return card


def _advance_waiting_card(
    unit: AlertUnitOfWork, alert: Alert, card: AlertCard, target: Target, occasion: PlacementCause
) -> AlertCard:
    """Show a waiting card earlier if the alert's current state allows it: a critical one does not wait for morning."""
    ready = unit.rules.shows_at(target, alert.severity, max(unit.now, card.opened_at + target.wait))
    if (card.late and not alert.is_critical) or (card.due_at is not None and card.due_at <= ready):
        return card
    if card.group == target.group or len(card.alerts) == 1:
        sooner = replace(card, due_at=ready)
        if ready <= unit.now:
            return card_lifecycle.show(unit, sooner, target, urgency=occasion.urgency, fact=occasion.fact)
        unit.repository.put_card(sooner)
        return sooner
    # The others keep waiting for their digest.
    unit.repository.put_card(replace(card, alerts=tuple(other for other in card.alerts if other != alert.id)))
    return _join_group(unit, alert, target, occasion)


def _join_group(unit: AlertUnitOfWork, alert: Alert, target: Target, occasion: PlacementCause) -> AlertCard:
    if alert.event.standing and alert.is_open and occasion.fact:
        return _join_standing(unit, alert, target, occasion)
    late = bool(occasion.fact) and _is_late(unit, alert)
    if late:
        unit.note("late", alert=alert.id, fact=occasion.fact, detail=str(unit.now - alert.event.occurred_at))
        ready = unit.now + max(target.wait, unit.lateness.gather)
    else:
        ready = unit.now + target.wait
    due = unit.rules.shows_at(target, alert.severity, ready)
    group = target.group
    card = unit.repository.open_card(target.place, group)
    if card is not None and card.state is CardState.SHOWN:
        if (later := unit.rules.shows_at(target, alert.severity, unit.now)) <= unit.now:
            return _add_to_card(unit, card, alert, target, occasion)
        # A shown card does not change outside its hours: new alerts gather on the next one.
        group = f"{group}@{later.isoformat(timespec='minutes')}"
        card = unit.repository.open_card(target.place, group)
    if card is not None:
        unit.note("grouped", alert=alert.id, card=card.id, fact=occasion.fact, detail=f"{target.place}: {group}")
        soonest = due if card.due_at is None else min(due, card.due_at)
        grown = replace(card, alerts=(*card.alerts, alert.id), due_at=soonest, late=card.late and late)
        return card_lifecycle.change(unit, grown, target, alert.severity)
    if due <= unit.now and (
        digest := card_lifecycle.join_waiting_digest(
            unit, target.place, alert, urgency=occasion.urgency, fact=occasion.fact
        )
    ):
        return digest
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
        return card_lifecycle.show(unit, card, target, urgency=occasion.urgency, fact=occasion.fact)
    unit.repository.put_card(card)
    unit.note("waiting", alert=alert.id, card=card.id, fact=occasion.fact, detail=f"{target.place} until {due:%F %T%z}")
    return card


def _join_standing(unit: AlertUnitOfWork, alert: Alert, target: Target, occasion: PlacementCause) -> AlertCard:
    """Add alerts that predate the bot's first look to one digest: a first start must not flood the chat."""
    digest = unit.repository.open_card(target.place, STANDING_GROUP)
    if digest is None:
        due = unit.rules.shows_at(target, alert.severity, unit.now + unit.lateness.gather)
        digest = AlertCard(
            id=unit.new_id(),
            place=target.place,
            route=target.route,
            group=STANDING_GROUP,
            alerts=(),
            state=CardState.WAITING,
            opened_at=unit.now,
            due_at=due,
        )
    unit.note("grouped", alert=alert.id, card=digest.id, fact=occasion.fact, detail=f"{target.place}: {digest.group}")
    grown = replace(digest, alerts=(*digest.alerts, alert.id))
    unit.repository.put_card(grown)  # before it is trimmed, so that all of them belong to it
    cut = digests.push_out(grown, unit.repository.alerts(grown.alerts))
    return card_lifecycle.change(unit, cut, target, alert.severity)


def _add_to_card(
    unit: AlertUnitOfWork, card: AlertCard, alert: Alert, target: Target, occasion: PlacementCause
) -> AlertCard:
    unit.note("grouped", alert=alert.id, card=card.id, fact=occasion.fact, detail=f"{card.place}: {card.group}")
    trimmed = card_lifecycle.without_expired(unit, card)
    grown = replace(trimmed, alerts=(*trimmed.alerts, alert.id))
    return card_lifecycle.change(unit, grown, target, alert.severity, urgency=occasion.urgency, fact=occasion.fact)


def _is_late(unit: AlertUnitOfWork, alert: Alert) -> bool:
    """Return whether the bot learns of it late; lateness never puts a critical alert into a digest."""
    return not alert.is_critical and unit.now - alert.event.occurred_at > unit.lateness.after


def _with_suppressions(alert: Alert, held: list[datetime | None]) -> Alert:
    if not alert.is_open or not (held or alert.held):  # news that is held back is dropped
        return alert
    look_at = min((until for until in held if until is not None), default=None)
    return replace(alert, held=bool(held), look_at=look_at)


def _record_route(
    unit: AlertUnitOfWork, alert: Alert, occasion: PlacementCause, targets: Targets, by_place: dict[Place, Target]
) -> None:
    if not occasion.fact or not occasion.changed:
        return
    if by_place:
        places = ", ".join(f"{place} by {target.route}" for place, target in by_place.items())
        unit.note("routed", alert=alert.id, fact=occasion.fact, detail=places)
    else:
        unit.note("no_route", alert=alert.id, fact=occasion.fact, detail="; ".join(targets.why))
