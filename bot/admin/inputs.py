"""What the commands are given: files, times, places. What is wrong with it is one clear line."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from bot.alerts.intake.json_codec import decode_json
from bot.alerts.intake.port import InvalidJson
from bot.errors import ConfigurationError
from bot.outbox.place import Place
from bot.rulefiles.values import read_duration, read_moment


def read_content(path: Path) -> bytes:
    """Return what a file holds. Raises `ConfigurationError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None


def read_events(body: bytes, name: str) -> list[object]:
    """Return the one or several events of a JSON text, with exact numbers. Raises `ConfigurationError`."""
    try:
        handed = decode_json(body)
    except InvalidJson as error:
        raise ConfigurationError(f"{name}: {error}") from None
    return handed if isinstance(handed, list) else [handed]


def read_at(text: str, zone: tzinfo) -> datetime:
    """Return a time of ``zone`` if it names none, empty: now. Raises `ConfigurationError`."""
    if not text:
        return datetime.now(zone)
    try:
        return read_moment(zone)(text).astimezone(zone)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no time, an example is 2026-10-01T08:30") from None


def read_since(text: str, now: datetime) -> datetime:
    """Return the time that is ``7d``, ``12h`` or ``30m`` ago, or that is written out. Raises `ConfigurationError`."""
    with suppress(ValueError):
        return now - read_duration(text)
    try:
        return read_moment(now.tzinfo)(text).astimezone(now.tzinfo)  # type: ignore[arg-type]  # the clock gives aware times
    except ValueError:
        raise ConfigurationError(f"{text!r} is no time, examples are 7d, 12h and 2026-10-01T08:30") from None


def read_span(text: str) -> timedelta:
    """Return how long ``7d``, ``12h`` or ``30m`` is, ``0`` for nothing. Raises `ConfigurationError`."""
    try:
        return timedelta(0) if text == "0" else read_duration(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no span, examples are 7d, 12h and 0") from None


def read_place(text: str) -> Place | None:
    """Return a place, None for no text. Raises `ConfigurationError`."""
    try:
        return Place.parse(text) if text else None
    except ValueError:
        raise ConfigurationError(f"{text!r} is no place, examples are group:cid… and person:manager01") from None
