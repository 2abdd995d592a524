"""Distorts what comes over the wire: values of other types, keys that are gone, text that is cut off or no text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

_JUNK: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    10**40,
    1.5e300,
    "",
    " ",
    "\0",
    "\ud83d",
    "null",
    "{oops",
    "{{ 7*7 }}",
    "'; DROP TABLE event; --",
    "../../etc/passwd",
    "<b>[x](https://evil.example)</b>",
    "\u202e\u200b\ufeff",
    "x" * 5_000,
    [],
    {},
    [[[[]]]],
    [None, 1, {"x": []}],
    {"": {"": None}},
    {"__proto__": {"isAdmin": True}},
)
_FEW = (0, 0, 0, 1, 1, 2, 3, 5)
"""How many parts are distorted: often none, so that what comes behind the checks is reached as well."""
_BROKEN_BYTES = 0.08
"""How many of the texts are damaged as text, too."""


class Distorter:
    """Distorts values at random; the same seed distorts in the same way."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def bend(self, value: Any) -> Any:
        """Return a copy of a JSON value with some of its parts distorted."""
        bent = deepcopy(value)
        for _ in range(self._random.choice(_FEW)):
            places = list(_places(bent))
            if places:
                holder, key = self._random.choice(places)
                self._random.choice(_WAYS)(self._random, holder, key)
        return bent

    def write(self, value: Any) -> str:
        """Return a value as JSON, which is damaged now and then."""
        text = json.dumps(value)
        if self._random.random() >= _BROKEN_BYTES:
            return text
        at = self._random.randrange(len(text) + 1)
        return self._random.choice(
            (text[:at], text[at:], text[:at] + chr(self._random.randrange(0xD800)) + text[at:], text * 2, "[" * 2_000)
        )


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def _replace(random: Random, holder: Any, key: Any) -> None:
    holder[key] = deepcopy(random.choice(_JUNK))


def _remove(random: Random, holder: Any, key: Any) -> None:
    del holder[key]


def _wrap(random: Random, holder: Any, key: Any) -> None:
    holder[key] = random.choice(([holder[key]], {"value": holder[key]}, json.dumps(holder[key])))


def _swap(random: Random, holder: Any, key: Any) -> None:
    other = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key], holder[other] = holder[other], holder[key]


def _respell(random: Random, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[random.choice((key.upper(), key.lower(), f" {key}", key[::-1]))] = holder.pop(key)


def _lengthen(random: Random, holder: Any, key: Any) -> None:
    if isinstance(holder[key], str):
        holder[key] += random.choice(("\0", "\r\n", "%00", "|", "​" * 40, "0" * 300))


_WAYS: tuple[Callable[[Random, Any, Any], None], ...] = (_replace, _replace, _remove, _wrap, _swap, _respell, _lengthen)
