"""Alerts, cards and what belongs to them as rows and back.

Times are whole milliseconds, rounded up: what is due at a stored time must not seem due before it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import orjson

from bot.alerts.alert import Alert, AlertCard, AlertState, CardState, Comparator, Mute, UserStamp, Watch
from bot.alerts.event import Event
from bot.alerts.intake.json_codec import decode_json, encode_json
from bot.alerts.repository import AlertHistoryEntry
from bot.erp.model import Area, Money
from bot.outbox.place import Place
from bot.severity import Severity

_MOMENT = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_WORDS = ("company", "warehouse", "customer", "supplier", "category", "owner", "title", "link")
_MARKS = ("acknowledged", "assigned", "snoozed")
_EXACT = " "
"""Before the JSON of an event with something that only the slower, exact way can carry, such as very long numbers."""


def milliseconds(moment: datetime) -> int:
    """Return a time as the tables hold it."""
    return -((_EPOCH - moment) // _MOMENT)


def moment(ms: int) -> datetime:
    """Return the time that `milliseconds` made the number from."""
    return _EPOCH + ms * _MOMENT


def alert_row(alert: Alert, due_at: datetime | None, number: int) -> dict[str, Any]:
    """Return the row of an alert."""
    return {
        "number": number,
        "id": alert.id,
        "key": alert.key,
        "state": alert.state.value,
        "severity": alert.severity.value,
        "event": event_text(alert.event),
        "opened_ms": milliseconds(alert.opened_at),
        "last_ms": milliseconds(alert.last_at),
        "reported": alert.count,
        "hands": _marks_text(alert),
        "snoozed_ms": _ms(alert.snoozed_until),
        "resolved_ms": _ms(alert.resolved_at),
        "step": alert.step,
        "escalate_ms": _ms(alert.escalate_at),
        "held": alert.held,
        "look_ms": _ms(alert.look_at),
        "revivals": alert.revivals,
        "revision": alert.revision,
        "due_ms": _ms(due_at),
    }


def alert_of(row: Any) -> Alert:
    """Return the alert of a row."""
    return Alert(
        id=row.id,
        key=row.key,
        event=event_of(row.event),
        state=AlertState(row.state),
        severity=Severity(row.severity),
        opened_at=moment(row.opened_ms),
        last_at=moment(row.last_ms),
        count=row.reported,
        snoozed_until=_moment(row.snoozed_ms),
        resolved_at=_moment(row.resolved_ms),
        step=row.step,
        escalate_at=_moment(row.escalate_ms),
        held=row.held,
        look_at=_moment(row.look_ms),
        revivals=row.revivals,
        revision=row.revision,
        **_marks_of(row.hands),
    )


def card_row(card: AlertCard, number: int) -> dict[str, Any]:
    """Return the row of a card; its alerts are rows of their own."""
    return {
        "number": number,
        "id": card.id,
        "place": str(card.place),
        "route": card.route,
        "shared": card.group,
        "state": card.state.value,
        "opened_ms": milliseconds(card.opened_at),
        "due_ms": _ms(card.due_at),
        "shown_ms": _ms(card.shown_at),
        "changed_ms": _ms(card.changed_at),
        "behind": card.behind,
        "late": card.late,
        "next_card": card.next,
        "repeats": card.repeats,
        "revision": card.revision,
    }


def card_of(row: Any, alerts: tuple[str, ...]) -> AlertCard:
    """Return the card of a row."""
    return AlertCard(
        id=row.id,
        place=Place.parse(row.place),
        route=row.route,
        group=row.shared,
        alerts=alerts,
        state=CardState(row.state),
        opened_at=moment(row.opened_ms),
        due_at=_moment(row.due_ms),
        shown_at=_moment(row.shown_ms),
        changed_at=_moment(row.changed_ms),
        behind=row.behind,
        late=row.late,
        next=row.next_card,
        repeats=row.repeats,
        revision=row.revision,
    )


def mute_row(mute: Mute) -> dict[str, Any]:
    """Return the row of a mute."""
    return {
        "id": mute.id,
        "place": str(mute.place),
        "pattern": mute.pattern,
        "author": mute.by,
        "made_ms": milliseconds(mute.made_at),
        "until_ms": milliseconds(mute.until),
    }


def mute_of(row: Any) -> Mute:
    """Return the mute of a row."""
    return Mute(
        id=row.id,
        place=Place.parse(row.place),
        pattern=row.pattern,
        by=row.author,
        made_at=moment(row.made_ms),
        until=moment(row.until_ms),
    )


def watch_row(watch: Watch) -> dict[str, Any]:
    """Return the row of a watch."""
    return {
        "id": watch.id,
        "user_id": watch.user_id,
        "area": watch.area.value,
        "subject": watch.subject,
        "folded": watch.subject.casefold(),
        "title": watch.title,
        "comparison": watch.comparison or "",
        "bound": "" if watch.limit is None else str(watch.limit),
        "made_ms": milliseconds(watch.made_at),
    }


def watch_of(row: Any) -> Watch:
    """Return the watch of a row."""
    return Watch(
        user_id=row.user_id,
        area=Area(row.area),
        subject=row.subject,
        title=row.title,
        comparison=Comparator(row.comparison) if row.comparison else None,
        limit=Decimal(row.bound) if row.bound else None,
        made_at=moment(row.made_ms),
    )


def note_row(note: AlertHistoryEntry) -> dict[str, Any]:
    """Return the row of a line of the story."""
    return {
        "at_ms": milliseconds(note.at),
        "what": note.what,
        "fact": note.fact,
        "alert": note.alert,
        "card": note.card,
        "detail": note.detail,
    }


def note_of(row: Any) -> AlertHistoryEntry:
    """Return the line of a row."""
    return AlertHistoryEntry(
        at=moment(row.at_ms), what=row.what, fact=row.fact, alert=row.alert, card=row.card, detail=row.detail
    )


def event_text(event: Event) -> str:
    """Return an event as JSON; what it does not say is left out."""
    fields: dict[str, Any] = {
        "source": event.source,
        "id": event.id,
        "part": event.part,
        "type": event.type,
        "subject": event.subject,
        "at": milliseconds(event.at),
        "received": milliseconds(event.received_at),
        "severity": event.severity.value,
    }
    for word in _WORDS:
        if value := getattr(event, word):
            fields[word] = value
    if event.resolved:
        fields["resolved"] = True
    if event.amount is not None:
        fields["amount"] = [str(event.amount.amount), event.amount.currency]
    if event.quantity is not None:
        fields["quantity"] = str(event.quantity)
    if event.due_on is not None:
        fields["due"] = event.due_on.isoformat()
    if event.data:
        fields["data"] = event.data
    if event.tags:
        fields["tags"] = dict(event.tags)
    try:
        return orjson.dumps(fields, default=_plain).decode()
    except TypeError:
        return _EXACT + encode_json(fields)


def event_of(text: str) -> Event:
    """Return the event that `event_text` wrote."""
    fields: Any = decode_json(text) if text.startswith(_EXACT) else orjson.loads(text)
    amount, quantity, due = fields.get("amount"), fields.get("quantity"), fields.get("due")
    return Event(
        source=fields["source"],
        id=fields["id"],
        part=fields["part"],
        type=fields["type"],
        subject=fields["subject"],
        at=moment(fields["at"]),
        received_at=moment(fields["received"]),
        severity=Severity(fields["severity"]),
        resolved="resolved" in fields,
        amount=None if amount is None else Money(Decimal(amount[0]), amount[1]),
        quantity=None if quantity is None else Decimal(quantity),
        due_on=None if due is None else date.fromisoformat(due),
        data=MappingProxyType(fields.get("data", {})),
        tags=MappingProxyType(fields.get("tags", {})),
        **{word: fields[word] for word in _WORDS if word in fields},
    )


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


def _marks_text(alert: Alert) -> str:
    marks = {name: mark for name in _MARKS if (mark := getattr(alert, name)) is not None}
    if not marks:
        return ""
    written = {name: [mark.user_id, mark.name, milliseconds(mark.at)] for name, mark in marks.items()}
    return orjson.dumps(written).decode()


def _marks_of(text: str) -> dict[str, Any]:
    if not text:
        return {}
    return {name: UserStamp(user_id, person, moment(at)) for name, (user_id, person, at) in orjson.loads(text).items()}


def _ms(value: datetime | None) -> int | None:
    return None if value is None else milliseconds(value)


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else moment(ms)
