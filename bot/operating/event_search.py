"""Searches the events that came in: what ``dingerp events search`` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any

from bot.alerts.intake.kept import EventState, StoredEvent
from bot.errors import ConfigurationError
from bot.operating.opening import opened
from bot.operating.writing import as_json, columns, exact, number, second, visible
from bot.settings import Settings
from bot.store.events import EventSearch, StoredEvents


def read_event_state(text: str) -> EventState | None:
    """Return a state of events, None for no text. Raises `ConfigurationError`."""
    if text and text not in tuple(EventState):
        raise ConfigurationError(f"no state {text!r}; there are: {', '.join(EventState)}")
    return EventState(text) if text else None


async def search_events(settings: Settings, wanted: EventSearch, *, zone: tzinfo, form: str) -> list[str]:
    """Return the lines about the events that fit, newest first; ``form`` is ``text`` or ``json``.

    Raises `ConfigurationError` for a database that cannot be read.
    """
    async with opened(settings) as database:
        found = () if database is None else await StoredEvents(database).search(wanted)
    if form == "json":
        return [as_json([event_fields(one, zone) for one in found])]
    return list(_lines(found, wanted.limit, zone))


def event_fields(event: StoredEvent, zone: tzinfo) -> dict[str, Any]:
    """Return an event for programs."""
    return {
        "number": event.seq,
        "source": event.source,
        "origin": event.origin,
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "via": event.via,
        "severity": event.severity,
        "at": exact(event.at, zone),
        "received_at": exact(event.received_at, zone),
        "state": event.state.value,
        "reason": event.reason,
    }


def _lines(found: Sequence[StoredEvent], limit: int, zone: tzinfo) -> Iterator[str]:
    if not found:
        yield "No such event came in."
        return
    yield from columns(_row(one, zone) for one in found)
    more = "; there may be more, --limit shows them" if len(found) == limit else ""
    first = visible(f"{found[0].source}/{found[0].id}")
    yield f"{number(len(found), 'event', 'events')}{more}; the story of one: `dingerp events show {first}`"


def _row(event: StoredEvent, zone: tzinfo) -> tuple[str, ...]:
    state = f"{event.state}: {event.reason}" if event.reason else event.state.value
    what = f"{event.type} {event.subject}".strip() or "–"
    return second(event.received_at, zone), f"{event.source}/{event.id}", what, event.via, state
