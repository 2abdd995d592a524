"""Asks a database the queries that an administrator named: read-only, within a time and a number of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from bot.erp.errors import Invalid
from bot.erp.mapped import values as mapped_values
from bot.erp.mapped.sources import FieldSource
from bot.erp.mapped.values import ValueUnreadable
from bot.erp.named_queries import FoundRows, NamedQuery, QueryValue, ValueKind
from bot.erp.sql.client import ReadOnlyDatabase
from bot.erp.sql.mapping import Row, look, prepare
from bot.erp.sql.query import Statement
from bot.erp.sql.reading_proof import prove_reading

_CONNECTIONS = 2
"""Connections beside those that answer the usual questions: a slow query of a company delays only its like."""

_FLOAT = "{:.15g}"
"""The digits that every binary float keeps; those behind are the float's own."""


class SqlQueryDatabase:
    """Implements `bot.erp.named_queries.QueryDatabase`."""

    def __init__(self, url: str, *, source: str, zone: ZoneInfo, seconds: float) -> None:
        """Connect nowhere yet; raises `ConfigurationError` for an address that cannot be used.

        ``seconds`` is the longest time of any query, ``zone`` that of times without one.
        """
        self._source = source
        self._zone = zone
        self._database = ReadOnlyDatabase(url, timeout=seconds, connections=_CONNECTIONS, source=source)

    def check(self, query: NamedQuery, functions: frozenset[str]) -> frozenset[str]:
        prove_reading(query.sql, query.columns, self._database.dialect, functions)
        return Statement.parse(query.sql).parameters

    async def ask(self, query: NamedQuery, values: Mapping[str, QueryValue], *, most: int) -> FoundRows:
        prepared = prepare("the query", query.sql, also=tuple(query.columns))
        bound = {name: self._bound(value) for name, value in values.items()}

        def read(connection: Connection) -> tuple[list[Row], bool]:
            if self._database.dialect == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(query.seconds * 1000))}")
            return prepared.first_rows(connection, most, self._source, **bound)

        rows, more = await self._database.run(read, seconds=query.seconds)
        return FoundRows(tuple(self._converted(row, query) for row in rows), more)

    async def close(self) -> None:
        await self._database.close()

    def _bound(self, value: QueryValue) -> Any:
        if self._database.dialect != "sqlite":
            return value
        if isinstance(value, Decimal):
            # SQLite has no decimals: it compares its own numbers with these, and none of them is shown.
            return int(value) if value == int(value) else float(value)
        return value.isoformat() if isinstance(value, date) else value

    def _converted(self, row: Row, query: NamedQuery) -> Mapping[str, QueryValue | None]:
        readers: Mapping[ValueKind, Callable[[Any], QueryValue]] = {
            ValueKind.TEXT: mapped_values.key,
            ValueKind.NUMBER: _exact,
            ValueKind.DAY: partial(mapped_values.day, origin=FieldSource(), zone=self._zone),
        }
        found: dict[str, QueryValue | None] = {}
        for column, kind in query.columns.items():
            raw = look(row, column)
            try:
                found[column] = None if raw is None else readers[kind](raw)
            except ValueUnreadable as error:
                raise Invalid(f"the column {column} {error}", source=self._source) from None
        return found


def _exact(raw: Any) -> Decimal:
    """Return a number without the digits that a sum of binary floats adds."""
    return mapped_values.number(_FLOAT.format(raw) if isinstance(raw, float) else raw)
