"""The queries of a configuration, ready to run, and their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from bot.erp.errors import Invalid
from bot.erp.mapped import builders
from bot.erp.mapped.areas import goods_parts, sections_of
from bot.erp.mapped.sources import Fields
from bot.erp.sql.options import SqlOptions
from bot.erp.sql.query import Statement, pages_itself, with_views

Row = Mapping[str, Any]

ALL_ROWS = "all_rows"
"""The column in which a query that pages itself gives the number of all rows."""

_ESCAPE = str.maketrans({char: f"!{char}" for char in "!%_"})
"""For ``LIKE :like ESCAPE '!'``: databases do not agree on backslashes."""


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """A query of the configuration, ready to run: its place there, and the columns that are read."""

    place: str
    clause: TextClause
    parameters: frozenset[str]
    columns: tuple[str, ...]

    @property
    def pages_itself(self) -> bool:
        """Whether it gives one page."""
        return "offset" in self.parameters

    def rows(self, connection: Connection, most: int, source: str, **given: Any) -> list[Row]:
        """Return its rows by lower-case column names.

        Raises `Invalid` for more than ``most`` rows, and for columns that are missing or there twice.
        """
        rows, more = self._read(connection, self.clause, most, source, given)
        if more:
            raise Invalid(f"{self.place} gives more than {most} rows: let it page or choose", source=source)
        return rows

    def first_rows(self, connection: Connection, most: int, source: str, **given: Any) -> tuple[list[Row], bool]:
        """Return its first ``most`` rows, and whether there are more, which stay in the database."""
        streamed = self.clause.execution_options(stream_results=True)
        return self._read(connection, streamed, most, source, given)

    def _read(
        self, connection: Connection, clause: TextClause, most: int, source: str, given: Mapping[str, Any]
    ) -> tuple[list[Row], bool]:
        with self._begun(connection, clause, given) as result:
            names = self._names(result, source)
            rows = result.fetchmany(most + 1)
        return [dict(zip(names, row, strict=True)) for row in rows[:most]], len(rows) > most

    def check(self, connection: Connection, source: str, **given: Any) -> None:
        """Start it and read no row; raises `Invalid` as `rows` does."""
        streamed = self.clause.execution_options(stream_results=True)
        with self._begun(connection, streamed, given) as result:
            self._names(result, source)

    def _begun(self, connection: Connection, clause: TextClause, given: Mapping[str, Any]) -> CursorResult[Any]:
        try:
            return connection.execute(clause, self._chosen(given))
        except DBAPIError as error:
            # The database names the missing column, but not the query.
            error.add_detail(self.place)
            raise

    def _chosen(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if name in self.parameters}

    def _names(self, result: CursorResult[Any], source: str) -> list[str]:
        names = [name.lower() for name in result.keys()]  # noqa: SIM118  # no mapping
        for column in self.columns:
            if names.count(column.lower()) != 1:
                wrong = "several columns" if column.lower() in names else "no column"
                raise Invalid(f"{self.place} gives {wrong} {column!r}; it gives {', '.join(names)}", source=source)
        return names


def prepare(place: str, sql: str, *fields: Fields, also: Sequence[str] = ()) -> PreparedQuery:
    """Return a query whose ``fields`` (and columns ``also``) are read."""
    statement = Statement.parse(sql)
    columns = {origin.from_: None for each in fields for origin in each.values() if origin.from_}
    return PreparedQuery(place, text(statement.sql), statement.parameters, (*columns, *also))


def look(row: Row, column: str) -> Any:
    """Return what a row has in a column; databases fold the case of names in several ways."""
    return row.get(column.lower())


@dataclass(frozen=True, slots=True, eq=False)
class PreparedQueries:
    """All queries of a source by their places in the configuration."""

    queries: Mapping[str, PreparedQuery]
    most_rows: int
    source: str

    def __contains__(self, place: object) -> bool:
        return place in self.queries

    def pages_itself(self, place: str) -> bool:
        """Whether the query at a place gives one page."""
        return self.queries[place].pages_itself

    def rows(self, connection: Connection, place: str, **given: Any) -> list[Row]:
        """Return the rows of the query at a place; raises `Invalid` for more than a source may give."""
        return self.queries[place].rows(connection, self.most_rows, self.source, **given)

    def check(self, connection: Connection, **given: Any) -> None:
        """Start every query once and read no row."""
        for query in self.queries.values():
            query.check(connection, self.source, **given)


def like(text: str) -> str:
    """Return the pattern of ``LIKE :like ESCAPE '!'`` for texts that contain ``text``."""
    return f"%{text.translate(_ESCAPE)}%"


def prepared_queries(options: SqlOptions, source: str) -> PreparedQueries:
    """Return all queries of a source, those of views in front of them."""
    found = {query.place: query for query in _prepared(options)}
    return PreparedQueries(found, options.most_rows, source)


def _prepared(options: SqlOptions) -> Iterator[PreparedQuery]:
    complete = partial(with_views, views=options.views)
    sections = sections_of(options)
    for place, section in sections.items():
        for name in ("one", "list", "late", "overdue", "pending", "total", "of_order", "of_product"):
            sql = getattr(section, name, None)
            if sql is not None:
                also = (ALL_ROWS,) if place in _LISTED and name in _PAGED and pages_itself(sql) else ()
                yield prepare(f"{place}.{name}", complete(sql), section.fields, also=also)
        for name in ("lines", "places", "lots"):
            part = getattr(section, name, None)
            if part is not None:
                yield prepare(f"{place}.{name}", complete(part.query), part.fields)
        changes = getattr(section, "changes", None)
        if changes is not None:
            yield prepare(f"{place}.changes", complete(changes), also=("key", "changed_at"))
    for place, _, _, part in goods_parts(sections):
        yield prepare(place, complete(part.query), part.fields)


_LISTED = frozenset(document.section for document in builders.DOCUMENTS)
_PAGED = frozenset({"list", "late", "overdue", "pending"})
"""Queries that may give a page instead of all."""
