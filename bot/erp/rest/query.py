"""Paths, parameters and bodies of requests with places for values, and paths into JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

_PLACE = re.compile(r"\{(\w+)\}")


def places(template: Any) -> frozenset[str]:
    """Return the names that are in braces anywhere in a template."""
    return frozenset(name for text in _texts(template) for name in _PLACE.findall(text))


def _texts(template: Any) -> Iterator[str]:
    match template:
        case str():
            yield template
        case Mapping():
            for value in template.values():
                yield from _texts(value)
        case list() | tuple():
            for value in template:
                yield from _texts(value)


def fill_path(template: str, given: Mapping[str, Any]) -> str:
    """Return a path in which every value is a single step, whatever characters it has."""
    return _PLACE.sub(lambda place: quote(_as_text(given[place[1]]), safe=""), template)


def fill_params(template: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
    """Return parameters, without those that are only a place and have no value."""
    filled = {name: fill(text, given) for name, text in template.items()}
    return {
        name: _as_text(value)
        for name, value in filled.items()
        if value not in (None, "") or not _PLACE.fullmatch(template[name])
    }


def fill(template: Any, given: Mapping[str, Any]) -> Any:
    """Return a template with its values; a text that is only a place becomes the value itself, a number a number."""
    match template:
        case str():
            alone = _PLACE.fullmatch(template)
            return given[alone[1]] if alone else _PLACE.sub(lambda place: _as_text(given[place[1]]), template)
        case Mapping():
            return {name: fill(value, given) for name, value in template.items()}
        case list() | tuple():
            return [fill(value, given) for value in template]
        case _:
            return template


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def look(data: Any, path: str) -> Any:
    """Return what is at a path in JSON, None where there is nothing.

    A path is dotted (``total.value``, ``lines.0.sku``) or, where keys have dots, a JSON pointer (``/total.eur/value``);
    empty is all of it.
    """
    for step in _steps(path):
        match data:
            case Mapping():
                data = data.get(step)
            case list() if step.isdecimal() and int(step) < len(data):
                data = data[int(step)]
            case _:
                return None
    return data


def as_list(found: Any) -> Any:
    """Return a list; of an object whose values are all objects, these with their keys as ``key``."""
    if isinstance(found, Mapping) and all(isinstance(value, Mapping) for value in found.values()):
        return [{"key": key, **value} for key, value in found.items()]
    return found


def _steps(path: str) -> list[str]:
    if path.startswith("/"):
        return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
    return path.split(".") if path else []
