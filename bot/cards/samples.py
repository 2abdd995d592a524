"""Sample views from JSON, read by the type hints of the view class: for snapshots, previews and the doctor."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

import bot.cards.notices  # noqa: F401  # so that its views are among the subclasses
from bot.cards.language import TEMPLATES
from bot.cards.view import View
from bot.errors import ConfigurationError
from bot.phrase import Phrase

CARDS = TEMPLATES / "cards"


def load_sample(name: str, folder: Path = CARDS) -> View:
    """Return the sample view of a card; raises `ConfigurationError` when there is none or it does not fit its class.

    The module that defines the view must have been imported, as those of commands are by the registry.
    """
    path = folder / f"{name}.sample.json"
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise ConfigurationError(f"no usable sample at {path}: {problem}") from problem
    cls = view_class(name)
    try:
        view = build_value(cls, content)
    except (TypeError, ValueError, ArithmeticError, KeyError) as problem:
        raise ConfigurationError(f"{path} does not fit {cls.__name__}: {problem}") from problem
    assert isinstance(view, View)
    return view


def view_class(name: str) -> type[View]:
    """Return the view class whose ``card`` is ``name``; raises `ConfigurationError` unless there is exactly one."""
    found = {cls for cls in _subclasses(View) if cls.__dict__.get("card") == name and _is_current(cls)}
    if len(found) != 1:
        raise ConfigurationError(f"{len(found)} view classes have the card {name!r}, there should be one")
    return found.pop()


def build_value(hint: Any, value: Any) -> Any:
    """Return the JSON ``value`` as an object of the type ``hint``; raises `TypeError` or `ValueError`."""
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return _build_one_of(get_args(hint), value)
    if hint is Any or hint is object:
        return value
    if isinstance(hint, TypeVar):
        return value
    if origin is Literal:
        return _checked(value in get_args(hint), hint, value)
    if origin is tuple:
        return _build_tuple(get_args(hint), value)
    return _build_generic(origin, get_args(hint), value) if origin else _build_plain(hint, value)


def _build_one_of(hints: tuple[Any, ...], value: Any) -> Any:
    problems = []
    # A phrase may be written as plain text, so text is tried as text first.
    for hint in sorted(hints, key=lambda one: one is Phrase):
        try:
            return build_value(hint, value)
        except (TypeError, ValueError, ArithmeticError) as problem:
            problems.append(str(problem))
    raise TypeError("; ".join(problems))


def _build_tuple(hints: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    _checked(isinstance(value, list), tuple, value)
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(build_value(hints[0], item) for item in value)
    return tuple(build_value(hint, item) for hint, item in zip(hints, value, strict=True))


def _build_generic(origin: Any, hints: tuple[Any, ...], value: Any) -> Any:
    if is_dataclass(origin):
        return _build_record(origin, value)
    if issubclass(origin, Mapping):
        return MappingProxyType(
            {build_value(hints[0], key): build_value(hints[1], item) for key, item in value.items()}
        )
    return origin(build_value(hints[0], item) for item in value)


def _build_plain(hint: Any, value: Any) -> Any:
    if hint is None or hint is type(None):
        return _checked(value is None, hint, value)
    if hint is Phrase:
        return Phrase(value) if isinstance(value, str) else _build_record(Phrase, value)
    if is_dataclass(hint):
        return _build_record(hint, value)
    if issubclass(hint, Enum):
        return hint(value)
    if issubclass(hint, Decimal):
        return Decimal(_checked(isinstance(value, str), hint, value))
    if issubclass(hint, datetime):
        moment = datetime.fromisoformat(_checked(isinstance(value, str), hint, value))
        return _checked(moment.tzinfo is not None, "an aware time", moment)
    if issubclass(hint, date):
        return date.fromisoformat(_checked(isinstance(value, str), hint, value))
    _checked(isinstance(value, bool) == issubclass(hint, bool), hint, value)
    if issubclass(hint, str):
        return hint(_checked(isinstance(value, str), hint, value))
    return _checked(isinstance(value, hint), hint, value)


def _build_record(cls: Any, value: Any) -> Any:
    _checked(isinstance(value, dict), cls, value)
    hints = get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}
    if unknown := value.keys() - known.keys():
        raise TypeError(f"{cls.__name__} has no {', '.join(sorted(unknown))}")
    missing = [
        name
        for name, field in known.items()
        if name not in value and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise TypeError(f"{cls.__name__} needs {', '.join(missing)}")
    return cls(**{name: build_value(hints[name], item) for name, item in value.items()})


def _checked(right: bool, expected: Any, value: Any) -> Any:
    if not right:
        raise TypeError(f"{value!r} is not {getattr(expected, '__name__', expected)}")
    return value


def _subclasses(cls: type[View]) -> Iterator[type[View]]:
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)


def _is_current(cls: type[View]) -> bool:
    # A dataclass with slots is made anew; the class it was made of lives on until it is collected.
    return getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls
