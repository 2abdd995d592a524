"""Reads the arguments of commands: files, times, places. An error is one clear line."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from bot.alerts.intake.json_codec import decode_json
from bot.alerts.intake.port import InvalidJson
from bot.outbox.place import Place
from bot.rulefiles.values import read_duration, read_moment
from bot.words.errors import ConfigurationError

Choice = TypeVar("Choice", bound=StrEnum)


def read_choice(kind: type[Choice], noun: str, text: str) -> Choice | None:
    """Return the chosen member, None for an empty text. Raises `ConfigurationError`."""
    if text and text not in tuple(kind):
        raise ConfigurationError(f"no {noun} {text!r}; there are: {', '.join(kind)}")
    return kind(text) if text else None


def read_content(path: Path) -> bytes:
    """Return the content of a file. Raises `ConfigurationError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None


def read_events(body: bytes, name: str) -> list[object]:
    """Return the events of a JSON text (one, or a list), with exact numbers. Raises `ConfigurationError`."""
    try:
        decoded = decode_json(body)
    except InvalidJson as error:
        raise ConfigurationError(f"{name}: {error}") from None
    return decoded if isinstance(decoded, list) else [decoded]


def read_at(text: str, zone: tzinfo) -> datetime:
    """Return a time, in ``zone`` by default; an empty text means now. Raises `ConfigurationError`."""
    if not text:
        return datetime.now(zone)
    try:
        return read_moment(zone)(text).astimezone(zone)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no time, an example is 2026-10-01T08:30") from None


def read_since(text: str, now: datetime) -> datetime:
    """Return the time ``7d``, ``12h`` or ``30m`` ago, or a given time. Raises `ConfigurationError`."""
    with suppress(ValueError):
        return now - read_duration(text)
    try:
        return read_moment(now.tzinfo)(text).astimezone(now.tzinfo)  # type: ignore[arg-type]  # the clock gives aware times
    except ValueError:
        raise ConfigurationError(f"{text!r} is no time, examples are 7d, 12h and 2026-10-01T08:30") from None


def read_span(text: str) -> timedelta:
    """Return a duration such as ``7d``, ``12h``, ``30m`` or ``0``. Raises `ConfigurationError`."""
    try:
        return timedelta(0) if text == "0" else read_duration(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no span, examples are 7d, 12h and 0") from None


def read_place(text: str) -> Place | None:
    """Return a place, None for an empty text. Raises `ConfigurationError`."""
    try:
        return Place.parse(text) if text else None
    except ValueError:
        raise ConfigurationError(f"{text!r} is no place, examples are group:cid… and person:manager01") from None
