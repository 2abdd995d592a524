"""Sample views from JSON, read by the types of the view class: for snapshots, previews and the doctor."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

import bot.cards.notices  # noqa: F401  # so that its views are among the subclasses
from bot.cards.language import TEMPLATES
from bot.cards.view import View
from bot.words.errors import ConfigurationError

CARDS = TEMPLATES / "cards"

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
    found = {cls for cls in _subclasses(View) if cls.__dict__.get("card") == name and _is_current(cls)}
    if len(found) != 1:
        raise ConfigurationError(f"{len(found)} view classes have the card {name!r}, there should be one")
    return found.pop()


def build_value(hint: Any, value: Any) -> Any:
    """Return the JSON ``value`` as an object of the type ``hint``; raises `ValueError` with all that does not fit."""
    _refuse_inexact(value)
    try:
        # Dataclasses take the configuration of what they are part of.
        (built,) = TypeAdapter(tuple[hint], config=_STRICT).validate_json(orjson.dumps([value]))
    except ValidationError as error:
        raise ValueError("; ".join(map(_told, error.errors()))) from error
    return built


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
