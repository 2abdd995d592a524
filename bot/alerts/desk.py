"""What becomes of an event: graded, matched with its matter, brought to its places, each stage a line of its story."""

from __future__ import annotations

from collections.abc import Sequence

from bot.alerts import watching
from bot.alerts.advancing import Report, Turn, advance
from bot.alerts.alert import Alert
from bot.alerts.event import Event, EventType, Severity
from bot.alerts.matter import Effect, matter_of
from bot.alerts.placing import Occasion, due_of, end, place
from bot.alerts.unit import Unit, fact_of

_NEWS = frozenset({EventType.INVOICE_PAID, EventType.PO_DECIDED, EventType.PRODUCTION_DONE})
"""Ends that are worth telling although nobody was told of a beginning; of a shortage nobody is told that it is over."""


def take(unit: Unit, parts: Sequence[Event]) -> None:
    """Work on the parts of one event, in their order."""
    first = parts[0]
    unit.note("received", fact=fact_of(first), detail=f"{first.type} {first.subject}".rstrip())
    if len(parts) > 1:
        unit.note("split", fact=fact_of(first), detail=f"{len(parts)} parts")
    for part in parts:
        _take_part(unit, part)


def _take_part(unit: Unit, event: Event) -> None:
    severity = unit.rules.grade(event)
    if severity is not event.severity:
        unit.note("graded", fact=fact_of(event), detail=f"{severity} instead of {event.severity}")
    observe(unit, event, severity)
    report_to_matter(unit, Report(event, severity, matter_of(event)))


def observe(unit: Unit, event: Event, severity: Severity) -> None:
    """Let all watches know of an event, or of a figure that was polled for them and is no event for anybody else."""
    for report in watching.reports_of(unit, event, severity):
        report_to_matter(unit, report)


def report_to_matter(unit: Unit, report: Report) -> Alert:
    """Let a report change its matter's alert and everything that shows it; return the alert."""
    fact = fact_of(report.event)
    latest = unit.ledger.latest(report.matter.key)
    turn, alert = advance(latest, report, revive=unit.rules.revive, new_id=unit.new_id())
    unit.note(turn.value, alert=alert.id, fact=fact, detail=f"{alert.severity}, {alert.count} times")
    unit.ledger.put_alert(alert, due_of(alert))
    match turn:
        case Turn.OUTDATED:
            return alert
        case Turn.RESOLVED:
            end(unit, alert, fact)
            # Others may have been needless because of this one.
            unit.ledger.wake_held(unit.now)
            return alert
        case Turn.INFORMED if report.matter.effect is Effect.RESOLVES and report.event.type not in _NEWS:
            return alert
        case Turn.REPEATED if not alert.is_open:
            return alert
    changed = turn is not Turn.REPEATED
    placed = place(unit, alert, Occasion(changed=changed, at_once=turn is Turn.REVIVED, fact=fact))
    if placed != alert:
        unit.ledger.put_alert(placed, due_of(placed))
    return placed
