"""The events that came in, and the story of one from its receipt to the clicks on its cards: what ``dingerp events``
does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

import orjson
from sqlalchemy.engine import Connection

from bot.admin.database import open_database, require_database
from bot.admin.output import align_columns, as_json, count_noun, escape_invisible, format_exact, format_second
from bot.alerts.alert import Alert, AlertCard
from bot.alerts.intake.port import EventState, StoredEvent
from bot.alerts.repository import AlertHistoryEntry
from bot.errors import ConfigurationError
from bot.outbox.delivery import DeliveryRecord, DeliveryStep, DeliveryStepKind
from bot.settings import Settings
from bot.store.alerts import StoredAlertRepository
from bot.store.database import Database
from bot.store.deliveries import StoredDeliveries
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
    async with open_database(settings) as database:
        found = () if database is None else await StoredEvents(database).search(wanted)
    if form == "json":
        return [as_json([event_fields(one, zone) for one in found])]
    return list(_event_lines(found, wanted.limit, zone))


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
        "at": format_exact(event.at, zone),
        "received_at": format_exact(event.received_at, zone),
        "state": event.state.value,
        "reason": event.reason,
    }


def _event_lines(found: Sequence[StoredEvent], limit: int, zone: tzinfo) -> Iterator[str]:
    if not found:
        yield "No such event came in."
        return
    yield from align_columns(_event_row(one, zone) for one in found)
    more = "; there may be more, --limit shows them" if len(found) == limit else ""
    first = escape_invisible(f"{found[0].source}/{found[0].id}")
    yield f"{count_noun(len(found), 'event', 'events')}{more}; the story of one: `dingerp events show {first}`"


def _event_row(event: StoredEvent, zone: tzinfo) -> tuple[str, ...]:
    state = f"{event.state}: {event.reason}" if event.reason else event.state.value
    what = f"{event.type} {event.subject}".strip() or "–"
    return format_second(event.received_at, zone), f"{event.source}/{event.id}", what, event.via, state


_SAME_NAME = 20
"""Events of one name that are shown: a source may hold several senders (``origin``) with ids of their own."""
_LINES = 2_000
_ROUTINE_NOTES = frozenset({"repeated", "outdated", "routed", "graded"})
"""What other events do to a matter every day and nobody sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    """One thing that happened; ``place`` is where, if it is about one card."""

    at: datetime
    what: str
    place: str = ""
    detail: str = ""
    alert: str = ""
    card: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardStatus:
    """How one card that shows the matter stands now; ``delivery`` is None before its time has come."""

    card: AlertCard
    delivery: DeliveryRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStory:
    """An event, what happened since it came, and how its alerts and their cards stand now."""

    event: StoredEvent
    lines: tuple[StoryLine, ...]
    alerts: tuple[Alert, ...]
    cards: tuple[CardStatus, ...]


async def show_event(
    settings: Settings, name: str, *, zone: tzinfo, limit: int, form: str, with_data: bool
) -> list[str]:
    """Return the lines of an event's story; ``name`` is its ``source/id`` or its number, ``limit`` of lines of each.

    ``with_data`` adds the event itself, as it came. Raises `ConfigurationError` for an event that is not known and for
    a database that cannot be read.
    """
    async with open_database(settings) as database:
        ready = require_database(database)
        stories = [await build_story(ready, event) for event in await _find_events(ready, name)]
    if not stories:
        raise ConfigurationError(f"no event {name!r}, an example is main/E-1; `dingerp events search` lists them")
    if form == "json":
        return [as_json([_story_fields(story, zone, with_data) for story in stories])]
    return [line for story in stories for line in _story_text(story, zone, limit, with_data)]


async def build_story(database: Database, event: StoredEvent) -> EventStory:
    """Return the story of an event as far as it has come."""
    notes, alerts, cards = await database.run(partial(_read_history, event))
    deliveries = StoredDeliveries(database)
    steps: list[DeliveryStep] = []
    stands = []
    for card in cards:
        steps.extend(await deliveries.steps_of(card.id))
        found = await deliveries.search(card=card.id)
        stands.append(CardStatus(card=card, delivery=found[0] if found else None))
    places = {card.id: str(card.place) for card in cards}
    # That a card is owed is told by the notes, in the same transaction and by a clock that was read a moment later.
    sent = [step for step in steps if step.what is not DeliveryStepKind.QUEUED]
    told = [*(_note_line(note, _fact(event), places) for note in notes), *(_step_line(step, places) for step in sent)]
    later = sorted((line for line in told if line.at >= event.received_at), key=lambda line: line.at)
    return EventStory(event=event, lines=(_receipt_line(event), *later), alerts=alerts, cards=tuple(stands))


async def _find_events(database: Database, name: str) -> Sequence[StoredEvent]:
    events = StoredEvents(database)
    if name.isascii() and name.isdigit():
        found = await events.search(EventSearch(before=int(name) + 1, limit=1))
        return [one for one in found if one.seq == int(name)]
    source, _, event_id = name.partition("/")
    if not source or not event_id:
        return ()
    return await events.search(EventSearch(source=source, event_id=event_id, limit=_SAME_NAME))


