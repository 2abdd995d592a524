"""Tolerant readers of client data: wrong types, missing keys and broken text yield a default, not an error."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import orjson

from bot.dingtalk.errors import BadPayload

_EMPTY: Mapping[str, Any] = MappingProxyType({})

_BLANKS = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
    # Invisible: soft hyphen, zero-width and directional marks, byte order mark.
    "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064"
    "\u2066\u2067\u2068\u2069\ufeff"
)


def decoded(data: object) -> object:
    """Return ``data``, decoded if it is JSON text; None if that is invalid."""
    if not isinstance(data, (str, bytes)):
        return data
    try:
        return orjson.loads(data)
    except ValueError:
        pass
    try:
        # orjson refuses half a surrogate pair, which clients produce by cutting an emoji in two.
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def whole_object(data: object, what: str) -> Mapping[str, Any]:
    """Return the JSON object in a frame; raises `BadPayload` for anything else."""
    content = decoded(data)
    if not isinstance(content, dict):
        raise BadPayload(f"{what} is not a JSON object but {type(content).__name__}")
    return content


def part(value: object) -> Mapping[str, Any]:
    """Return a nested object, which may come as JSON text; empty if missing."""
    if value is None or type(value) is dict:
        return value or _EMPTY
    content = decoded(value)
    return content if isinstance(content, dict) else _EMPTY


def items(value: object) -> list[Any]:
    """Return a nested list, which may come as JSON text; empty if missing."""
    content = value if type(value) is list else decoded(value)
    return content if isinstance(content, list) else []


def text(value: object) -> str:
    """Return a string or number as text that every encoder accepts; anything else is empty."""
    if value is None or (type(value) is str and value.isascii()):
        return value or ""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "replace").decode()
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return str(value)
        except ValueError:  # an integer beyond Python's digit limit
            return ""
    return ""


def flag(value: object) -> bool:
    """Return a boolean, which may come as text."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def moment(value: object) -> datetime | None:
    """Return milliseconds since 1970, as a number or digits, as a time; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        milliseconds = float(value) if isinstance(value, (int, float, str)) else math.nan
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def trimmed(value: str) -> str:
    """Return ``value`` without blanks at its ends, including invisible ones."""
    return value.strip(_BLANKS)
