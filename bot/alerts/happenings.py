"""Which lines of an alert's history programs are told of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.alerts.alert import Alert
from bot.alerts.repository import AlertHistoryEntry
from bot.outbox.happenings import Happening, HappeningType

_TOLD: Mapping[str, HappeningType] = MappingProxyType(
    {
        "opened": HappeningType.ALERT_OPENED,
        "updated": HappeningType.ALERT_CHANGED,
        "revived": HappeningType.ALERT_REOPENED,
        "informed": HappeningType.ALERT_NEWS,
        "resolved": HappeningType.ALERT_RESOLVED,
        "acknowledged": HappeningType.ALERT_ACKNOWLEDGED,
        "assigned": HappeningType.ALERT_ASSIGNED,
        "snoozed": HappeningType.ALERT_SNOOZED,
        "muted": HappeningType.ALERT_MUTED,
        "escalated": HappeningType.ALERT_ESCALATED,
    }
)


def is_told(note: AlertHistoryEntry) -> bool:
    """Return whether a line may be told."""
    return note.what in _TOLD


def happening_of(note: AlertHistoryEntry, alert: Alert) -> Happening:
    """Return what a line of an alert's history tells; see `is_told`."""
    return Happening(
        type=_TOLD[note.what],
        at=note.at,
        source=alert.event.source,
        subject=f"alerts/{alert.id}",
        line=f"/alerts {alert.id} all",
        card="alert",
    )
