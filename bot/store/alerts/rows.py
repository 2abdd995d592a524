"""Converts alerts, cards and their parts to rows and back.

Times are whole milliseconds, rounded up: nothing may seem due before its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from bot.alerts.alert import Alert, AlertCard, AlertTally, Comparator, FurtherAlerts, Mute, UserStamp, Watch
from bot.alerts.event import Event
from bot.alerts.intake.json_codec import decode_json, encode_json
from bot.alerts.repository import AlertHistoryEntry
from bot.erp.model import Followed, Money, parse_followed
from bot.outbox.place import Place
from bot.store.record_codec import DATE, DECIMAL, Codecs, ListCodec, PlainCodec, RecordCodec
from bot.store.row_times import from_ms, to_ms_up

_EXACT = " "
"""Precedes the JSON of an event that only the slower, exact encoder can represent, such as very long numbers."""

_STAMPS = ("acknowledged", "assigned", "snoozed")
"""Fields of an alert that name a person; they share the column ``hands``."""

_VALUES: Codecs = {
    datetime: PlainCodec(to_ms_up, from_ms),
    date: DATE,
    Decimal: DECIMAL,
    Money: ListCodec(Money, {Decimal: DECIMAL}),
    Place: PlainCodec(str, Place.parse),
    Followed: PlainCodec(str, parse_followed),
}
_STAMP = ListCodec(UserStamp, _VALUES)
_EVENT = RecordCodec(
    Event,
    _VALUES,
    names={"received_at": "received", "due_on": "due"},
    sparse={
        "resolved",
        "standing",
        "company",
        "warehouse",
        "customer",
        "supplier",
        "category",
        "owner",
        "amount",
        "quantity",
        "due_on",
        "title",
        "link",
        "data",
        "tags",
    },
)
_ALERT = RecordCodec(
    Alert,
    _VALUES,
    names={
        "opened_at": "opened_ms",
        "last_at": "last_ms",
        "count": "reported",
        "snoozed_until": "snoozed_ms",
        "resolved_at": "resolved_ms",
        "escalate_at": "escalate_ms",
        "look_at": "look_ms",
    },
    skip={"event", *_STAMPS},
)
_CARD = RecordCodec(
    AlertCard,
    _VALUES,
    names={
        "group": "shared",
        "opened_at": "opened_ms",
        "due_at": "due_ms",
        "shown_at": "shown_ms",
        "changed_at": "changed_ms",
        "next": "next_card",
    },
    skip={"alerts", "further"},
)
_FURTHER = ListCodec(AlertTally, _VALUES)
_MUTE = RecordCodec(Mute, _VALUES, names={"by": "author", "made_at": "made_ms", "until": "until_ms"})
_WATCH = RecordCodec(Watch, _VALUES, names={"made_at": "made_ms"}, skip={"comparison", "limit", "said"})
_NOTE = RecordCodec(AlertHistoryEntry, _VALUES, names={"at": "at_ms"})
_NOTE_LINE = ListCodec(AlertHistoryEntry, _VALUES)


def alert_row(alert: Alert, due_at: datetime | None, number: int) -> dict[str, Any]:
    row = _ALERT.write(alert)
    row["number"] = number
    row["event"] = event_text(alert.event)
    row["hands"] = _stamps_text(alert)
    row["due_ms"] = None if due_at is None else to_ms_up(due_at)
    row["pack"] = 0
    return row


def alert_of(row: Any) -> Alert:
    return _ALERT.read_row(row, event=event_of(row.event), **stamps_of(row.hands))


def card_row(card: AlertCard, number: int) -> dict[str, Any]:
    """Return the row of a card; its alerts have rows of their own, and a digest names the newest of them."""
    row = _CARD.write(card)
    row["number"] = number
    row["digest"] = _digest_text(card) if card.is_digest or card.further != FurtherAlerts() else ""
    return row


def card_of(row: Any, alerts: tuple[str, ...]) -> AlertCard:
    """Return the card of a row; a digest stores its own ``alerts``."""
    if not row.digest:
        return _CARD.read_row(row, alerts=alerts, further=FurtherAlerts())
    named, tallies, since = orjson.loads(row.digest)
    further = FurtherAlerts(tuple(map(_FURTHER.read, tallies)), from_ms(since))
    return _CARD.read_row(row, alerts=tuple(named), further=further)


def _digest_text(card: AlertCard) -> str:
    since = card.further.since
    tallies = [_FURTHER.write(tally) for tally in card.further.tallies]
    return orjson.dumps([card.alerts, tallies, None if since is None else to_ms_up(since)]).decode()


def mute_row(mute: Mute) -> dict[str, Any]:
    return _MUTE.write(mute)


def mute_of(row: Any) -> Mute:
    return _MUTE.read_row(row)


def watch_row(watch: Watch) -> dict[str, Any]:
    return _WATCH.write(watch) | {
        "id": watch.id,
        "folded": watch.subject.casefold(),
        "comparison": watch.comparison or "",
        "bound": "" if watch.limit is None else str(watch.limit),
        "said": orjson.dumps(dict(watch.said)).decode() if watch.said else "",
    }


def watch_of(row: Any) -> Watch:
    return _WATCH.read_row(
        row,
        comparison=Comparator(row.comparison) if row.comparison else None,
        limit=Decimal(row.bound) if row.bound else None,
        said=orjson.loads(row.said) if row.said else {},
    )


def note_row(notes: Sequence[AlertHistoryEntry]) -> dict[str, Any]:
    """Return the row of history lines."""
    lines = orjson.dumps([_NOTE_LINE.write(note) for note in notes]).decode()
    at_ms = max(to_ms_up(note.at) for note in notes)
    return {"at_ms": at_ms, "what": "", "fact": "", "alert": "", "card": "", "detail": lines}


def note_keys(notes: Iterable[AlertHistoryEntry]) -> Sequence[str]:
    """Return the names under which lines are found: those of their events and alerts."""
    return sorted({key for note in notes for key in (note.fact, note.alert) if key})


def notes_of(row: Any) -> Iterable[AlertHistoryEntry]:
    """Return the lines of a row."""
    return (_NOTE.read_row(row),) if row.what else map(_NOTE_LINE.read, orjson.loads(row.detail))


def event_text(event: Event) -> str:
    """Return an event as JSON, without empty fields."""
    values = _EVENT.write(event)
    try:
        return orjson.dumps(values, default=_plain).decode()
    except TypeError:
        return _EXACT + encode_json(values)


def event_of(text: str) -> Event:
    """Return the event serialized by `event_text`."""
    values: Any = decode_json(text) if text.startswith(_EXACT) else orjson.loads(text)
    return _EVENT.read(values)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


def _stamps_text(alert: Alert) -> str:
    stamps = {name: _STAMP.write(stamp) for name in _STAMPS if (stamp := getattr(alert, name)) is not None}
    return orjson.dumps(stamps).decode() if stamps else ""


def stamps_of(text: str) -> dict[str, UserStamp]:
    """Return who acknowledged an alert, took it and snoozed it, of the column ``hands``."""
    return {name: _STAMP.read(stamp) for name, stamp in orjson.loads(text).items()} if text else {}
