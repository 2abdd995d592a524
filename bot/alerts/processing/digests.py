"""The contents of a digest: the newest alerts by name, all others as counts.

A flood brings thousands of alerts into one digest. The cost of adding or resolving one must not grow with their number,
and nobody reads thousands of names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.alerts.alert import Alert, AlertCard, AlertState, AlertTally, FurtherAlerts

NAMED = 100
"""Alerts that a digest names: several for each type of event."""


def push_out(card: AlertCard, alerts: Iterable[Alert]) -> AlertCard:
    """Return a digest that names only its newest alerts; the older ones among its ``alerts`` are counted."""
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
    """Return a digest after an alert that it only counts was resolved; any other card is returned as it is."""
    if not card.is_digest or alert.id in card.alerts:
        return card
    return replace(card, further=_moved(card.further, alert, opened=-1))


def reopen_counted(card: AlertCard, alert: Alert) -> AlertCard:
    """Return a digest after an alert that it only counts reopened; any other card is returned as it is."""
    if not card.is_digest or alert.id in card.alerts:
        return card
    return replace(card, further=_moved(card.further, alert, opened=1))


def merged(further: FurtherAlerts, other: FurtherAlerts) -> FurtherAlerts:
    """Return the sum of two digests' counts."""
    tallies = further.tallies
    for tally in other.tallies:
        tallies = _changed(tallies, tally)
    return FurtherAlerts(tallies, _earliest(further.since, other.since))


def _added(further: FurtherAlerts, alert: Alert) -> FurtherAlerts:
    state = {AlertState.OPEN: "open", AlertState.RESOLVED: "over", AlertState.INFORMED: "news"}[alert.state]
    tallies = _changed(further.tallies, AlertTally(alert.event.type, alert.severity, **{state: 1}))
    return FurtherAlerts(tallies, _earliest(further.since, alert.opened_at))


def _moved(further: FurtherAlerts, alert: Alert, *, opened: int) -> FurtherAlerts:
    """Return the counts with one alert moved from open to resolved or back, if there is one to move.

    Its severity or even type may have changed since it was counted: then a similar one is moved.
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
