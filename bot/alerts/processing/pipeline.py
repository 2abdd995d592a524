"""The stages of an event: grade, match with watches, correlate with its alert, place. Each writes a history line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from bot.access.areas import command_of
from bot.alerts.alert import Alert, Watch
from bot.alerts.event import (
    CUSTOM,
    Correlation,
    Effect,
    Event,
    EventType,
    correlate,
)
from bot.alerts.processing.lifecycle import AlertTransition, GradedEvent, advance
from bot.alerts.processing.placement import PlacementCause, close_cards, next_due_at, place_alert
from bot.alerts.repository import AlertUnitOfWork
from bot.erp.kinds import RULED_BY
from bot.erp.model import Area
from bot.words.severity import Severity


def watch_events(unit: AlertUnitOfWork, event: Event, severity: Severity) -> Iterator[GradedEvent]:
    """Yield the reports of an event, or of a polled figure, for the watches on its subject."""
    for watch in unit.repository.watches_on(event.subject):
        effect = effect_on(watch, event)
        if effect is None:
            continue
        correlation = Correlation(watch.alert_key(event), effect)
        if effect is Effect.RESOLVES:
            latest = unit.repository.latest(correlation.key)
            if latest is None or not latest.is_open:
                continue  # the limit was not reached before either
        yield GradedEvent(event, severity, correlation)


def effect_on(watch: Watch, event: Event) -> Effect | None:
    """Return an event's effect on the alert of a watch; None if it does not concern the watch."""
    if watch.subject.casefold() != event.subject.casefold():
        return None
    if not watch.books.hold(event.source):
        return None
    told_of = RULED_BY[watch.area] if isinstance(watch.area, Area) else ""  # only areas have events of their own
    if not event.type.startswith(CUSTOM) and told_of != command_of(event.type):
        return None
    if watch.comparison is None or watch.limit is None:
        return Effect.INFORMS
    figure = _figure(watch, event)
    if figure is None:
        return None
    return Effect.OPENS if watch.comparison.holds(figure, watch.limit) else Effect.RESOLVES


def _figure(watch: Watch, event: Event) -> Decimal | None:
    if watch.area is Area.STOCK:
        return event.quantity
    return None if event.amount is None else event.amount.amount


_NEWS = frozenset({EventType.INVOICE_PAID, EventType.PO_DECIDED, EventType.PRODUCTION_DONE})
"""Ends that are news even if nobody was told of a beginning; the end of an unreported shortage is not."""


def process_event(unit: AlertUnitOfWork, parts: Sequence[Event]) -> None:
    """Process the parts of one event in order."""
    first = parts[0]
    unit.note("received", fact=first.ref, detail=f"{first.type} {first.subject}".rstrip())
    if len(parts) > 1:
        unit.note("split", fact=first.ref, detail=f"{len(parts)} parts")
    for part in parts:
        _process_part(unit, part)


def _process_part(unit: AlertUnitOfWork, event: Event) -> None:
    severity = unit.rules.grade(event)
    if severity is not event.severity:
        unit.note("graded", fact=event.ref, detail=f"{severity} instead of {event.severity}")
    apply_to_watches(unit, event, severity)
    apply_event(unit, GradedEvent(event, severity, correlate(event)))


def apply_to_watches(unit: AlertUnitOfWork, event: Event, severity: Severity) -> None:
    """Report an event to the watches on its subject."""
    for report in watch_events(unit, event, severity):
        apply_event(unit, report)


def apply_event(unit: AlertUnitOfWork, report: GradedEvent) -> Alert:
    """Apply a report to its alert and to the cards that show it; return the alert."""
    fact = report.event.ref
    latest = unit.repository.latest(report.correlation.key)
    transition, alert = advance(latest, report, revive=unit.rules.revive, new_id=unit.new_id())
    unit.note(transition.value, alert=alert.id, fact=fact, detail=f"{alert.severity}, {alert.count} times")
    unit.repository.put_alert(alert, next_due_at(alert))
    match transition:
        case AlertTransition.OUTDATED:
            return alert
        case AlertTransition.RESOLVED:
            close_cards(unit, alert, fact)
            # This alert may have inhibited others.
            unit.repository.mark_suppressed_due(unit.now)
            return alert
        case AlertTransition.INFORMED if (
            report.correlation.effect is Effect.RESOLVES and report.event.type not in _NEWS
        ):
            return alert
        case AlertTransition.REPEATED if not alert.is_open:
            return alert
    changed, at_once = transition is not AlertTransition.REPEATED, transition is AlertTransition.REVIVED
    placed = place_alert(unit, alert, PlacementCause(changed=changed, at_once=at_once, fact=fact))
    if placed != alert:
        unit.repository.put_alert(placed, next_due_at(placed))
    return placed
