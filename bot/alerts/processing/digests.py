"""What a digest stands for: the newest alerts by name, all others as counts.

A flood brings one digest thousands of alerts. What it costs to add one, or to learn that one is over, must not grow
with their number, and nobody reads thousands of names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.alerts.alert import Alert, AlertCard, AlertState, AlertTally, FurtherAlerts

NAMED = 100
"""Alerts that a digest names: several for each type of event."""


def push_out(card: AlertCard, alerts: Iterable[Alert]) -> AlertCard:
    """Return a digest that names its newest alerts alone; the older ones among its ``alerts`` are counted."""
    if len(card.alerts) <= NAMED:
        return card
    kept = card.alerts[-NAMED:]
    named = set(kept)
    further = card.further
    for alert in alerts:
        if alert.id not in named:
            further = _added(further, alert)
    return replace(card, alerts=kept, further=further)


def end_counted(card: AlertCard, alert: Alert) -> AlertCard:
    """Return a digest for which an alert that it only counts is over; another card is returned as it is."""
    if not card.is_digest or alert.id in card.alerts:
        return card
    return replace(card, further=_moved(card.further, alert, opened=-1))


def reopen_counted(card: AlertCard, alert: Alert) -> AlertCard:
    """Return a digest for which an alert that it only counts is open again; another card is returned as it is."""
    if not card.is_digest or alert.id in card.alerts:
        return card
    return replace(card, further=_moved(card.further, alert, opened=1))


def merged(further: FurtherAlerts, other: FurtherAlerts) -> FurtherAlerts:
    """Return what two digests count together."""
    tallies = further.tallies
    for tally in other.tallies:
        tallies = _changed(tallies, tally)
    return FurtherAlerts(tallies, _earliest(further.since, other.since))


def _added(further: FurtherAlerts, alert: Alert) -> FurtherAlerts:
    state = {AlertState.OPEN: "open", AlertState.RESOLVED: "over", AlertState.INFORMED: "news"}[alert.state]
    tallies = _changed(further.tallies, AlertTally(alert.event.type, alert.severity, **{state: 1}))
    return FurtherAlerts(tallies, _earliest(further.since, alert.opened_at))


def _moved(further: FurtherAlerts, alert: Alert, *, opened: int) -> FurtherAlerts:
    """Return the counts with one alert moved from open to over or back, if there is one to move.

    Its severity, and even its type, may have changed since it was counted: then one that resembles it is moved.
    """
    found = [tally for tally in further.tallies if (tally.open if opened < 0 else tally.over)]
    if not found:
        return further

    def differs(tally: AlertTally) -> tuple[bool, bool]:
        return tally.type != alert.event.type, tally.severity is not alert.severity

    like = min(found, key=differs)
    moved = AlertTally(like.type, like.severity, open=opened, over=-opened)
    return replace(further, tallies=_changed(further.tallies, moved))


def _changed(tallies: tuple[AlertTally, ...], more: AlertTally) -> tuple[AlertTally, ...]:
    by_kind = {(tally.type, tally.severity): tally for tally in tallies}
    kind = more.type, more.severity
    before = by_kind.get(kind, AlertTally(*kind))
    by_kind[kind] = AlertTally(
        *kind, open=before.open + more.open, over=before.over + more.over, news=before.news + more.news
    )
    return tuple(sorted(by_kind.values(), key=lambda tally: (tally.type, tally.severity.rank)))


def _earliest(since: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (since, other) if moment is not None), default=None)
