"""Reads single values of databases and JSON exactly: no number goes through a float, no time stays without a zone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from decimal import Context, Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from bot.erp.mapped.sources import EPOCH, EPOCH_MS, FieldSource
from bot.erp.model import Progress

E = TypeVar("E", bound=StrEnum)

_EXACT = Context(prec=100)
_MOST_DIGITS = 40
"""No company has larger quantities or amounts."""
_FLOAT_DIGITS = 15
"""Digits that every binary float keeps."""
_START = datetime(1970, 1, 1, tzinfo=UTC)

_TRUE = {"true", "t", "yes", "y", "1", "x", "是"}
_FALSE = {"false", "f", "no", "n", "0", "", "否"}


class ValueUnreadable(ValueError):
    """A value is not of its field's kind; the text says why, without the value."""


def text(raw: Any) -> str:
    """Return a value as text, an empty one for None."""
    match raw:
        case None:
            return ""
        case str():
            return raw
        case bool():
            return "true" if raw else "false"
        case Decimal():
            return format(raw, "f")
        case bytes() | bytearray() | memoryview():
            return bytes(raw).decode("utf-8", errors="replace")
        case int() | float():
            return str(raw)
        case date():
            return raw.isoformat()
        case list() | tuple() | dict():
            raise ValueUnreadable("is a list or an object, not a text")
        case _:
            return str(raw)


def key(raw: Any) -> str:
    """Return a code or number, without the blanks around it."""
    return text(raw).strip()


def number(raw: Any, factor: Decimal | None = None) -> Decimal:
    """Return a number with all its digits."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal | str | bytes):
        raise ValueUnreadable("is no number")
    try:
        value = raw if isinstance(raw, Decimal) else Decimal(text(raw).strip())
    except InvalidOperation:
        raise ValueUnreadable("is no number") from None
    if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS:
        raise ValueUnreadable("is no possible number")
    return value if factor is None else _EXACT.multiply(value, factor)


def loses_digits(raw: Any) -> bool:
    """Whether a value is a float with more digits than every float keeps."""
    return isinstance(raw, float) and len(Decimal(str(raw)).normalize().as_tuple().digits) > _FLOAT_DIGITS


def count(raw: Any) -> int:
    """Return a whole number from 0 to 99, such as a level of approval."""
    value = number(raw)
    if value != int(value) or not 0 <= value < 100:
        raise ValueUnreadable("is no small whole number")
    return int(value)


def moment(raw: Any, origin: FieldSource, zone: ZoneInfo) -> datetime:
    """Return a time; without a zone it is in ``origin``'s, else in the source's."""
    zone = ZoneInfo(origin.zone) if origin.zone else zone
    try:
        found = _moment(raw, origin.format)
    except (ValueError, OverflowError, InvalidOperation):
        raise ValueUnreadable("is no time" + (f" written as {origin.format}" if origin.format else "")) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def day(raw: Any, origin: FieldSource, zone: ZoneInfo) -> date:
    """Return a date; of a time with a zone, its date in the source's zone."""
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    found = moment(raw, origin, zone)
    return found.astimezone(ZoneInfo(origin.zone) if origin.zone else zone).date()


def _moment(raw: Any, form: str) -> datetime:
    if isinstance(raw, datetime):
        return raw
    if isinstance(raw, date):
        return datetime.combine(raw, clock_time())
    if form in (EPOCH, EPOCH_MS):
        seconds = number(raw) if form == EPOCH else number(raw) / 1000
        return _START + timedelta(microseconds=int(seconds * 1_000_000))
    if form:
        return datetime.strptime(key(raw), form)  # noqa: DTZ007  # the zone is added by `moment`
    if not isinstance(raw, str):
        raise ValueError("a number needs a format")
    return datetime.fromisoformat(raw.strip())


def flag(raw: Any) -> bool:
    """Return yes or no, in any of the usual spellings."""
    spelling = key(raw).casefold()
    if spelling in _TRUE:
        return True
    if spelling in _FALSE:
        return False
    raise ValueUnreadable("is neither yes nor no")


def names(raw: Any, split: str) -> tuple[str, ...]:
    """Return the names of a list, a JSON list in a text, or a text with ``split`` between them."""
    if isinstance(raw, str) and raw.lstrip().startswith("["):
        try:
            raw = json.loads(raw)
        except ValueError:
            raise ValueUnreadable("is no list of names") from None
    parts: Iterable[Any] = raw if isinstance(raw, list | tuple) else text(raw).split(split)
    return tuple(name for part in parts if (name := key(part)))


def word(kind: type[E], raw: Any) -> E:
    """Return a word of the domain."""
    theirs = key(raw)
    try:
        return kind(theirs)
    except ValueError:
        # The word itself is no secret, and needed to mend the configuration.
        raise ValueUnreadable(f"has the unknown word {theirs[:40]!r}") from None


def progress(raw: Any, full: Decimal | None) -> Progress:
    """Return how much is done: a word of the domain, or a number with ``full`` meaning all."""
    theirs = key(raw)
    if full is None or theirs in set(Progress):
        return word(Progress, theirs)
    value = number(raw)
    if value <= 0:
        return Progress.NONE
    return Progress.FULL if value >= full else Progress.PARTIAL
