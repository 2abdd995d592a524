"""From a CloudEvent to the normal form: checked on arrival, split into parts when processed.

Every entry of ``items`` becomes a part, numbered in order. An item inherits missing fields from the event, so each part
has its own subject (SKU or document number), warehouse, company and owner, by which the rules route it. Stock has one
alert per warehouse, everything else one per document: items of one document that differ only in their owner belong to
one alert.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from pydantic import ValidationError

from bot.alerts.event import CUSTOM, Event
from bot.alerts.intake.envelope import (
    MAX_ORIGIN,
    EventEnvelope,
    InvalidEvent,
    content_id,
    name_of,
    parse_envelope,
)
from bot.alerts.intake.json_codec import decode_json, encode_json
from bot.alerts.intake.port import EventState, ReceivedEvent, UnreadableEvent
from bot.alerts.intake.schemas import MAX_CODE, MAX_ITEMS, Custom, EventData, schema_of
from bot.erp.model import Money
from bot.words.severity import Severity


def normalize(source: str, handed: object, *, via: str, now: datetime) -> ReceivedEvent:
    """Return the event to store: waiting if it is fully understood, otherwise rejected with the reason."""
    raw = encode_json(handed.raw if isinstance(handed, UnreadableEvent) else handed)
    if not isinstance(handed, Mapping):
        reason = handed.reason if isinstance(handed, UnreadableEvent) else "not a JSON object"
        return _rejected(source, {}, raw, reason, via, now)
    try:
        envelope = parse_envelope(handed, now)
        parts = _parts(envelope)
    except InvalidEvent as fault:
        return _rejected(source, handed, raw, str(fault), via, now)
    return ReceivedEvent(
        source=source,
        origin=envelope.origin,
        id=envelope.id,
        type=envelope.type,
        # Several items have no common subject.
        subject=envelope.subject or (_subject(envelope, parts[0]) if len(parts) == 1 else ""),
        severity=envelope.severity or "",
        via=via,
        at=envelope.at,
        received_at=now,
        raw=raw,
        rank=max(_severity(envelope, part).rank for part in parts),
    )


def split_events(received: ReceivedEvent) -> tuple[Event, ...]:
    """Return the parts of a waiting event, one or more. Raises `InvalidEvent` if this version does not accept it."""
    event = decode_json(received.raw)
    if not isinstance(event, Mapping):
        raise InvalidEvent("not a JSON object")
    envelope = parse_envelope(event, received.received_at)
    parts = _parts(envelope)
    return tuple(_event(received, envelope, number, part) for number, part in enumerate(parts))


def _rejected(
    source: str, event: Mapping[str, object], raw: str, reason: str, via: str, now: datetime
) -> ReceivedEvent:
    return ReceivedEvent(
        source=source,
        origin=_readable(event, "source", MAX_ORIGIN),
        id=_readable(event, "id", MAX_CODE) or content_id(raw),
        type=_readable(event, "type", MAX_CODE),
        subject=_readable(event, "subject", MAX_CODE),
        severity="",
        via=via,
        at=now,
        received_at=now,
        state=EventState.REJECTED,
        reason=reason,
        raw=raw,
    )


def _readable(event: Mapping[str, object], attribute: str, limit: int) -> str:
    try:
        return name_of(event, attribute, limit, required=False)
    except InvalidEvent:
        return ""


def _parts(envelope: EventEnvelope) -> tuple[EventData, ...]:
    """Return the data of each part, each with a subject. Raises `InvalidEvent`."""
    schema = schema_of(envelope.type)
    if schema is None:
        raise InvalidEvent("type is not known here")
    shared = {name: value for name, value in envelope.data.items() if name != "items"}
    items = envelope.data.get("items")
    if items is None or items == []:
        parts: tuple[EventData, ...] = (_validated(schema, shared, ""),)
    elif not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise InvalidEvent("data.items must be a list of objects")
    elif len(items) > MAX_ITEMS:
        raise InvalidEvent(f"data.items has more than {MAX_ITEMS} entries")
    else:
        parts = tuple(_validated(schema, {**shared, **item}, f"items.{n}.") for n, item in enumerate(items))
    if schema.named_by and not all(_subject(envelope, part) for part in parts):
        raise InvalidEvent(f"neither subject nor data.{schema.named_by} names what it is about")
    return parts


def _validated(schema: type[EventData], data: Mapping[str, object], where: str) -> EventData:
    try:
        return schema.model_validate({name: value for name, value in data.items() if name != "items"})
    except ValidationError as error:
        # Never the input itself: it may be a price.
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        path = f"data.{where}{'.'.join(map(str, first['loc']))}"[:100].rstrip(".")
        raise InvalidEvent(f"{path}: {first['msg'].removeprefix('Value error, ')}") from None


def _subject(envelope: EventEnvelope, part: EventData) -> str:
    own: str = getattr(part, part.named_by) if part.named_by else ""
    return own or envelope.subject or (part.title if isinstance(part, Custom) else "")


def _severity(envelope: EventEnvelope, part: EventData) -> Severity:
    if envelope.severity is not None:
        return envelope.severity
    if envelope.type.startswith(CUSTOM) and part.resolved is not None:
        return Severity.WARNING  # it stays open, so a person has to act
    return part.severity


def _event(received: ReceivedEvent, envelope: EventEnvelope, number: int, part: EventData) -> Event:
    return Event(
        source=received.source,
        id=received.id,
        part=number,
        type=received.type,
        subject=_subject(envelope, part),
        at=received.at,
        received_at=received.received_at,
        severity=_severity(envelope, part),
        standing=envelope.standing,
        resolved=part.over,
        company=part.company,
        warehouse=part.warehouse,
        customer=part.customer,
        supplier=part.supplier,
        category=part.category,
        owner=part.owner,
        amount=None if part.amount is None else Money(part.amount, part.currency),
        quantity=part.figure,
        due_on=part.due_on,
        title=part.headline,
        link=part.link,
        data=MappingProxyType(part.model_dump(mode="json", exclude_unset=True, exclude_none=True)),
        tags=MappingProxyType(dict(part.tags)),
    )
