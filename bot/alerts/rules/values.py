"""The syntax of values in alert rules. Each reader raises `ValueError` with the reason and an example."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.alerts.event import CUSTOM, EventType
from bot.outbox.delivery import DingWay
from bot.outbox.place import Place, PlaceKind
from bot.rulefiles.errors import did_you_mean
from bot.rulefiles.values import read_duration, read_some, read_text, read_texts
from bot.words.phrase import phrase
from bot.words.severity import Severity

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DAYS = {"mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 7}


def read_days(value: object) -> int:
    """Return a number of days."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 10_000:
        raise ValueError(phrase("a number of days is expected, an example is 7"))
    return value


def read_patterns(value: object) -> tuple[str, ...]:
    """Return a list of at least one word; a trailing ``*`` in a word matches anything."""
    found = read_some(value)
    for word in found:
        if "*" in word[:-1]:
            raise ValueError(phrase('%(word)s: a * stands at the end only, an example is "stock.*"', word=f"{word!r}"))
    return found


def read_types(value: object) -> tuple[str, ...]:
    """Return event types; each word must match at least one existing type."""
    found = read_patterns(value)
    known = [event.value for event in EventType]
    for word in found:
        beginning = word.removesuffix("*")
        exists = word in known or word.startswith(CUSTOM)
        if not exists and not (word.endswith("*") and any(name.startswith(beginning) for name in [*known, CUSTOM])):
            raise ValueError(
                phrase("no event has the type %(word)s; %(hint)s", word=f"{word!r}", hint=did_you_mean(word, known))
            )
    return found


def read_severity(value: object) -> Severity:
    known = [severity.value for severity in Severity]
    if value not in known:
        raise ValueError(
            phrase("no severity %(value)s; there are: %(known)s", value=f"{value!r:.40}", known=tuple(known))
        )
    return Severity(str(value))


def read_ding(value: object) -> DingWay:
    """Return the way people are called."""
    known = [way.value for way in DingWay]
    if value not in known:
        raise ValueError(
            phrase("%(value)s; %(hint)s", value=f"{value!r:.40}", hint=did_you_mean(str(value)[:40], known))
        )
    return DingWay(str(value))


def read_severities(value: object) -> tuple[str, ...]:
    return tuple(read_severity(word).value for word in read_some(value))


def read_repeat(value: object) -> timedelta | None:
    """Return the interval until a card is shown again; ``"never"`` overrides the outer route."""
    if value == "never":
        return None
    found = read_duration(value)
    if found < timedelta(minutes=5):
        raise ValueError(phrase('shorter than five minutes nobody reads it; examples are "1d", "never"'))
    return found


def read_time(value: object) -> time:
    """Return a time of day, in minutes."""
    if isinstance(value, time):
        return value.replace(second=0, microsecond=0)
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(phrase('a time of day is expected, an example is "08:30"'))
    return time(int(match[1]), int(match[2]))


def read_times(value: object) -> tuple[time, ...]:
    """Return times of day, ascending; an empty list overrides the outer route."""
    if not isinstance(value, list):
        raise ValueError(phrase('a list of times of day is expected, an example is ["08:30", "17:00"]'))
    return tuple(sorted({read_time(item) for item in value}))


def read_zone(value: object) -> tzinfo:
    """Return a time zone."""
    try:
        return ZoneInfo(read_text(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder
        raise ValueError(
            phrase('unknown time zone %(value)s, an example is "Asia/Shanghai"', value=f"{value!r:.40}")
        ) from None


def read_weekdays(value: object) -> tuple[frozenset[int], bool | None]:
    """Return the weekdays that count, and whether only working days (or only other days) do."""
    named = {"workdays": True, "restdays": False}
    if isinstance(value, str) and value in named:
        return frozenset(_DAYS.values()), named[value]
    if value == "weekdays":
        return frozenset(range(1, 6)), None
    words = read_texts(value)
    if not words or not set(words) <= set(_DAYS):
        raise ValueError(phrase('days are "workdays", "restdays", "weekdays" or a list such as ["mon", "sat"]'))
    return frozenset(_DAYS[word] for word in words), None


def read_place(value: object) -> Place:
    """Return a group or a person."""
    text = read_text(value)
    try:
        place = Place.parse(text)
        if place.kind is PlaceKind.RECEIVER:
            raise ValueError("programs get events, no cards")
        return place
    except ValueError:
        raise ValueError(
            phrase(
                '%(text)s is no place, examples are "group:cidKp3Lr==", "person:manager01", "role:finance", "owner"',
                text=f"{text[:40]!r}",
            )
        ) from None


def read_places(value: object) -> tuple[Place, ...]:
    """Return places; a single place needs no list."""
    return tuple(map(read_place, read_texts(value)))


def read_names(known: tuple[str, ...]) -> Callable[[object], tuple[str, ...]]:
    """Return the reader of lists of ``known`` names."""

    def read(value: object) -> tuple[str, ...]:
        for name in read_texts(value):
            if name not in known:
                raise ValueError(
                    phrase(
                        "%(name)s is no variable for this; %(hint)s", name=f"{name!r}", hint=did_you_mean(name, known)
                    )
                )
        return read_texts(value)

    return read
