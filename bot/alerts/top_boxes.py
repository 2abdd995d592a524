"""The top boxes (吊顶) of groups for critical alerts, and their review when the rules change."""

from __future__ import annotations

from dataclasses import replace

from bot.alerts.alert import AlertCard, CardState
from bot.alerts.repository import AlertUnitOfWork
from bot.outbox.delivery import Delivery, DeliveryFormat
from bot.outbox.place import PlaceKind

TOP_KIND = "alert_top"
"""The kind of delivery that `bot.alerts.service.TopBoxComposer` composes."""

TOP_PREFIX = "top:"
"""The prefix of a box's key, followed by its card's id."""


def is_wanted(unit: AlertUnitOfWork, card: AlertCard) -> bool:
    """Return whether a card's critical alerts also get a top box in its group."""
    by_rule = unit.rules.top_box(card.route)
    wanted = unit.top_boxes if by_rule is None else by_rule
    return wanted and card.place.kind is PlaceKind.GROUP


def mark_top(unit: AlertUnitOfWork, card: AlertCard, fact: str) -> None:
    """Queue a group's top box, or its removal, if a card shows something critical."""
    if is_wanted(unit, card) and any(alert.is_critical for alert in unit.repository.alerts(card.alerts)):
        _owe(unit, card, fact)


def review(unit: AlertUnitOfWork) -> int:
    """Remove the boxes no longer wanted by the rules, and queue the newly wanted ones; return how many.

    Without it a box that was switched off would stay for days after its alert.
    """
    standing = unit.repository.standing_boxes()
    unwanted = [card for card in unit.repository.cards(standing) if not is_wanted(unit, card)]
    for card in unwanted:
        # A state of its own: the standing box already shows the card's newest state.
        newer = replace(card, revision=card.revision + 1)
        unit.repository.put_card(newer)
        _owe(unit, newer, "")
    may_want = unit.top_boxes or unit.rules.has_top_boxes
    missing = _cards_without_box(unit, frozenset(standing)) if may_want else []
    for card in missing:
        _owe(unit, card, "")
    return len(unwanted) + len(missing)


def _cards_without_box(unit: AlertUnitOfWork, standing: frozenset[str]) -> list[AlertCard]:
    critical = [alert for alert in unit.repository.open_alerts() if alert.is_critical]
    shown = {card.id: card for alert in critical for card in unit.repository.cards_of(alert.id)}
    return [
        card
        for card in shown.values()
        if card.state is CardState.SHOWN and card.id not in standing and is_wanted(unit, card)
    ]


def _owe(unit: AlertUnitOfWork, card: AlertCard, fact: str) -> None:
    unit.repository.deliver(
        Delivery(
            card=f"{TOP_PREFIX}{card.id}",
            place=card.place,
            kind=TOP_KIND,
            ref=card.id,
            revision=card.revision,
            due_at=unit.now,
            fact=fact,
            via=DeliveryFormat.TOP,
        )
    )
