"""The effect of an event on its alert: opened, updated, resolved, revived. Pure functions.

Facts are ordered by when they happened, not by arrival: an outdated one is counted and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from bot.alerts.alert import Alert, AlertState
from bot.alerts.event import Correlation, Effect, Event
from bot.words.severity import Severity

_content = attrgetter(*(field.name for field in fields(Event) if field.name not in ("id", "part", "at", "received_at")))
"""The fields of an event that a card could show."""


class AlertTransition(StrEnum):
    """The kind of change to an alert, as the history records it."""

    OPENED = "opened"
    UPDATED = "updated"
    REPEATED = "repeated"
    """Reported again, and cards show nothing different."""
    OUTDATED = "outdated"
    """A later fact is already known."""
    RESOLVED = "resolved"
    REVIVED = "revived"
    INFORMED = "informed"
    """News; it was never open."""


@dataclass(frozen=True, slots=True)
class GradedEvent:
    """An event with the severity from the rules and the alert it belongs to."""

    event: Event
    severity: Severity
    correlation: Correlation

    @property
    def at(self) -> datetime:
        """When it happened."""
        return self.event.occurred_at


def advance(
    latest: Alert | None, report: GradedEvent, *, revive: timedelta, new_id: str
) -> tuple[AlertTransition, Alert]:
    """Return the result of applying a report to the newest alert with its key; a new alert gets ``new_id``."""
    if latest is None:
        return _open_new(report, new_id)
    if report.at < latest.event.occurred_at:
        return AlertTransition.OUTDATED, replace(latest, count=latest.count + 1)
    match latest.state:
        case AlertState.OPEN:
            return _while_open(latest, report)
        case AlertState.RESOLVED:
            return _while_resolved(latest, report, revive, new_id)
        case AlertState.INFORMED:
            return _while_informed(latest, report, revive, new_id)


def _open_new(report: GradedEvent, new_id: str) -> tuple[AlertTransition, Alert]:
    opens = report.correlation.effect is Effect.OPENS
    alert = Alert(
        id=new_id,
        key=report.correlation.key,
        event=report.event,
        state=AlertState.OPEN if opens else AlertState.INFORMED,
        severity=report.severity,
        opened_at=report.at,
        last_at=report.at,
    )
    return AlertTransition.OPENED if opens else AlertTransition.INFORMED, alert


def _while_open(alert: Alert, report: GradedEvent) -> tuple[AlertTransition, Alert]:
    if report.correlation.effect is not Effect.RESOLVES:
        return _repeat_or_update(alert, report)
    resolved = replace(
        _counted(alert, report),
        state=AlertState.RESOLVED,
        resolved_at=report.at,
        count=alert.count,
        snoozed_until=None,
        escalate_at=None,
        held=False,
        look_at=None,
        revision=alert.revision + 1,
    )
    return AlertTransition.RESOLVED, resolved


def _while_resolved(alert: Alert, report: GradedEvent, revive: timedelta, new_id: str) -> tuple[AlertTransition, Alert]:
    match report.correlation.effect:
        case Effect.RESOLVES:
            return AlertTransition.REPEATED, replace(_counted(alert, report), count=alert.count)
        case Effect.OPENS if alert.resolved_at is not None and report.at - alert.resolved_at <= revive:
            # It stays assigned, but an old acknowledgement does not stop a new escalation.
            revived = replace(
                _counted(alert, report),
                state=AlertState.OPEN,
                severity=report.severity,
                resolved_at=None,
                acknowledged=None,
                snoozed=None,
                step=0,
                revivals=alert.revivals + 1,
                revision=alert.revision + 1,
            )
            return AlertTransition.REVIVED, revived
    return _open_new(report, new_id)


def _while_informed(alert: Alert, report: GradedEvent, revive: timedelta, new_id: str) -> tuple[AlertTransition, Alert]:
    if report.correlation.effect is Effect.OPENS or report.at - alert.last_at > revive:
        return _open_new(report, new_id)
    return _repeat_or_update(alert, report)


def _repeat_or_update(alert: Alert, report: GradedEvent) -> tuple[AlertTransition, Alert]:
    counted = _counted(alert, report)
    if report.severity is alert.severity and _same_content(alert.event, report.event):
        return AlertTransition.REPEATED, counted
    # It was snoozed when it was less severe.
    snoozed_until = None if report.severity.rank > alert.severity.rank else alert.snoozed_until
    changed = replace(counted, severity=report.severity, snoozed_until=snoozed_until, revision=alert.revision + 1)
    return AlertTransition.UPDATED, changed


def _counted(alert: Alert, report: GradedEvent) -> Alert:
    return replace(alert, event=report.event, last_at=report.at, count=alert.count + 1)


def _same_content(event: Event, other: Event) -> bool:
    return bool(_content(event) == _content(other))
