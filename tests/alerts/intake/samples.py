"""Events for the tests of intake."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.alerts.intake.normalization import normalize
from bot.alerts.intake.port import ReceivedEvent, StoredEvent

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def cloud_event(**changes: Any) -> dict[str, Any]:
    """Return a good event with some attributes changed; None leaves one out."""
    event = {
        "specversion": "1.0",
        "id": "E-1",
        "source": "/erp/main",
        "type": "stock.low",
        "subject": "SKU123",
        "time": "2026-11-24T11:59:00+08:00",
        "data": {"warehouse": "SH", "available": "12", "reorder_point": "50"},
    }
    return {name: value for name, value in (event | changes).items() if value is not None}


def kept(event: object, source: str = "main", now: datetime = NOW) -> ReceivedEvent:
    """Return what the door makes of an event."""
    return normalize(source, event, via="webhook", now=now)


def stored(event: object, seq: int = 1) -> StoredEvent:
    """Return an event as the processor gets it."""
    one = kept(event)
    assert not one.reason, one.reason
    return StoredEvent(seq=seq, **{name: getattr(one, name) for name in ReceivedEvent.__dataclass_fields__})
