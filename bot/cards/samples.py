"""Sample views from JSON, read by the types of the view class: for snapshots, previews and the doctor."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

import bot.cards.notices  # noqa: F401  # so that its views are among the subclasses
from bot.cards.language import TEMPLATES
from bot.cards.view import View
from bot.erp.model import Money
from bot.words.errors import ConfigurationError

CARDS = TEMPLATES / "cards"
T = TypeVar("T")

_STRICT = ConfigDict(strict=True, extra="forbid")
_NAIVE_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+")


def load_sample(name: str, folder: Path = CARDS, *, custom: Path | None = None) -> View:
    """Return the sample view of a card; raises `ConfigurationError` when there is none or it does not fit its class.

    A sample in ``custom``, the folder of a customer's or a plug-in's templates, goes first. The module that defines the
    view must have been imported; the registry imports those of commands.
    """
    path = folder / f"{name}.sample.json"
    if custom and (own := custom / path.name).exists():
        path = own
    if not path.exists() and (made := _made_view(name)) is not None:
        return make_example(made)
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise ConfigurationError(f"no usable sample at {path}: {problem}") from problem
    cls = view_class(name)
    try:
        view = build_value(cls, content)
    except ValueError as problem:
        raise ConfigurationError(f"{path} does not fit {cls.__name__}: {problem}") from problem
    assert isinstance(view, View)
    return view


def view_class(name: str) -> type[View]:
    """Return the view class whose ``card`` is ``name``; raises `ConfigurationError` unless there is exactly one."""
    found = {cls for cls in _subclasses(View) if vars(cls).get("card") == name and _is_current(cls)}
    if not found and (made := _made_view(name)) is not None:
        return made
    if len(found) != 1:
        raise ConfigurationError(f"{len(found)} view classes have the card {name!r}, there should be one")
    return found.pop()


def _made_view(name: str) -> type[View] | None:
    """Return the view class that is made for a card; None where it has none, or somebody wrote it."""
    made = (cls.made_for(name) for cls in _subclasses(View) if "made_for" in vars(cls))
    return next((cls for cls in made if cls is not None), None)


def make_example(kind: type[T]) -> T:
    """Return a record in which each field holds what its type and its name say: what a view needs, a record whole."""
    hints = get_type_hints(kind)
    whole = not issubclass(kind, View)
    wanted = [each for each in fields(kind) if whole or _is_needed(each)]  # type: ignore[arg-type]
    values = {each.name: _example(hints[each.name], each.name) for each in wanted if each.name not in _SPARED}
    if "line" in values:
        values["line"] = f"/{getattr(kind, 'command', 'help')}"
    return kind(**values)


_SPARED = frozenset({"books", "extra", "failures"})
"""What is said where there are several companies, by the ERP in words of its own, or where something is missing."""
_NUMBERS = frozenset({"number", "id", "sku"})
_UNSAID = frozenset({"url", "source", "text"})
_DAY = date(2026, 11, 5)
_EXAMPLES: Mapping[Any, object] = {
    bool: False,
    int: 2,
    date: _DAY,
    datetime: datetime(2026, 11, 5, 8, 30, tzinfo=ZoneInfo("Asia/Shanghai")),
    Decimal: Decimal(40),
    Money: Money(Decimal("12850.00"), "CNY"),
}


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _example(hint: Any, name: str) -> Any:
    """Return a value of a type; a text says what it is, with a number where it is one."""
    arguments = [part for part in get_args(hint) if part not in (NoneType, Ellipsis)]
    if get_origin(hint) is tuple:
        return (_example(arguments[0], name), _example(arguments[0], name)) if is_dataclass(arguments[0]) else ()
    if get_origin(hint) is Mapping:
        return {}
    if arguments:
        return _example(arguments[0], name)
    if hint in _EXAMPLES:
        return _EXAMPLES[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return make_example(hint)
    if issubclass(hint, Enum):
        return next(iter(hint), None)
    if name in _NUMBERS:
        return f"{name.upper()}-1001"
    return "" if name in _UNSAID else name.replace("_", " ").capitalize()


def build_value(hint: Any, value: Any) -> Any:
    """Return the JSON ``value`` as an object of the type ``hint``; raises `ValueError` with all that does not fit."""
    _refuse_inexact(value)
    try:
        (built,) = _adapter(hint).validate_json(orjson.dumps([value]))
    except ValidationError as error:
        raise ValueError("; ".join(map(_told, error.errors()))) from error
    return built


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    # Dataclasses take the configuration of what they are part of. To read the types of a view takes 7 ms.
    return TypeAdapter(tuple[hint], config=_STRICT)


def _refuse_inexact(value: Any) -> None:
    """Raise `ValueError` for what JSON can say and no view may hold: binary fractions, times without a zone."""
    if isinstance(value, float):
        raise ValueError(f"{value!r} must be text, which is exact")
    if isinstance(value, str) and _NAIVE_TIME.fullmatch(value):
        raise ValueError(f"{value} has no zone")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_inexact(item)


def _told(error: ErrorDetails) -> str:
    return f"{'.'.join(map(str, error['loc'][1:]))}: {error['msg']}"


def _subclasses(cls: type[View]) -> Iterator[type[View]]:
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)


def _is_current(cls: type[View]) -> bool:
    # A dataclass with slots is made anew; the class it was made of lives on until it is collected.
    return getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls
