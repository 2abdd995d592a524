"""The story of one event, from its receipt to the clicks on its cards: what ``dingerp events show`` does.

It is put together from the event itself, the notes of the life of alerts, and the steps of the outbox. What other
events did to the same matter is told where it changed something.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

import orjson
from sqlalchemy.engine import Connection

from bot.alerts.alert import Alert, AlertCard
from bot.alerts.intake.kept import EventState, StoredEvent
from bot.alerts.ledger import Note
from bot.errors import ConfigurationError
from bot.operating.event_search import event_fields
from bot.operating.opening import needed, opened
from bot.operating.writing import as_json, columns, exact, second, visible
from bot.outbox.record import DeliveryRecord, DeliveryStep, What
from bot.settings import Settings
from bot.store.alerts import StoredLedger
from bot.store.database import Database
from bot.store.deliveries import StoredDeliveries
from bot.store.events import EventSearch, StoredEvents

_SAME_NAME = 20
"""Events of one name that are shown: a source may hold several senders (``origin``) with ids of their own."""
_LINES = 2_000
_UNTOLD = frozenset({"repeated", "outdated", "routed", "graded"})
"""What other events do to a matter every day and nobody sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened; ``place`` is where, if it is about one card."""

    at: datetime
    what: str
    place: str = ""
    detail: str = ""
    alert: str = ""
    card: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How one card that shows the matter stands now; ``delivery`` is None before its time has come."""

    card: AlertCard
    delivery: DeliveryRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An event, what happened since it came, and how its alerts and their cards stand now."""

    event: StoredEvent
    lines: tuple[Line, ...]
    alerts: tuple[Alert, ...]
    stands: tuple[Stand, ...]


async def show_event(
    settings: Settings, name: str, *, zone: tzinfo, limit: int, form: str, with_data: bool
) -> list[str]:
    """Return the lines of an event's story; ``name`` is its ``source/id`` or its number, ``limit`` of lines of each.

    ``with_data`` adds the event itself, as it came. Raises `ConfigurationError` for an event that is not known and for
    a database that cannot be read.
    """
    async with opened(settings) as database:
        ready = needed(database)
        stories = [await tell(ready, event) for event in await _find(ready, name)]
    if not stories:
        raise ConfigurationError(f"no event {name!r}, an example is main/E-1; `dingerp events search` lists them")
    if form == "json":
        return [as_json([_fields(story, zone, with_data) for story in stories])]
    return [line for story in stories for line in _text(story, zone, limit, with_data)]


async def tell(database: Database, event: StoredEvent) -> Story:
    """Return the story of an event as far as it has come."""
    notes, alerts, cards = await database.run(partial(_read, event))
    deliveries = StoredDeliveries(database)
    steps: list[DeliveryStep] = []
    stands = []
    for card in cards:
        steps.extend(await deliveries.steps_of(card.id))
        found = await deliveries.search(card=card.id)
        stands.append(Stand(card=card, delivery=found[0] if found else None))
    places = {card.id: str(card.place) for card in cards}
    # That a card is owed is told by the notes, in the same transaction and by a clock that was read a moment later.
    sent = [step for step in steps if step.what is not What.QUEUED]
    told = [*(_noted(note, _fact(event), places) for note in notes), *(_stepped(step, places) for step in sent)]
    later = sorted((line for line in told if line.at >= event.received_at), key=lambda line: line.at)
    return Story(event=event, lines=(_came(event), *later), alerts=alerts, stands=tuple(stands))


async def _find(database: Database, name: str) -> Sequence[StoredEvent]:
    events = StoredEvents(database)
    if name.isascii() and name.isdigit():
        found = await events.search(EventSearch(before=int(name) + 1, limit=1))
        return [one for one in found if one.seq == int(name)]
    source, _, event_id = name.partition("/")
    if not source or not event_id:
        return ()
    return await events.search(EventSearch(source=source, event_id=event_id, limit=_SAME_NAME))


def _read(
    event: StoredEvent, connection: Connection
) -> tuple[Sequence[Note], tuple[Alert, ...], tuple[AlertCard, ...]]:
    ledger = StoredLedger(connection, event.received_at)
    fact = _fact(event)
    own = ledger.story(fact=fact, limit=_LINES)
    ids = tuple(dict.fromkeys(note.alert for note in own if note.alert))
    others = [note for one in ids for note in ledger.story(alert=one, limit=_LINES) if note.fact != fact]
    changing = [note for note in others if not note.fact or note.what not in _UNTOLD]
    cards = {card.id: card for one in ids for card in ledger.cards_of(one)}
    for note in own:  # one that let go of the alert by now
        if note.card and note.card not in cards and (card := ledger.card(note.card)) is not None:
            cards[card.id] = card
    return (*own, *changing), tuple(ledger.alerts(ids)), tuple(cards.values())


def _fact(event: StoredEvent) -> str:
    return f"{event.source}/{event.id}"


def _came(event: StoredEvent) -> Line:
    return Line(at=event.received_at, what="stored", detail=f"by {event.via}")


def _noted(note: Note, fact: str, places: dict[str, str]) -> Line:
    by = f"by {note.fact}" if note.fact and note.fact != fact else ""
    detail = note.detail.removeprefix(places.get(note.card, "")).removeprefix(": ")
    said = "; ".join(filter(None, (detail, by)))
    return Line(
        at=note.at, what=note.what, place=places.get(note.card, ""), detail=said, alert=note.alert, card=note.card
    )


def _stepped(step: DeliveryStep, places: dict[str, str]) -> Line:
    late = f"{step.late.total_seconds():.1f} s after its time" if step.late.total_seconds() >= 1 else ""
    own = f"by {step.detail}" if step.what is What.CLICKED else step.detail
    said = "; ".join(filter(None, (own, late)))
    return Line(at=step.at, what=f"card {step.what}", place=places.get(step.card, ""), detail=said, card=step.card)


def _text(story: Story, zone: tzinfo, limit: int, with_data: bool) -> Iterator[str]:
    event = story.event
    yield visible(f"{_fact(event)} (number {event.seq}): {event.type} {event.subject}".rstrip())
    yield visible(f"  {event.state}{f': {event.reason}' if event.reason else ''}, from {event.origin or 'nowhere'}")
    if with_data:
        yield f"  {visible(event.raw)}"
    shown = story.lines[:limit]
    yield from (f"  {line}" for line in columns(_row(line, zone) for line in shown))
    if len(shown) < len(story.lines):
        yield f"  … {len(story.lines) - len(shown)} more, --limit shows them"
    yield from (f"  now: {visible(line)}" for line in _present(story, zone))


def _row(line: Line, zone: tzinfo) -> tuple[str, ...]:
    return second(line.at, zone), line.what, line.place or "–", line.detail


def _present(story: Story, zone: tzinfo) -> Iterator[str]:
    if story.event.state is EventState.WAITING:
        yield "it waits to be worked on; that takes moments while `dingerp run` runs"
    for alert in story.alerts:
        has_it = f", {alert.acknowledged.user_id} has it" if alert.acknowledged else ""
        held = ", held back" if alert.held else ""
        yield f"alert {alert.id} is {alert.state}, {alert.severity}{has_it}{held}"
    for stand in story.stands:
        yield _standing(stand, zone)
    if story.event.state is EventState.DONE and not story.stands:
        yield "no card anywhere; the story says why"


def _standing(stand: Stand, zone: tzinfo) -> str:
    card, delivery = stand.card, stand.delivery
    said = f"card {card.id} at {card.place} by {card.route} is {card.state}"
    if delivery is None:
        return f"{said}, due {second(card.due_at, zone)}" if card.due_at else said
    reason = f" ({delivery.reason})" if delivery.reason else ""
    return f"{said}, delivery {delivery.state}{reason}"


def _fields(story: Story, zone: tzinfo, with_data: bool) -> dict[str, Any]:
    # As it came: reading it here would only make floats of its numbers.
    data = {"data": orjson.Fragment(story.event.raw)} if with_data else {}
    return data | {
        "event": event_fields(story.event, zone),
        "story": [
            {
                "at": exact(line.at, zone),
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
        "cards": [_card_fields(stand) for stand in story.stands],
    }


def _card_fields(stand: Stand) -> dict[str, Any]:
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
