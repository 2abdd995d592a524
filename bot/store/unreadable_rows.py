"""Rows with a sealed value that does not open: the database was changed from outside, or is damaged.

One such row must not prevent the reading of others. Lists continue without it, or without the value if the row works
all the same: a card without its group, a watch without its title.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any, TypeAlias

import structlog
from sqlalchemy import Column, ColumnElement, Select, String, Table, select, type_coerce
from sqlalchemy.engine import Connection

from bot.store.sealed_columns import Sealed
from bot.store.tables import ALERT_CARD, WATCH
from bot.words.sealing import NotOpened

log = structlog.get_logger(__name__)

_Values: TypeAlias = Mapping[str, Any]
_StandIns: TypeAlias = Callable[[Any], Mapping[str, str]]
"""Returns replacements for the sealed values of an unreadable row, from its unsealed columns."""

_NOTHING: _Values = MappingProxyType({})


def read_readable(
    connection: Connection, table: Table, statement: Select[Any], values: _Values = _NOTHING
) -> list[Any]:
    """Return the rows of a statement on one table, without unreadable ones."""
    return _read(connection, table, statement, values, None)


def read_cards(connection: Connection, statement: Select[Any], values: _Values) -> list[Any]:
    """Return rows of alert cards; an unreadable one gets a group of its own, which nothing else joins."""
    return _read(connection, ALERT_CARD, statement, values, lambda row: {"shared": f"unreadable {row.id}"})


def read_watches(connection: Connection, statement: Select[Any], values: _Values = _NOTHING) -> list[Any]:
    """Return rows of watches; an unreadable one has no title."""
    return _read(connection, WATCH, statement, values, lambda _row: {"title": "", "said": ""})


def _read(
    connection: Connection, table: Table, statement: Select[Any], values: _Values, stand_ins: _StandIns | None
) -> list[Any]:
    try:
        return list(connection.execute(statement, dict(values)).all())
    except NotOpened:
        return list(_read_one_by_one(connection, table, statement, values, stand_ins))


def _read_one_by_one(
    connection: Connection, table: Table, statement: Select[Any], values: _Values, stand_ins: _StandIns | None
) -> Iterator[Any]:
    plain = [column for column in table.c if not isinstance(column.type, Sealed)]
    keys = {column.name: _as_stored(column) for column in table.primary_key}
    stored = [key.label(f"primary_{name}") for name, key in keys.items()]
    for row in connection.execute(statement.with_only_columns(*plain, *stored), dict(values)).all():
        this = {name: row._mapping[f"primary_{name}"] for name in keys}
        try:
            yield connection.execute(select(table).where(*(keys[name] == this[name] for name in keys))).one()
        except NotOpened as error:
            log.error("store.unreadable", table=table.name, row="/".join(map(str, this.values())), detail=error.detail)
            if stand_ins is not None:
                known = {column.name: row._mapping[column] for column in plain}
                yield SimpleNamespace(**known, **stand_ins(row))


def _as_stored(column: Column[Any]) -> ColumnElement[Any]:
    """Return a column's value in its stored form, even if it is sealed."""
    return type_coerce(column, String()) if isinstance(column.type, Sealed) else column
