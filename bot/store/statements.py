"""Statements beyond SQLAlchemy's shortcuts: one for many rows without per-row overhead, ``INSERT … ON CONFLICT``, and
values in chunks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Delete, Insert, Table, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

from bot.store.sealed_columns import Sealed

T = TypeVar("T")

AT_ONCE = 500
"""Values per ``IN``: SQLite before 3.32 takes 999 parameters."""


def chunks(values: Collection[T]) -> Iterator[list[T]]:
    """Return values in chunks that one statement takes."""
    listed = list(values)
    return (listed[start : start + AT_ONCE] for start in range(0, len(listed), AT_ONCE))


def execute_many(connection: Connection, statement: Insert | Update | Delete, rows: Sequence[dict[str, Any]]) -> None:
    """Run ``statement``, which must live as long as the process, once for each row.

    All rows name at least the statement's parameters, with values that the driver accepts unchanged: texts, numbers,
    booleans, None. Only sealed columns are sealed.
    """
    if not rows:
        return
    dialect = connection.dialect
    compiled = _compiled(statement, dialect)
    if sealed := _sealed_columns(statement, dialect):
        rows = [{**row, **{n: column.process_bind_param(row[n], dialect) for n, column in sealed}} for row in rows]
    if compiled.positiontup is None:
        connection.exec_driver_sql(compiled.string, list(rows))
        return
    order = compiled.positiontup
    connection.exec_driver_sql(compiled.string, [tuple([row[name] for name in order]) for row in rows])


@lru_cache(maxsize=64)
def _compiled(statement: Insert | Update | Delete, dialect: Dialect) -> SQLCompiler:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler), "neither makes nor drops anything"
    return compiled


@lru_cache(maxsize=64)
def _sealed_columns(statement: Insert | Update | Delete, dialect: Dialect) -> tuple[tuple[str, Sealed], ...]:
    """Return the sealed columns among a statement's parameters, which are named after their columns."""
    table, named = statement.table, _compiled(statement, dialect).params
    return tuple((c.name, c.type) for c in table.columns if isinstance(c.type, Sealed) and c.name in named)


def insert_into(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Return an insert with ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    if dialect == "postgresql":
        # Imported only where it is used: it costs every other process 2.5 MB.
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    return sqlite.insert(table)


def replace_into(table: Table, dialect: str, *, keep: Collection[str] = ()) -> sqlite.Insert | postgresql.Insert:
    """Return an insert that overwrites a row with the same key, except for the columns in ``keep``."""
    insert = insert_into(table, dialect)
    key = [column.name for column in table.primary_key]
    new = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in {*key, *keep}}
    return insert.on_conflict_do_update(index_elements=key, set_=new)
