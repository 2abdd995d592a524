"""What an answer shows: the classes of its fields, and the numbers of the documents among its records.

Fields say their class where they are declared (`bot.disclosure`). In every record the field ``number`` is the number of
a document, and ``subject`` the number or code that an alert is about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, get_args, get_type_hints

from bot.disclosure import FieldClass

SENSITIVE = frozenset({FieldClass.AMOUNT, FieldClass.COST, FieldClass.PARTNER, FieldClass.CONTACT})
"""Classes whose showing is recorded."""

_NUMBERS = frozenset({"number", "subject"})


class ShownData(NamedTuple):
    """What a record shows: sensitive classes, and numbers of documents in their order."""

    classes: frozenset[FieldClass]
    documents: tuple[str, ...]


def find_shown(record: object) -> ShownData:
    """Return what a view or another record shows; what was cut from it (`bot.disclosure`) counts as not shown."""
    classes: set[FieldClass] = set()
    documents: dict[str, None] = {}
    for name, value, declared in _walk(record):
        if declared is not None:
            classes.add(declared)
        if name in _NUMBERS and type(value) is str:
            documents[value] = None
    return ShownData(SENSITIVE & classes, tuple(documents))


def _walk(value: object) -> Iterator[tuple[str, object, FieldClass | None]]:
    """Yield the fields that hold something, with their classes, of a record and of all records inside it."""
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _walk(part)
    elif isinstance(value, Collection) and not isinstance(value, str | bytes):
        for part in value:
            yield from _walk(part)
    elif is_dataclass(value) and not isinstance(value, type):
        for name, declared in _fields_of(type(value)):
            held = getattr(value, name)
            # Zero is a figure; everything else that is false is nothing, or the mark in place of what was cut.
            if not held and not isinstance(held, int | Decimal):
                continue
            yield name, held, declared
            yield from _walk(held)


@cache
def _fields_of(record: type[Any]) -> tuple[tuple[str, FieldClass | None], ...]:
    hints = get_type_hints(record, include_extras=True)
    return tuple((field.name, _class_in(hints[field.name])) for field in fields(record))


def _class_in(hint: Any) -> FieldClass | None:
    """Return the class among the annotations of a type, or of a type inside it."""
    for part in (*getattr(hint, "__metadata__", ()), *get_args(hint)):
        found = part if isinstance(part, FieldClass) else _class_in(part)
        if found is not None:
            return found
    return None
