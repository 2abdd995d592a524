"""Times in the form of the tables: whole milliseconds or microseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import overload

_MILLISECOND = timedelta(milliseconds=1)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@overload
def to_ms(moment: datetime) -> int: ...
@overload
def to_ms(moment: None) -> None: ...
@overload
def to_ms(moment: datetime | None) -> int | None: ...
def to_ms(moment: datetime | None) -> int | None:
    """Return a time in milliseconds, rounded down."""
    return None if moment is None else (moment - _EPOCH) // _MILLISECOND


def to_ms_up(moment: datetime) -> int:
    """Return a time in milliseconds, rounded up: nothing may seem due before its time."""
    return -((_EPOCH - moment) // _MILLISECOND)


@overload
def from_ms(ms: int) -> datetime: ...
@overload
def from_ms(ms: None) -> None: ...
@overload
def from_ms(ms: int | None) -> datetime | None: ...
def from_ms(ms: int | None) -> datetime | None:
    """Return the UTC time of a number of milliseconds."""
    return None if ms is None else _EPOCH + ms * _MILLISECOND


def to_us(moment: datetime) -> int:
    """Return a time in microseconds, without loss."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """Return the UTC time of a number of microseconds."""
    return _EPOCH + us * _MICROSECOND


def duration_to_ms(duration: timedelta) -> int:
    """Return a duration in milliseconds, rounded down."""
    return duration // _MILLISECOND


def duration_from_ms(ms: int) -> timedelta:
    """Return the duration of a number of milliseconds."""
    return ms * _MILLISECOND


def duration_to_us(duration: timedelta) -> int:
    """Return a duration in microseconds, without loss."""
    return duration // _MICROSECOND


def duration_from_us(us: int) -> timedelta:
    """Return the duration of a number of microseconds."""
    return us * _MICROSECOND
