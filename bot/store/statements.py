"""Statements that SQLAlchemy has no short way for: one for many rows without its work for each row, and ``INSERT …
ON CONFLICT``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Insert, Table, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def execute_many(connection: Connection, statement: Insert | Update, rows: Sequence[dict[str, Any]]) -> None:
    """Run ``statement``, which must live as long as the process, once for each row.

    All rows name at least the statement's parameters, with values that the driver takes as they are: texts, numbers,
    truths, None.
    """
    if not rows:
        return
    compiled = _compiled(statement, connection.dialect)
    if compiled.positiontup is None:
        connection.exec_driver_sql(compiled.string, list(rows))
        return
    order = compiled.positiontup
    connection.exec_driver_sql(compiled.string, [tuple([row[name] for name in order]) for row in rows])


@lru_cache(maxsize=64)
def _compiled(statement: Insert | Update, dialect: Dialect) -> SQLCompiler:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler), "neither makes nor drops anything"
    return compiled


def insert_into(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Return an insert that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    if dialect == "postgresql":
        # Imported only where it is used: it costs every other process 2.5 MB.
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    return sqlite.insert(table)
