"""Converts records to rows of the demo's tables and back: columns are named after the fields in `bot.erp.model`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_type_hints

from sqlalchemy import Row

from bot.erp.model import Money
from bot.kit.company.tables import DemoTable, fold, table

R = TypeVar("R")
Record = Row[Any]
Values = Mapping[str, Any]


def row_of(model: type[DemoTable], record: Any, **more: Any) -> Values:
    """Return the row of a record: its fields and missing fields. Keys are folded, amounts lose their currency."""
    return {
        name: more[name] if name in more else _column(record, name)
        for name in table(model).columns.keys()  # noqa: SIM118  # a collection of columns, not a mapping
    }


def _column(record: Any, name: str) -> Any:
    value = getattr(record, name.removesuffix("_key"))
    if isinstance(value, Money):
        return value.amount
    return fold(value) if name.endswith("_key") else value


def line_rows(model: type[DemoTable], number: str, lines: Iterable[Any]) -> Iterable[Values]:
    """Yield the rows of a document's lines, counted from 1."""
    for position, line in enumerate(lines, 1):
        yield row_of(model, line, number_key=fold(number), position=position)


def record_of(kind: type[R], row: Record, /, *, currency: str = "", **more: Any) -> R:
    """Return the record of a row with its missing fields; ``currency`` is for lines, which have none of their own."""
    values = {}
    for name, meaning in _meanings(kind, row._fields):  # type: ignore[arg-type]  # classes can be hashed
        value = getattr(row, name)
        if value is not None and meaning is not None:
            value = Money(value, currency or row.currency) if meaning is Money else meaning(value)
        values[name] = value
    return kind(**values | more)


@lru_cache
def _meanings(kind: type[Any], columns: tuple[str, ...]) -> tuple[tuple[str, type[Any] | None], ...]:
    """Return the fields with a column, each with the type of its values."""
    hints = get_type_hints(kind)
    return tuple((field.name, _meaning(hints[field.name])) for field in fields(kind) if field.name in columns)


def _meaning(hint: Any) -> type[Any] | None:
    named = (part for part in (hint, *get_args(hint)) if isinstance(part, type))
    return next((part for part in named if issubclass(part, (StrEnum, Money))), None)
