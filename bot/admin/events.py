"""``dingerp events``: received events, and the history of one from its receipt to the clicks on its cards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

import orjson
from sqlalchemy.engine import Connection

from bot.admin.database import OperatorAction, open_database, require_database
from bot.admin.inputs import read_choice
from bot.admin.output import (
    align_columns,
    as_json,
    count_noun,
    escape_invisible,
    fields_of,
    format_delay,
    format_second,
    join_details,
)
from bot.alerts.alert import Alert, AlertCard
from bot.alerts.intake.port import EventState, StoredEvent
from bot.alerts.repository import AlertHistoryEntry
from bot.outbox.delivery import DeliveryRecord, DeliveryStep, DeliveryStepKind
from bot.settings import Settings
from bot.store.alerts.events import EventSearch, StoredEvents
from bot.store.alerts.repository import StoredAlertRepository
from bot.store.database import Database
from bot.store.outbox.deliveries import StoredDeliveries
from bot.words.errors import ConfigurationError


def read_event_state(text: str) -> EventState | None:
    """Return an event state, None for an empty text. Raises `ConfigurationError`."""
    return read_choice(EventState, "state", text)


async def search_events(settings: Settings, wanted: EventSearch, *, zone: tzinfo, form: str) -> list[str]:
    """Return lines on the matching events, newest first; ``form`` is ``text`` or ``json``.

    Raises `ConfigurationError` if the database cannot be read.
    """
    async with open_database(settings, OperatorAction(command="events search")) as database:
        found = () if database is None else await StoredEvents(database).search(wanted)
    if form == "json":
        return [as_json([event_fields(event, zone) for event in found])]
    return list(_event_lines(found, wanted.limit, zone))


def event_fields(event: StoredEvent, zone: tzinfo) -> dict[str, Any]:
    """Return an event in machine-readable form."""
    names = "source origin id type subject via severity at received_at state reason"
    return {"number": event.seq} | fields_of(event, names, zone)


def _event_lines(found: Sequence[StoredEvent], limit: int, zone: tzinfo) -> Iterator[str]:
    if not found:
        yield "No such event came in."
        return
    yield from align_columns(_event_row(event, zone) for event in found)
    more = "; there may be more, --limit shows them" if len(found) == limit else ""
    first = escape_invisible(found[0].ref)
    yield f"{count_noun(len(found), 'event', 'events')}{more}; the history of one: `dingerp events show {first}`"


def _event_row(event: StoredEvent, zone: tzinfo) -> tuple[str, ...]:
    state = f"{event.state}: {event.reason}" if event.reason else event.state.value
    what = f"{event.type} {event.subject}".strip() or "–"
    return format_second(event.received_at, zone), event.ref, what, event.via, state


_SAME_NAME = 20
"""How many events with one name are shown: a source may have several senders (``origin``) with their own ids."""
_LINES = 2_000
_ROUTINE_NOTES = frozenset({"repeated", "outdated", "routed", "graded"})
"""Routine changes of an alert that nobody sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One line of the history; ``place`` is that of its card, if any."""

    at: datetime
    what: str
    place: str = ""
    detail: str = ""
    alert: str = ""
    card: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardStatus:
    """The present state of a card that shows the alert; ``delivery`` is None before it is due."""

    card: AlertCard
    delivery: DeliveryRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventHistory:
    """An event, its history, and the present state of its alerts and their cards."""

    event: StoredEvent
    lines: tuple[HistoryLine, ...]
    alerts: tuple[Alert, ...]
    cards: tuple[CardStatus, ...]


async def show_event(
    settings: Settings, name: str, *, zone: tzinfo, limit: int, form: str, with_data: bool
) -> list[str]:
    """Return the history of an event by its ``source/id`` or number; ``limit`` bounds the lines of each section.

    ``with_data`` adds the event as received. Raises `ConfigurationError` for an unknown event, or if the database
    cannot be read.
    """
    action = OperatorAction(command="events show", detail=f"{name}{', with its data' if with_data else ''}")
    async with open_database(settings, action) as database:
        ready = require_database(database)
        histories = [await build_history(ready, event) for event in await _find_events(ready, name)]
    if not histories:
        raise ConfigurationError(f"no event {name!r}, an example is main/E-1; `dingerp events search` lists them")
    if form == "json":
        return [as_json([_history_fields(history, zone, with_data) for history in histories])]
    return [line for history in histories for line in _history_text(history, zone, limit, with_data)]


async def build_history(database: Database, event: StoredEvent) -> EventHistory:
    """Return the history of an event so far."""
    notes, alerts, cards = await database.run(partial(_read_history, event))
    deliveries = StoredDeliveries(database)
    steps: list[DeliveryStep] = []
    statuses = []
    for card in cards:
        steps.extend(await deliveries.steps_of(card.id))
        found = await deliveries.search(card=card.id)
        statuses.append(CardStatus(card=card, delivery=found[0] if found else None))
    places = {card.id: str(card.place) for card in cards}
    # The notes of the same transaction already say that a card was queued.
    sent = [step for step in steps if step.what is not DeliveryStepKind.QUEUED]
    lines = [*(_note_line(note, event.ref, places) for note in notes), *(_step_line(step, places) for step in sent)]
    later = sorted((line for line in lines if line.at >= event.received_at), key=lambda line: line.at)
    return EventHistory(event=event, lines=(_receipt_line(event), *later), alerts=alerts, cards=tuple(statuses))


async def _find_events(database: Database, name: str) -> Sequence[StoredEvent]:
    events = StoredEvents(database)
    if name.isascii() and name.isdigit():
        found = await events.search(EventSearch(before=int(name) + 1, limit=1))
        return [event for event in found if event.seq == int(name)]
    source, _, event_id = name.partition("/")
    if not source or not event_id:
        return ()
    return await events.search(EventSearch(source=source, event_id=event_id, limit=_SAME_NAME))


def _read_history(
    event: StoredEvent, connection: Connection
) -> tuple[Sequence[AlertHistoryEntry], tuple[Alert, ...], tuple[AlertCard, ...]]:
    repository = StoredAlertRepository(connection, event.received_at)
    own = repository.history(fact=event.ref, limit=_LINES)
    ids = tuple(dict.fromkeys(note.alert for note in own if note.alert))
    others = [note for key in ids for note in repository.history(alert=key, limit=_LINES) if note.fact != event.ref]
    changing = [note for note in others if not note.fact or note.what not in _ROUTINE_NOTES]
    cards = {card.id: card for key in ids for card in repository.cards_of(key)}
    for note in own:  # a card that has dropped the alert since
        if note.card and note.card not in cards and (card := repository.card(note.card)) is not None:
            cards[card.id] = card
    return (*own, *changing), tuple(repository.alerts(ids)), tuple(cards.values())


def _receipt_line(event: StoredEvent) -> HistoryLine:
    return HistoryLine(at=event.received_at, what="stored", detail=f"by {event.via}")


def _note_line(note: AlertHistoryEntry, fact: str, places: dict[str, str]) -> HistoryLine:
    by = f"by {note.fact}" if note.fact and note.fact != fact else ""
    detail = note.detail.removeprefix(places.get(note.card, "")).removeprefix(": ")
    return HistoryLine(
        at=note.at,
        what=note.what,
        place=places.get(note.card, ""),
        detail=join_details(detail, by),
        alert=note.alert,
        card=note.card,
    )


def _step_line(step: DeliveryStep, places: dict[str, str]) -> HistoryLine:
    own = f"by {step.detail}" if step.what is DeliveryStepKind.CLICKED else step.detail
    detail, place = join_details(own, format_delay(step.late)), places.get(step.card, "")
    return HistoryLine(at=step.at, what=f"card {step.what}", place=place, detail=detail, card=step.card)


def _history_text(history: EventHistory, zone: tzinfo, limit: int, with_data: bool) -> Iterator[str]:
    event = history.event
    yield escape_invisible(f"{event.ref} (number {event.seq}): {event.type} {event.subject}".rstrip())
    yield escape_invisible(
        f"  {event.state}{f': {event.reason}' if event.reason else ''}, from {event.origin or 'nowhere'}"
    )
    if with_data:
        yield f"  {escape_invisible(event.raw)}"
    shown = history.lines[:limit]
    yield from (f"  {line}" for line in align_columns(_line_row(line, zone) for line in shown))
    if len(shown) < len(history.lines):
        yield f"  … {len(history.lines) - len(shown)} more, --limit shows them"
    yield from (f"  now: {escape_invisible(line)}" for line in _present(history, zone))


def _line_row(line: HistoryLine, zone: tzinfo) -> tuple[str, ...]:
    return format_second(line.at, zone), line.what, line.place or "–", line.detail


def _present(history: EventHistory, zone: tzinfo) -> Iterator[str]:
    if history.event.state is EventState.WAITING:
        yield "it waits to be worked on; that takes moments while `dingerp run` runs"
    for alert in history.alerts:
        has_it = f", {alert.acknowledged.user_id} has it" if alert.acknowledged else ""
        held = ", held back" if alert.held else ""
        yield f"alert {alert.id} is {alert.state}, {alert.severity}{has_it}{held}"
    for status in history.cards:
        yield _describe_card(status, zone)
    if history.event.state is EventState.DONE and not history.cards:
        yield "no card anywhere; the history says why"


def _describe_card(status: CardStatus, zone: tzinfo) -> str:
    card, delivery = status.card, status.delivery
    text = f"card {card.id} at {card.place} by {card.route} is {card.state}"
    if delivery is None:
        return f"{text}, due {format_second(card.due_at, zone)}" if card.due_at else text
    reason = f" ({delivery.reason})" if delivery.reason else ""
    return f"{text}, delivery {delivery.state}{reason}"


def _history_fields(history: EventHistory, zone: tzinfo, with_data: bool) -> dict[str, Any]:
    # As received: parsing it here would turn its numbers into floats.
    data = {"data": orjson.Fragment(history.event.raw)} if with_data else {}
    return data | {
        "event": event_fields(history.event, zone),
        "history": [fields_of(line, "at what place detail alert card", zone) for line in history.lines],
        "alerts": [
            fields_of(alert, "id state severity", zone)
            | {
                "acknowledged_by": alert.acknowledged.user_id if alert.acknowledged else None,
                "held_back": alert.held,
            }
            for alert in history.alerts
        ],
        "cards": [_card_fields(status, zone) for status in history.cards],
    }


def _card_fields(status: CardStatus, zone: tzinfo) -> dict[str, Any]:
    card, delivery = status.card, status.delivery
    return fields_of(card, "id place route state", zone) | {
        "next": card.next or None,
        "delivery": delivery.state.value if delivery else None,
        "reason": delivery.reason if delivery else "",
    }
