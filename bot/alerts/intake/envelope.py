"""The envelope of an event: CloudEvents 1.0 in JSON, checked attribute by attribute.

Ids, subjects and codes are accepted unchanged or refused, never repaired: another text would name something else. Texts
for people lose control characters and invisible marks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.alerts.event import CUSTOM
from bot.alerts.intake.schemas import MAX_CODE, SCHEMAS
from bot.erp import text_repair
from bot.words.severity import Severity

AHEAD = timedelta(minutes=5)
"""The possible clock difference: an event from further in the future is wrong."""
BEHIND = timedelta(days=366)
"""Queues and outages delay by days; an event older than a year has a default date or is a test."""

MAX_ORIGIN = 400
MAX_DEPTH = 16

_CUSTOM_TYPE = re.compile(r"custom(\.[a-z0-9_-]+)+", re.ASCII)
_MAX_TYPE = 100
_JSON_TYPE = re.compile(r"application/(.*\+)?json( *;.*)?", re.IGNORECASE)


class InvalidEvent(Exception):
    """A missing or wrong attribute; the message gives attribute and reason, without its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEnvelope:
    """The attributes in use, and the data without unprintable characters."""

    id: str
    origin: str
    type: str
    subject: str
    severity: Severity | None
    at: datetime
    data: Mapping[str, object]
    standing: bool = False
    """It already held before anybody checked, according to its sender."""


def parse_envelope(event: Mapping[str, object], received_at: datetime) -> EventEnvelope:
    """Return the attributes of a CloudEvent. Raises `InvalidEvent`."""
    if event.get("specversion") != "1.0":
        raise InvalidEvent("specversion must be 1.0")
    return EventEnvelope(
        id=name_of(event, "id", MAX_CODE),
        origin=name_of(event, "source", MAX_ORIGIN),
        type=_type(event),
        subject=name_of(event, "subject", MAX_CODE, required=False),
        severity=_severity(event),
        at=_time(event, received_at),
        data=_data(event),
        standing=event.get("standing") is True,
    )


def name_of(event: Mapping[str, object], attribute: str, limit: int, *, required: bool = True) -> str:
    """Return an identifying attribute. Raises `InvalidEvent`."""
    value = event.get(attribute)
    if value is None or value == "":
        if required:
            raise InvalidEvent(f"{attribute} is missing")
        return ""
    if not isinstance(value, str):
        raise InvalidEvent(f"{attribute} must be text")
    if len(value) > limit:
        raise InvalidEvent(f"{attribute} is longer than {limit} characters")
    if text_repair.lone_surrogate(value) or text_repair.without_controls(value) != value or not value.strip():
        raise InvalidEvent(f"{attribute} holds control or invisible characters")
    return value


def content_id(raw: str) -> str:
    """Return an id for an event without a usable one, derived from its content."""
    return f"sha256:{hashlib.sha256(raw.encode()).hexdigest()[:40]}"


def cleaned(value: object, depth: int = 0) -> object:
    """Return decoded JSON without control characters and invisible marks in its texts. Raises `InvalidEvent`."""
    if isinstance(value, str):
        if text_repair.lone_surrogate(value):
            raise InvalidEvent("a text holds half a character")
        return text_repair.without_controls(value)
    if depth > MAX_DEPTH:
        raise InvalidEvent(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        return {str(cleaned(str(name))): cleaned(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(item, depth + 1) for item in value]
    return value


def _type(event: Mapping[str, object]) -> str:
    name = name_of(event, "type", _MAX_TYPE)
    if name in SCHEMAS or _CUSTOM_TYPE.fullmatch(name):
        return name
    if name.startswith(CUSTOM):
        raise InvalidEvent("type must be custom. and then small letters, digits, dots, _ and -")
    raise InvalidEvent("type is not known here")


def _severity(event: Mapping[str, object]) -> Severity | None:
    value = event.get("severity")
    if value is None or value == "":
        return None
    try:
        return Severity(value)  # type: ignore[arg-type]  # anything else than one of the texts is refused
    except ValueError:
        raise InvalidEvent("severity must be info, warning or critical") from None


def _time(event: Mapping[str, object], received_at: datetime) -> datetime:
    value = event.get("time")
    if value is None or value == "":
        return received_at
    at = _parsed_time(value)
    if at > received_at + AHEAD:
        raise InvalidEvent("time is in the future")
    if at < received_at - BEHIND:
        raise InvalidEvent(f"time is more than {BEHIND.days} days ago")
    return at.astimezone(UTC)


def _parsed_time(value: object) -> datetime:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)  # type: ignore[arg-type]  # below
    except (TypeError, ValueError):
        raise InvalidEvent("time must be such as 2026-11-24T08:00:00+08:00") from None
    if at.tzinfo is None:
        raise InvalidEvent("time needs an offset, such as Z or +08:00")
    return at


def _is_json(content_type: object) -> bool:
    if content_type is None or content_type == "":
        return True
    return isinstance(content_type, str) and _JSON_TYPE.fullmatch(content_type) is not None


def _data(event: Mapping[str, object]) -> Mapping[str, object]:
    if "data_base64" in event or not _is_json(event.get("datacontenttype")):
        raise InvalidEvent("data must be JSON")
    data = event.get("data")
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise InvalidEvent("data must be an object")
    found = cleaned(data)
    assert isinstance(found, dict)
    return found
