"""Decisions made up for tests: who decided when, and how long that took."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

from bot.efficiency.waits import DecisionWait

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOVEMBER = datetime(2026, 11, 2, 10, tzinfo=SHANGHAI)


def decided(person: str, hours: float = 1, **fields: Any) -> DecisionWait:
    values: dict[str, Any] = {
        "case": "c",
        "person": person,
        "at": NOVEMBER,
        "waited": timedelta(hours=hours),
        "worked": timedelta(hours=hours / 2),
        "level": 1,
        "rule": "default",
        "currency": "CNY",
        "size": 1,
        "way": "card",
        "in_time": None,
        "approved": True,
        "changed": False,
        "kind": "po",
    }
    return DecisionWait(**values | fields)


def crowd(count: int, name: str = "p", **fields: Any) -> list[DecisionWait]:
    """Return a decision of each of several people."""
    return [decided(f"{name}{number}", number + 1, **fields) for number in range(count)]


def attack(parts: Sequence[Sequence[DecisionWait]], reader: str) -> set[str]:
    """Return up to four people of whom alone figures of some parts tell, added and subtracted in any way.

    Such a sum is nothing outside their decisions: without these, fewer figures are independent of each other.
    """
    figures_of: dict[int, list[int]] = {}
    of_person: dict[str, list[int]] = {}
    for number, part in enumerate(parts):
        for wait in part:
            if id(wait) not in figures_of:
                figures_of[id(wait)] = [0] * len(parts)
                of_person.setdefault(wait.person, []).append(id(wait))
            figures_of[id(wait)][number] = 1
    whole = _rank(figures_of.values())
    others = sorted(of_person.keys() - {"", reader})
    for few in combinations(others, min(4, len(others))):
        known = {key for person in (*few, "", reader) for key in of_person.get(person, ())}
        if _rank(figures for key, figures in figures_of.items() if key not in known) < whole:
            return {*few}
    return set()


_PRIME = 2_147_483_647


def _rank(rows: Iterable[Collection[int]]) -> int:
    """Return how many rows are independent, modulo a large prime."""
    reduced: dict[int, list[int]] = {}
    for row in {tuple(row) for row in rows}:
        rest = list(row)
        for place, found in reduced.items():
            if factor := rest[place]:
                rest = [(mine - factor * other) % _PRIME for mine, other in zip(rest, found, strict=True)]
        place = next((place for place, value in enumerate(rest) if value), None)
        if place is not None:
            inverse = pow(rest[place], -1, _PRIME)
            reduced[place] = [value * inverse % _PRIME for value in rest]
    return len(reduced)
