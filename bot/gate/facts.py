"""The facts of a request in their one canonical form, whose hash the verdict is bound to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.words.phrase import phrase

MOST_DEPTH = 8
_LARGEST = 2**53 - 1


@dataclass(frozen=True, slots=True)
class GateFact:
    """One fact as people read it: the path to its value, and the value as text."""

    name: str
    value: str


def canonical(facts: Mapping[str, object]) -> str:
    """Return facts as canonical JSON (RFC 8785): names in order, no blanks. Raises `ValueError`.

    Amounts are texts: a number with a point is not the same in every language, and so is refused.
    """
    _check(facts, 0)
    return _write(facts)


def digest_of(text: str) -> str:
    """Return the SHA-256 of a text in hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def flat(text: str) -> tuple[GateFact, ...]:
    """Return the facts of a canonical text for people."""
    return tuple(_flatten("", json.loads(text)))


def _check(value: object, depth: int) -> None:
    if depth > MOST_DEPTH:
        raise ValueError(phrase("more than %(most)s levels", most=MOST_DEPTH))
    match value:
        case float():
            raise ValueError(phrase("a number with a point; write it as text"))
        case bool() | None:
            return
        case int() if abs(value) > _LARGEST:
            raise ValueError(phrase("a number beyond 2^53; write it as text"))
        case str():
            value.encode()  # a lone surrogate is no text, which is a ValueError
        case Mapping():
            for name, each in value.items():
                _check(name, depth)
                _check(each, depth + 1)
        case list():
            for each in value:
                _check(each, depth + 1)


def _write(value: object) -> str:
    if isinstance(value, Mapping):
        # RFC 8785 orders names by their UTF-16 code units.
        ordered = sorted(value.items(), key=lambda item: str(item[0]).encode("utf-16-be"))
        return "{" + ",".join(f"{_write(name)}:{_write(each)}" for name, each in ordered) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _flatten(name: str, value: object) -> Iterator[GateFact]:
    if isinstance(value, Mapping) and value:
        for each, inner in value.items():
            yield from _flatten(f"{name}.{each}" if name else str(each), inner)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value, 1):
            yield from _flatten(f"{name}[{number}]", inner)
    else:
        # An empty text would be no line on a card.
        yield GateFact(name, value if isinstance(value, str) and value.strip() else _write(value))
