"""Rows with a sealed value that does not open, and that do their work without it: a card's group, a watch's title.

Somebody changed the database, or it is damaged. One such row must not keep the others from being read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, TypeAlias

import structlog
from sqlalchemy import Select, Table, select
from sqlalchemy.engine import Connection

from bot.sealing import NotOpened
from bot.store.sealed_columns import Sealed
from bot.store.tables import ALERT_CARD, WATCH

log = structlog.get_logger(__name__)

_StandIns: TypeAlias = Callable[[Any], Mapping[str, str]]
"""Returns what stands for the sealed values of a row that does not open, by its plain columns."""


def read_cards(connection: Connection, statement: Select[Any], values: Mapping[str, Any]) -> list[Any]:
    """Return rows of alert cards; one that does not open has a group of its own, which nothing else joins."""
    return _read(connection, ALERT_CARD, statement, values, lambda row: {"shared": f"unreadable {row.id}"})


def read_watches(connection: Connection, statement: Select[Any], values: Mapping[str, Any]) -> list[Any]:
    """Return rows of watches; one that does not open has no title."""
    return _read(connection, WATCH, statement, values, lambda _row: {"title": ""})


def _read(
    connection: Connection, table: Table, statement: Select[Any], values: Mapping[str, Any], stand_ins: _StandIns
) -> list[Any]:
    try:
        return list(connection.execute(statement, dict(values)).all())
    except NotOpened:
        return list(_read_one_by_one(connection, table, statement, values, stand_ins))


def _read_one_by_one(
    connection: Connection, table: Table, statement: Select[Any], values: Mapping[str, Any], stand_ins: _StandIns
) -> Iterator[Any]:
    plain = [column for column in table.c if not isinstance(column.type, Sealed)]
    for row in connection.execute(statement.with_only_columns(*plain), dict(values)).all():
        try:
            yield connection.execute(select(table).where(table.c.id == row.id)).one()
        except NotOpened as error:
            log.error("store.unreadable", table=table.name, row=row.id, detail=error.detail)
            yield SimpleNamespace(**row._mapping, **stand_ins(row))
