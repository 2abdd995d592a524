"""The names in settings: field types mark which values are names, and of what kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from bot.words.names import NameKind

SettingPath = tuple[str | int, ...]
"""Keys and, in lists, numbers from 0: ``("access", "outsider_groups", 0)``."""


def named_in(settings: BaseModel) -> Iterator[tuple[SettingPath, NameKind, str]]:
    """Yield every name with its path and kind. An empty text names nothing."""
    for name, field in type(settings).model_fields.items():
        if value := getattr(settings, name):
            yield from _named((name,), value, field.annotation, field.metadata)


def _named(
    path: SettingPath, value: object, declared: Any, marks: Sequence[Any] = ()
) -> Iterator[tuple[SettingPath, NameKind, str]]:
    kind = next((mark for mark in marks if isinstance(mark, NameKind)), None)
    if kind is not None and isinstance(value, str):
        yield path, kind, value
        return
    if isinstance(value, BaseModel):
        for below, of_kind, name in named_in(value):
            yield (*path, *below), of_kind, name
        return
    inner = _inner_types(declared)
    if isinstance(value, Mapping) and len(inner) == 2:
        for key, each in value.items():
            yield from _named((*path, key), key, *_unmarked(inner[0]))
            yield from _named((*path, key), each, *_unmarked(inner[1]))
    elif isinstance(value, tuple | AbstractSet) and inner:
        ordered = value if isinstance(value, tuple) else sorted(value)
        for number, each in enumerate(ordered):
            yield from _named((*path, number), each, *_unmarked(inner[0]))


def _inner_types(declared: Any) -> tuple[Any, ...]:
    """Return the element types of a collection, including optional ones."""
    if get_origin(declared) in (Union, UnionType):
        declared = next(each for each in get_args(declared) if each is not NoneType)
    return get_args(declared)


def _unmarked(declared: Any) -> tuple[Any, Sequence[Any]]:
    """Return a type without its marks, and the marks."""
    marks = getattr(declared, "__metadata__", ())
    return (get_args(declared)[0], marks) if marks else (declared, ())
