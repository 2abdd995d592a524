"""Shared by translators: from a vendor's document to a CloudEvent whose id derives from the document's state.

The same state of the same document always yields the same id, so a vendor's repeats are one event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation

from bot.alerts.intake.json_codec import encode_json
from bot.alerts.intake.port import UnreadableEvent

_MAGNITUDE = 30
"""Powers of ten of the largest and the smallest number: sums beyond them fail, or fill the memory with digits."""

Document = Mapping[str, object]
CloudEvents = Sequence[Mapping[str, object] | UnreadableEvent]
EventDescription = tuple[str, str, Document]
"""Type, subject and data of an event."""


@dataclass(frozen=True, slots=True)
class TranslationContext:
    """Context from the settings that the body lacks."""

    now: datetime
    """Aware, in the company's zone."""
    currency: str = ""
    """The currency of amounts without one."""

    @property
    def today(self) -> date:
        """Return the company's date."""
        return self.now.date()

    def moment(self, value: object, zone: tzinfo | None = None) -> datetime | None:
        """Return a vendor's time; one without an offset is in ``zone``, by default the company's."""
        try:
            at = datetime.fromisoformat(text(value))
        except ValueError:
            return None
        return at if at.tzinfo is not None else at.replace(tzinfo=zone or self.now.tzinfo)


Translate = Callable[[object, TranslationContext], CloudEvents]
"""Returns the events of a decoded body, and an `UnreadableEvent` for what cannot be understood."""


def cloud_event(
    vendor: str, event_type: str, subject: str, data: Mapping[str, object], *, state: object, at: datetime | None
) -> Mapping[str, object]:
    """Return a CloudEvent; ``state`` distinguishes this state of the document from its others."""
    found = {name: value for name, value in data.items() if value not in (None, "", {}, [], False)}
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": _id(event_type, subject, state),
        "source": vendor,
        "type": event_type,
        "subject": subject,
        "data": found,
    }
    return event if at is None else {**event, "time": at.astimezone(UTC).isoformat()}


def _id(event_type: str, subject: str, state: object) -> str:
    readable = f"{event_type}:{subject}:{state}"
    if isinstance(state, str) and state and len(readable) <= 200:
        return readable
    return f"{event_type}:{hashlib.sha256(f'{subject}:{encode_json(state)}'.encode()).hexdigest()[:40]}"


def text(value: object) -> str:
    """Return a field as text; False is Odoo's empty value."""
    return "" if value is None or isinstance(value, bool | Mapping | list) else str(value).strip()


def number(value: object) -> Decimal | None:
    """Return a field as a number; None if it is none, or beyond what a company counts. Zero has no sign."""
    try:
        found = Decimal(text(value))
    except InvalidOperation:
        return None
    if not found.is_finite() or abs(found.adjusted()) > _MAGNITUDE:
        return None
    return found or abs(found)


def day(value: object) -> date | None:
    """Return the date at the start of a field."""
    try:
        return date.fromisoformat(text(value)[:10])
    except ValueError:
        return None


def day_of_seconds(value: object, context: TranslationContext) -> date | None:
    """Return the company's date of a Dolibarr time in seconds since 1970; 0 means no date."""
    seconds = number(value)
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(int(seconds), context.now.tzinfo).date()
    except (ValueError, OverflowError, OSError):
        return None


def money(value: object, currency: str) -> Mapping[str, object]:
    """Return the fields of an amount and its currency; no fields without a currency."""
    found = number(value)
    return {} if found is None or not currency else {"amount": str(found), "currency": currency}


def is_late(due_on: date | None, context: TranslationContext) -> bool:
    """Return whether a due date has passed."""
    return due_on is not None and due_on < context.today


def stock_type(available: Decimal) -> str:
    """Return the stock event type for a quantity."""
    return "stock.out" if available <= 0 else "stock.low"
