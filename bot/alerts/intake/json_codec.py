"""JSON of events: numbers stay exact, NaN and Infinity are refused.

A JSON number with a fraction becomes a `Decimal`, never a float: 0.1 must come out as 0.1. Webhooks, queues and
``dingerp send`` use the same functions, so an event means the same however it came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from bot.alerts.intake.port import InvalidJson

_SAFE_DIGITS = 18
"""Whole numbers of up to this many digits fit 64 bits; longer ones become decimals (and cost no long division)."""


def decode_json(body: bytes | str) -> object:
    """Return a JSON text as Python objects. Raises `InvalidJson`, without any of the text."""
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
        return _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise InvalidJson(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise InvalidJson(f"no JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise InvalidJson("nested too deeply") from None
    except (ValueError, ArithmeticError) as error:
        # NaN and Infinity, or a number beyond any decimal.
        raise InvalidJson(f"no JSON: {error}" if type(error) is ValueError else "a number is out of range") from None


def encode_json(value: object) -> str:
    """Return the JSON text of anything that `decode_json` or another way in produced."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        # Lone surrogates, numbers beyond 64 bits, or nesting too deep for orjson: kept, but escaped.
        return _escaped(value)


def _escaped(value: object) -> str:
    try:
        return json.dumps(value, default=_textual, skipkeys=True)
    except (ValueError, RecursionError):
        return json.dumps("not to be written as JSON: nested too deeply")


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _SAFE_DIGITS else Decimal(digits)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_int=_whole, parse_constant=_refuse)
"""Built once: `json.loads` builds a new one for each text, which takes as long as a small event."""


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value)) if value.is_finite() else str(value)
    return dict(value) if isinstance(value, Mapping) else str(value)


def _textual(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
