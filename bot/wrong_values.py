"""What is wrong with settings and options, in words that name each and never repeat its value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.spelling import most_alike

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Place = tuple[int | str, ...]
NamesBeside = Callable[[Place], tuple[str, ...]]
"""Returns the names there are at a place."""

_CLOSE = 0.75
"""So alike is a misspelt name to the one that was meant."""

_ADDRESS = "^https?://"
_LIST = 'must be a list, such as ["a", "b"]'
_TABLE = 'must be a table, such as {"name": "value"}'
_PLAIN = {
    "frozen_set_type": _LIST,
    "set_type": _LIST,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": _TABLE,
    "mapping_type": _TABLE,
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
}
"""Kinds of error whose own words speak of Python."""


def explain_wrong_values(error: ValidationError, names_beside: NamesBeside) -> str:
    """Return every error as "name: what is wrong", with the name that a misspelt one was probably meant for."""
    problems = error.errors(include_url=False, include_context=False)
    meant = dict(_misspelt(problems, names_beside))
    told = [f"{_path(place)} is no setting; did you mean {_path(found)}?" for place, found in meant.items()]
    taken = {*meant, *meant.values()}
    told += [_explain(problem) for problem in problems if problem["loc"] not in taken]
    return "; ".join(told)


def _misspelt(problems: list[ErrorDetails], names_beside: NamesBeside) -> Iterator[tuple[Place, Place]]:
    """Yield the place of each name that there is not, and the place that was meant."""
    for problem in problems:
        place = problem["loc"]
        if problem["type"] == "extra_forbidden":
            nearest = most_alike(str(place[-1]), names_beside(place), limit=1, similarity=_CLOSE)
            yield from ((place, (*place[:-1], name)) for name in nearest)
        elif problem["type"] == "missing":
            unknown = _names_in(problem["input"]) - {*names_beside(place)}
            nearest = most_alike(str(place[-1]), sorted(unknown), limit=1, similarity=_CLOSE) or _longer(place, unknown)
            yield from (((*place[:-1], name), place) for name in nearest)


def _longer(place: Place, unknown: set[str]) -> tuple[str, ...]:
    """Return the unknown name that has the missing one as a word of its own: what others call an ``api_key``."""
    return tuple(sorted(name for name in unknown if place[-1] in name.split("_")))[:1]


def _names_in(given: Any) -> set[str]:
    return {*map(str, given)} if isinstance(given, Mapping) else set()


def _explain(problem: ErrorDetails) -> str:
    path = _path(problem["loc"])
    match problem["type"]:
        case "extra_forbidden":
            return f"{path} is no setting"
        case "missing":
            return f"{path} is missing"
        case "string_pattern_mismatch" if _ADDRESS in problem["msg"]:
            return f"{path}: must begin with https:// or http://"
        case kind:
            return f"{path}: {_PLAIN.get(kind, problem['msg']).removeprefix('Value error, ')}"


def _path(place: Place) -> str:
    return ".".join(map(str, place)) or "settings"
