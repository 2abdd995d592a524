"""Errors in settings and options, in words that name each setting and never repeat its value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.words.phrase import Phrase, Words, join_words, phrase, reason_of
from bot.words.spelling import most_alike

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Place = tuple[int | str, ...]
NamesBeside = Callable[[Place], tuple[str, ...]]
"""Returns the names at a place."""

_CLOSE = 0.75
"""The similarity of a misspelt name to the meant one."""

_ADDRESS = "^https?://"
_LIST = phrase('must be a list, such as ["a", "b"]')
_TABLE = phrase('must be a table, such as {"name": "value"}')
_PLAIN: Mapping[str, Phrase] = {
    "frozen_set_type": _LIST,
    "set_type": _LIST,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": _TABLE,
    "mapping_type": _TABLE,
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
    "string_type": phrase("Input should be a valid string"),
    "string_unicode": phrase("Input should be a valid string"),
    "string_too_short": phrase("String should have at least %(min_length)s characters"),
    "string_too_long": phrase("String should have at most %(max_length)s characters"),
    "string_pattern_mismatch": phrase("String should match pattern '%(pattern)s'"),
    "int_type": phrase("Input should be a valid integer"),
    "int_parsing": phrase("Input should be a valid integer, unable to parse string as an integer"),
    "int_from_float": phrase("Input should be a valid integer, got a number with a fractional part"),
    "float_type": phrase("Input should be a valid number"),
    "float_parsing": phrase("Input should be a valid number, unable to parse string as a number"),
    "finite_number": phrase("Input should be a finite number"),
    "bool_type": phrase("Input should be a valid boolean"),
    "bool_parsing": phrase("Input should be a valid boolean, unable to interpret input"),
    "greater_than": phrase("Input should be greater than %(gt)s"),
    "greater_than_equal": phrase("Input should be greater than or equal to %(ge)s"),
    "less_than": phrase("Input should be less than %(lt)s"),
    "less_than_equal": phrase("Input should be less than or equal to %(le)s"),
    "literal_error": phrase("Input should be %(expected)s"),
    "enum": phrase("Input should be %(expected)s"),
    "too_short": phrase("needs %(min_length)s or more entries, has %(actual_length)s"),
    "too_long": phrase("takes %(max_length)s entries at most, has %(actual_length)s"),
    "path_type": phrase("Input is not a valid path"),
}
"""The kinds of validation error; messages of other kinds are passed on.

Source: https://docs.pydantic.dev/latest/errors/validation_errors/
"""


def explain_wrong_values(error: ValidationError, names_beside: NamesBeside) -> Words:
    """Return every error as "name: problem", with the name that a misspelt one probably meant."""
    problems = error.errors(include_url=False)
    meant = dict(_misspelt(problems, names_beside))
    told: list[Words] = [
        phrase("%(path)s is no setting; did you mean %(meant)s?", path=_path(place), meant=_path(found))
        for place, found in meant.items()
    ]
    taken = {*meant, *meant.values()}
    told += [_explain(problem) for problem in problems if problem["loc"] not in taken]
    return join_words(told)


def _misspelt(problems: list[ErrorDetails], names_beside: NamesBeside) -> Iterator[tuple[Place, Place]]:
    """Yield the place of each unknown name, and the place that was meant."""
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
    """Return the unknown name that contains the missing one as a word: what others call an ``api_key``."""
    return tuple(sorted(name for name in unknown if place[-1] in name.split("_")))[:1]


def _names_in(given: Any) -> set[str]:
    return {*map(str, given)} if isinstance(given, Mapping) else set()


def _explain(problem: ErrorDetails) -> Phrase:
    path = _path(problem["loc"])
    match problem["type"]:
        case "extra_forbidden":
            return phrase("%(path)s is no setting", path=path)
        case "missing":
            return phrase("%(path)s is missing", path=path)
        case _:
            return phrase("%(key)s: %(reason)s", key=path, reason=explain_wrong_value(problem))


def explain_wrong_value(problem: ErrorDetails) -> Words:
    """Return the problem with a value, without the value."""
    found = problem.get("ctx", {})
    match problem["type"]:
        case "missing":
            return phrase("is missing")
        case "extra_forbidden":
            return phrase("is nothing that is asked for here")
        case "string_pattern_mismatch" if _ADDRESS in problem["msg"]:
            return phrase("must begin with https:// or http://")
        case "value_error":
            return reason_of(found["error"])
        case kind if kind in _PLAIN:
            words = _PLAIN[kind]
            return phrase(words.msgid, **{name: str(value) for name, value in found.items()}) if found else words
        case _:
            return problem["msg"]


def _path(place: Place) -> str:
    return ".".join(map(str, place)) or "settings"