def _read_history(
    event: StoredEvent, connection: Connection
) -> tuple[Sequence[AlertHistoryEntry], tuple[Alert, ...], tuple[AlertCard, ...]]:
    repository = StoredAlertRepository(connection, event.received_at)
    fact = _fact(event)
    own = repository.story(fact=fact, limit=_LINES)
    ids = tuple(dict.fromkeys(note.alert for note in own if note.alert))
    others = [note for one in ids for note in repository.story(alert=one, limit=_LINES) if note.fact != fact]
    changing = [note for note in others if not note.fact or note.what not in _ROUTINE_NOTES]
    cards = {card.id: card for one in ids for card in repository.cards_of(one)}
    for note in own:  # one that let go of the alert by now
        if note.card and note.card not in cards and (card := repository.card(note.card)) is not None:
            cards[card.id] = card
    return (*own, *changing), tuple(repository.alerts(ids)), tuple(cards.values())


def _fact(event: StoredEvent) -> str:
    return f"{event.source}/{event.id}"


def _receipt_line(event: StoredEvent) -> StoryLine:
    return StoryLine(at=event.received_at, what="stored", detail=f"by {event.via}")


def _note_line(note: AlertHistoryEntry, fact: str, places: dict[str, str]) -> StoryLine:
    by = f"by {note.fact}" if note.fact and note.fact != fact else ""
    detail = note.detail.removeprefix(places.get(note.card, "")).removeprefix(": ")
    said = "; ".join(filter(None, (detail, by)))
    return StoryLine(
        at=note.at, what=note.what, place=places.get(note.card, ""), detail=said, alert=note.alert, card=note.card
    )


def _step_line(step: DeliveryStep, places: dict[str, str]) -> StoryLine:
    late = f"{step.late.total_seconds():.1f} s after its time" if step.late.total_seconds() >= 1 else ""
    own = f"by {step.detail}" if step.what is DeliveryStepKind.CLICKED else step.detail
    said = "; ".join(filter(None, (own, late)))
    return StoryLine(at=step.at, what=f"card {step.what}", place=places.get(step.card, ""), detail=said, card=step.card)


def _story_text(story: EventStory, zone: tzinfo, limit: int, with_data: bool) -> Iterator[str]:
    event = story.event
    yield escape_invisible(f"{_fact(event)} (number {event.seq}): {event.type} {event.subject}".rstrip())
    yield escape_invisible(
        f"  {event.state}{f': {event.reason}' if event.reason else ''}, from {event.origin or 'nowhere'}"
    )
    if with_data:
        yield f"  {escape_invisible(event.raw)}"
    shown = story.lines[:limit]
    yield from (f"  {line}" for line in align_columns(_story_row(line, zone) for line in shown))
    if len(shown) < len(story.lines):
        yield f"  … {len(story.lines) - len(shown)} more, --limit shows them"
    yield from (f"  now: {escape_invisible(line)}" for line in _present(story, zone))


def _story_row(line: StoryLine, zone: tzinfo) -> tuple[str, ...]:
    return format_second(line.at, zone), line.what, line.place or "–", line.detail


def _present(story: EventStory, zone: tzinfo) -> Iterator[str]:
    if story.event.state is EventState.WAITING:
        yield "it waits to be worked on; that takes moments while `dingerp run` runs"
    for alert in story.alerts:
        has_it = f", {alert.acknowledged.user_id} has it" if alert.acknowledged else ""
        held = ", held back" if alert.held else ""
        yield f"alert {alert.id} is {alert.state}, {alert.severity}{has_it}{held}"
    for stand in story.cards:
        yield _standing(stand, zone)
    if story.event.state is EventState.DONE and not story.cards:
        yield "no card anywhere; the story says why"


def _standing(stand: CardStatus, zone: tzinfo) -> str:
    card, delivery = stand.card, stand.delivery
    said = f"card {card.id} at {card.place} by {card.route} is {card.state}"
    if delivery is None:
        return f"{said}, due {format_second(card.due_at, zone)}" if card.due_at else said
    reason = f" ({delivery.reason})" if delivery.reason else ""
    return f"{said}, delivery {delivery.state}{reason}"


def _story_fields(story: EventStory, zone: tzinfo, with_data: bool) -> dict[str, Any]:
    # As it came: reading it here would only make floats of its numbers.
    data = {"data": orjson.Fragment(story.event.raw)} if with_data else {}
    return data | {
        "event": event_fields(story.event, zone),
        "story": [
            {
                "at": format_exact(line.at, zone),
                "what": line.what,
                "place": line.place,
                "detail": line.detail,
                "alert": line.alert,
                "card": line.card,
            }
            for line in story.lines
        ],
        "alerts": [
            {
                "id": alert.id,
                "state": alert.state.value,
                "severity": alert.severity.value,
                "acknowledged_by": alert.acknowledged.user_id if alert.acknowledged else None,
                "held_back": alert.held,
            }
            for alert in story.alerts
        ],
        "cards": [_card_fields(stand) for stand in story.cards],
    }


def _card_fields(stand: CardStatus) -> dict[str, Any]:
    card, delivery = stand.card, stand.delivery
    return {
        "id": card.id,
        "place": str(card.place),
        "route": card.route,
        "state": card.state.value,
        "next": card.next or None,
        "delivery": delivery.state.value if delivery else None,
        "reason": delivery.reason if delivery else "",
    }
