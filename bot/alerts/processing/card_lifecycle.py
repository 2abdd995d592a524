"""The life of cards: shown, changed, closed, repeated, folded into a digest.

An alert has at most one open card per place. When a card is repeated (or many become a digest), the new card takes over
and the closed one says so: a chat never shows two states of one alert.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce

from bot.alerts import top_boxes
from bot.alerts.alert import Alert, AlertCard, AlertState, CardState, FurtherAlerts, digest_group
from bot.alerts.processing import digests
from bot.alerts.repository import AlertUnitOfWork
from bot.alerts.routing import Target
from bot.outbox.delivery import Delivery, DeliveryFormat, DingWay, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.words.severity import Severity

DING_KIND = "alert_ding"
"""The kind of delivery that `bot.alerts.service.DingComposer` composes."""

CARD_KIND = "alert"
"""The kind of delivery that `bot.alerts.service.AlertComposer` composes."""

GATHERS = timedelta(seconds=20)
"""How long a new digest waits for more alerts: in a flood each would be shown as soon as its place may get a card."""

_TRIMMED_FROM = digests.NAMED + 50
"""The number of alerts from which a digest only counts the older ones; they are read together."""

_ALONE = 20
"""The most cards that a fold leaves alone: as many as one place may get in a minute."""

_CROWDED = 20
"""From this many alerts on, a card drops those that are resolved and were shown so."""


def urgency_of(alerts: Iterable[Alert]) -> Urgency:
    """Return the urgency of a card with these alerts: critical ones are urgent even as mere news."""
    ranks = [alert.severity.rank for alert in alerts if alert.is_critical or alert.state is not AlertState.INFORMED]
    if not ranks or max(ranks) == Severity.INFO.rank:
        return Urgency.LATER
    return Urgency.NOW if max(ranks) == Severity.CRITICAL.rank else Urgency.SOON


def worst_of(alerts: Iterable[Alert]) -> Severity:
    return max((alert.severity for alert in alerts), key=lambda severity: severity.rank, default=Severity.INFO)


def show(
    unit: AlertUnitOfWork, card: AlertCard, target: Target, *, urgency: Urgency | None = None, fact: str = ""
) -> AlertCard:
    """Queue a card for its place for the first time. A card with only news is closed at once."""
    alerts = unit.repository.alerts(card.alerts)
    state = CardState.SHOWN if any(alert.is_open for alert in alerts) else CardState.CLOSED
    shown = replace(card, state=state, shown_at=unit.now)
    for alert in alerts:
        unit.note("shown", alert=alert.id, card=card.id, fact=fact or alert.event.ref, detail=str(card.place))
    rank = urgency or urgency_of(alerts)
    sent = _deliver(unit, shown, target, rank, fact)
    way = unit.ding if target.ding is None else target.ding
    if way is not DingWay.OFF and rank is Urgency.NOW and card.place.kind is PlaceKind.PERSON:
        unit.repository.deliver(
            Delivery(
                card=f"ding:{card.id}",
                place=card.place,
                kind=DING_KIND,
                ref=f"{card.id}|{way}",
                revision=1,
                urgency=rank,
                due_at=unit.now,
                fact=fact,
                via=DeliveryFormat.DING,
            )
        )
    return sent


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
    """Update a card at its place: now, or once its interval has passed and its hours allow a change."""
    if card.state is CardState.WAITING:
        return _put(unit, card)
    due = unit.now
    if not at_once:
        since = card.due_at if card.behind else None
        due = unit.rules.shows_at(target, severity, max(due, (card.changed_at or due) + target.interval), since)
    if due > unit.now:
        return _put(unit, replace(card, behind=True, due_at=_earlier(due, repeat_at(unit, card, target))))
    return _deliver(unit, card, target, urgency or urgency_of(_relevant_alerts(unit, card)), fact, again=True)


def mark_behind(unit: AlertUnitOfWork, card: AlertCard) -> AlertCard:
    """Mark the place as not having seen the latest change, because it is held back."""
    return card if card.behind or card.state is CardState.WAITING else _put(unit, replace(card, behind=True))


def schedule_repeat(unit: AlertUnitOfWork, card: AlertCard, target: Target) -> AlertCard:
    """Leave a card as it is, and schedule its repeat."""
    due = repeat_at(unit, card, target)
    return card if due == card.due_at else _put(unit, replace(card, due_at=due))


def drop_alert(unit: AlertUnitOfWork, card: AlertCard, alert: Alert, target: Target, *, fact: str = "") -> AlertCard:
    """Update a card after one of its alerts was resolved: an unseen alert just leaves it, the last one closes it."""
    if card.state is CardState.WAITING:
        others = tuple(other for other in card.alerts if other != alert.id)
        unit.note("unseen", alert=alert.id, card=card.id, fact=fact, detail=str(card.place))
        kept = replace(card, alerts=others) if others else replace(card, state=CardState.CLOSED, due_at=None)
        return _put(unit, kept)
    card = digests.end_counted(card, alert)
    if not card.further.open and not any(other.is_open for other in unit.repository.alerts(card.alerts)):
        card = replace(card, state=CardState.CLOSED)
    return change(unit, card, target, alert.severity, at_once=True, urgency=urgency_of((alert,)), fact=fact)


def reopen(unit: AlertUnitOfWork, card: AlertCard) -> AlertCard:
    """Return a closed card as shown again after one of its alerts reopened."""
    return replace(card, state=CardState.SHOWN, shown_at=unit.now)


def repeat(unit: AlertUnitOfWork, card: AlertCard, target: Target, *, calls: str = "") -> AlertCard:
    """Move the open alerts to a new card, which ``calls`` a person of its group, by userId."""
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
    return _deliver(unit, new, target, Urgency.NOW if calls else urgency_of(alerts), "", calls=calls)


def fold(unit: AlertUnitOfWork, cards: Sequence[AlertCard], place: Place) -> AlertCard | None:
    """Replace cards unseen at their place by one digest, also in the outbox.

    Critical alerts keep their own cards, unless there are many of a kind (`_standing_alone`). The largest digest among
    them absorbs the others. None if all others are resolved by now: nobody needs to see the end of something whose
    start they never saw.
    """
    alone = _standing_alone(unit, cards)
    for card in alone:
        target = Target(place=card.place, route=card.route, group=card.group)
        _deliver(unit, card, target, Urgency.NOW, "", again=True)
    cards = [card for card in cards if card not in alone]
    if not cards:
        return None
    unseen = [card for card in cards if card.is_digest and not card.is_closed]
    digest = max(unseen, key=_size, default=None) or unit.repository.waiting_digest(place)
    others = [card for card in cards if card is not digest]
    further = reduce(digests.merged, (card.further for card in others), FurtherAlerts())
    named = () if digest is None else digest.alerts
    ids = tuple(dict.fromkeys(alert for card in others for alert in card.alerts if alert not in named))
    alerts = [alert for alert in unit.repository.alerts(ids) if alert.state is not AlertState.RESOLVED]
    if digest is None and not alerts and not further.open:
        _close_unseen(unit, others, "")
        return None
    digest = digest or _new_digest(unit, place)
    for alert in alerts:
        unit.note("folded", alert=alert.id, card=digest.id, detail=str(place))
    for card in unseen:
        if card.id != digest.id:
            unit.repository.move_members(card.id, digest.id)
    _close_unseen(unit, others, digest.id)
    grown = replace(
        digest,
        alerts=(*digest.alerts, *(alert.id for alert in alerts)),
        further=digests.merged(digest.further, further),
        late=digest.late or any(card.late for card in others),
    )
    return _show_digest(unit, grown, alerts)


def _standing_alone(unit: AlertUnitOfWork, cards: Sequence[AlertCard]) -> tuple[AlertCard, ...]:
    """Return the cards that each deserve attention: critical alerts, if they are few.

    For hundreds of one kind, which would take minutes to show, a digest says more.
    """
    critical = [
        (card, (alert.event.source, alert.event.type))
        for card in cards
        if not card.is_digest
        for alert in unit.repository.alerts(card.alerts)
        if alert.is_critical and alert.state is not AlertState.RESOLVED
    ]
    kinds = Counter(kind for _, kind in critical)
    rare = dict.fromkeys(card.id for card, kind in critical if kinds[kind] <= unit.lateness.many)
    by_id = {card.id: card for card in cards}
    return tuple(by_id[card_id] for card_id in tuple(rare)[:_ALONE])


def _size(card: AlertCard) -> int:
    return len(card.alerts) + card.further.total


def _close_unseen(unit: AlertUnitOfWork, cards: Iterable[AlertCard], by: str) -> None:
    for card in cards:
        unit.repository.withdraw(card.id)
        closed = replace(card, state=CardState.CLOSED, next=by, due_at=None, behind=False)
        # The digest's alerts now belong to the other one.
        _put(unit, replace(closed, alerts=(), further=FurtherAlerts()) if card.is_digest else closed)


def _new_digest(unit: AlertUnitOfWork, place: Place) -> AlertCard:
    card_id = unit.new_id()
    return AlertCard(
        id=card_id,
        place=place,
        route="digest",
        group=digest_group(card_id),
        alerts=(),
        state=CardState.WAITING,
        opened_at=unit.now,
    )


def _show_digest(unit: AlertUnitOfWork, digest: AlertCard, new: Sequence[Alert]) -> AlertCard:
    """Queue a digest for its place, with ``new`` alerts on it; stored before it is trimmed, so that all of them belong
    to it.
    """
    named = unit.repository.alerts(digest.alerts)
    is_open = digest.further.open or any(alert.is_open for alert in named)
    again = digest.state is not CardState.WAITING
    shown = replace(digest, state=CardState.SHOWN if is_open else CardState.CLOSED, shown_at=unit.now)
    for alert in new:
        unit.note("shown", alert=alert.id, card=digest.id, fact=alert.event.ref, detail=str(digest.place))
    unit.repository.put_card(shown)
    target = Target(place=digest.place, route=digest.route, group=digest.group)
    urgency = urgency_of(named)
    gathers = timedelta(0) if urgency is Urgency.NOW else GATHERS
    return _deliver(unit, digests.push_out(shown, named), target, urgency, "", again=again, gathers=gathers)


def join_waiting_digest(
    unit: AlertUnitOfWork, place: Place, alert: Alert, *, urgency: Urgency | None, fact: str
) -> AlertCard | None:
    """Add a new alert to the digest that waits for room at its place; None if there is none, or if the alert is urgent.

    A card of its own would wait for the same room, and be replaced by that digest.
    """
    urgency = urgency or urgency_of((alert,))
    digest = None if urgency is Urgency.NOW else unit.repository.waiting_digest(place)
    if digest is None:
        return None
    unit.note("folded", alert=alert.id, card=digest.id, fact=fact, detail=str(place))
    grown = replace(digest, alerts=(*digest.alerts, alert.id))
    if len(grown.alerts) > _TRIMMED_FROM:
        grown = digests.push_out(grown, unit.repository.alerts(grown.alerts[: -digests.NAMED]))
    target = Target(place=place, route=digest.route, group=digest.group)
    return _deliver(unit, grown, target, urgency, fact, again=True, gathers=GATHERS)


def supersede(unit: AlertUnitOfWork, card: AlertCard, by: AlertCard) -> None:
    """Let a closed card point to the card that now shows its alert."""
    _close_in_favour_of(unit, card, by)


def repeat_at(unit: AlertUnitOfWork, card: AlertCard, target: Target) -> datetime | None:
    """Return when a shown card is repeated without a reaction; None for never."""
    if target.repeat is None or card.shown_at is None or card.is_closed:
        return None
    alerts = unit.repository.alerts(card.alerts)
    return card.shown_at + target.repeat if any(is_unattended(alert, unit.now) for alert in alerts) else None


def is_unattended(alert: Alert, now: datetime) -> bool:
    """Return whether an alert is open, and neither acknowledged nor snoozed."""
    is_snoozed = alert.snoozed_until is not None and alert.snoozed_until > now
    return alert.is_open and alert.acknowledged is None and not is_snoozed


def without_expired(unit: AlertUnitOfWork, card: AlertCard) -> AlertCard:
    """Return a crowded card without the alerts that can no longer be revived."""
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
    unit: AlertUnitOfWork,
    card: AlertCard,
    target: Target,
    urgency: Urgency,
    fact: str,
    *,
    again: bool = False,
    gathers: timedelta = timedelta(0),
    calls: str = "",
) -> AlertCard:
    """Queue a card for its place; one that ``gathers`` is due that much later, unless it was due earlier already.

    A card that ``calls`` a person does so when first shown, if nothing newer comes first.
    """
    due_at, revision = repeat_at(unit, card, target), card.revision + again
    sent = replace(card, changed_at=unit.now, behind=False, due_at=due_at, revision=revision)
    unit.repository.put_card(sent)
    top_boxes.mark_top(unit, sent, fact)
    unit.repository.deliver(
        Delivery(
            card=sent.id,
            place=sent.place,
            kind=CARD_KIND,
            ref=f"{sent.id}|{calls}" if calls else sent.id,
            revision=sent.revision,
            urgency=urgency,
            due_at=unit.now + gathers,
            fact=fact,
        )
    )
    return sent


def _put(unit: AlertUnitOfWork, card: AlertCard) -> AlertCard:
    unit.repository.put_card(card)
    return card


def _earlier(due: datetime, other: datetime | None) -> datetime:
    return due if other is None else min(due, other)
