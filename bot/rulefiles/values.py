"""The syntax of values in any rules. Each reader raises `ValueError` with the reason and an example."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bot.words.phrase import phrase

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"(\d{1,4})([mhd])")
_LONGEST = timedelta(days=366)


def read_text(value: object) -> str:
    """Return a non-empty text."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(phrase('a text is expected, an example is "finance"'))
    return value.strip()


def read_name(example: str) -> Callable[[object], str]:
    """Return the reader of a rule's name, which reasons use."""

    def read(value: object) -> str:
        name = read_text(value)
        if len(name) > 60 or not name.isprintable():
            raise ValueError(
                phrase('a name has up to 60 characters on one line, an example is "%(example)s"', example=example)
            )
        return name

    return read


def read_flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise ValueError(phrase("true or false is expected, without quotes"))
    return value


def read_texts(value: object) -> tuple[str, ...]:
    """Return a list of texts; a single text is a list of one."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError(phrase('a list of texts is expected, an example is ["W1", "W2"]'))
    return tuple(dict.fromkeys(text.strip() for text in texts))


def read_some(value: object) -> tuple[str, ...]:
    """Return a list of texts; an empty one, which would never match, is refused."""
    found = read_texts(value)
    if not found:
        raise ValueError(phrase("the list is empty, so that nothing would fit; leave the key out for any"))
    return found


def read_whole_names(example: str) -> Callable[[object], frozenset[str]]:
    """Return the reader of names that are compared as a whole."""

    def read(value: object) -> frozenset[str]:
        names = read_some(value)
        if any("*" in name for name in names):
            raise ValueError(phrase("names are written out, without *, an example is %(example)s", example=example))
        return frozenset(names)

    return read


def read_duration(value: object) -> timedelta:
    """Return a duration in minutes, hours or days."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(phrase('a duration is expected, examples are "30m", "2h", "1d"'))
    found = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if found > _LONGEST:
        raise ValueError(phrase('longer than a year; an example is "30d"'))
    return found


def written_duration(duration: timedelta) -> str:
    """Return a duration in the syntax of `read_duration`, in the largest exact unit."""
    minutes = int(duration.total_seconds()) // 60
    for size, letter in ((1440, "d"), (60, "h")):
        if minutes and minutes % size == 0:
            return f"{minutes // size}{letter}"
    return f"{minutes}m"


def read_moment(zone: tzinfo) -> Callable[[object], datetime]:
    """Return the reader of times, in ``zone`` by default, as UTC; a bare date means its beginning."""

    def read(value: object) -> datetime:
        if isinstance(value, str):
            with suppress(ValueError):
                value = datetime.fromisoformat(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time(0))
        if not isinstance(value, datetime):
            raise ValueError(phrase("a date and time is expected, an example is 2026-10-01T08:00:00"))
        if not 1970 < value.year < 9000:
            raise ValueError(
                phrase("the year %(year)s is out of reach, an example is 2026-10-01T08:00:00", year=str(value.year))
            )
        return (value if value.tzinfo is not None else value.replace(tzinfo=zone)).astimezone(UTC)

    return read
