"""A company database behind the bot's port: reads only, each question one trip to the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from bot.erp import listing
from bot.erp.cursor import TimeCursor
from bot.erp.errors import Invalid, NotFound
from bot.erp.keys import checked_key
from bot.erp.listing import KINDS, D, Listing
from bot.erp.mapped import builders
from bot.erp.mapped.adapter import MappedErp, as_stored, is_encodable, is_plain, poll_start, searched_text
from bot.erp.mapped.areas import capabilities_of, mappings_of, sections_of
from bot.erp.mapped.bad_values import BadValues
from bot.erp.mapped.reader import MappingContext, RecordMapping, RecordReader, matching
from bot.erp.mapped.sources import EPOCH, EPOCH_MS, Fields, FieldSource
from bot.erp.model import (
    Area,
    Changes,
    Invoice,
    Product,
    ProductionOrder,
    PurchaseOrder,
    SalesOrder,
    Slice,
    StockLevel,
)
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.sql.client import ReadOnlyDatabase
from bot.erp.sql.options import SqlOptions
from bot.erp.sql.query import Statement, pages_itself, with_views
from bot.erp.values import malformed_is_invalid
from bot.erp.vendors import AdapterContext

Row = Mapping[str, Any]

_ESCAPE = str.maketrans({sign: f"!{sign}" for sign in "!%_"})
"""For ``LIKE :like ESCAPE '!'``: databases do not agree on backslashes."""

_ALL_ROWS = "all_rows"
_TIME_FORMATS = {"sqlite": "%Y-%m-%d %H:%M:%S", "postgresql": "zoned"}


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
        result = self._begun(connection, self.clause, given)
        names = self._names(result, source)
        rows = result.fetchmany(most + 1)
        if len(rows) > most:
            raise Invalid(f"{self.place} gives more than {most} rows: let it page or choose", source=source)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def check(self, connection: Connection, source: str, **given: Any) -> None:
        """Start it and read no row; raises `Invalid` as `rows` does."""
        streamed = self.clause.execution_options(stream_results=True)
        with self._begun(connection, streamed, given) as result:
            self._names(result, source)

    def _begun(self, connection: Connection, clause: TextClause, given: Mapping[str, Any]) -> CursorResult[Any]:
        try:
            return connection.execute(clause, self._chosen(given))
        except DBAPIError as error:
            # The database tells the column that is missing, and not in which of our queries.
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


class SqlErp(MappedErp):
    """Implements `bot.erp.port.Erp` on configured queries, without any write."""

    narrows_lists = True

    def __init__(self, context: AdapterContext, options: SqlOptions) -> None:
        """Connect nowhere yet; raises `ConfigurationError` for an address that cannot be used."""
        name = context.name
        super().__init__(
            MappingContext(name, ZoneInfo(options.zone), options.currency, options.unit, context.now, BadValues(name))
        )
        self._options = options
        self._database = ReadOnlyDatabase(
            options.url.get_secret_value(), timeout=options.timeout, connections=options.connections, source=name
        )
        self._time_format = options.time_format or _TIME_FORMATS.get(self._database.dialect, "naive")
        self._reader = RecordReader(self.context, look)
        self._queries = dict(_prepared(options))
        self._mapped = mappings_of(sections_of(options))
        self.capabilities = capabilities_of(sections_of(options))

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        """Return products whose code, name, spec or barcode contains ``text``, best match first."""
        if self._options.products is None:
            self._refuse("products")
        if not is_encodable(text):
            return ()
        return await self._database.run(partial(self._search, text=text, limit=limit))

    def _search(self, connection: Connection, text: str, limit: int) -> tuple[Product, ...]:
        rows = self._rows(connection, "products.list", text=text, like=_like(text))
        return listing.find_products(self._reader.many(self._mapped["products"], rows), text, limit=limit)

    async def stock(self, sku: str) -> StockLevel:
        """Return one product's stock; raises `NotFound`."""
        if self._options.stock is None:
            self._refuse(Capability.STOCK)
        return await self._database.run(partial(self._level, sku=checked_key(sku, source=self.name)))

    def _level(self, connection: Connection, sku: str) -> StockLevel:
        product: Product = self._reader.single(
            self._mapped["products"], self._row(connection, "products", sku, sku=sku)
        )
        places, total = [], None
        if "stock.places" in self._queries:
            rows = self._rows(connection, "stock.places", sku=product.sku)
            places = [self._reader.single(self._mapped["stock.places"], row) for row in rows]
        if "stock.total" in self._queries:
            rows = self._rows(connection, "stock.total", sku=product.sku)
            if len(rows) > 1:
                raise Invalid("stock.total gives several rows of one product", source=self.name)
            total = self._reader.single(self._mapped["stock"], rows[0]) if rows else None
        lots = []
        if "stock.lots" in self._queries:
            rows = self._rows(connection, "stock.lots", sku=product.sku)
            lots = [self._reader.single(self._mapped["stock.lots"], row) for row in rows]
        figures = frozenset(self._mapped["stock.places"].fields) if "stock.places" in self._mapped else frozenset()
        return builders.stock_level(product, total, tuple(places), figures, self.context, lots)

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area; raises `Invalid` for a cursor that is not ours."""
        if f"{area}.changes" not in self._queries:
            self._refuse(f"changes of {area}")
        at = TimeCursor.parse(cursor)
        found = await self._database.run(partial(self._changes, area=area, at=at, limit=limit))
        return self.next_changes(area, at, found, limit)

    def _changes(self, connection: Connection, area: Area, at: TimeCursor, limit: int) -> list[tuple[str, datetime]]:
        since = as_stored(poll_start(at), self._time_format, self.context.zone)
        rows = self._rows(connection, f"{area}.changes", since=since, limit=at.fetch_size(limit))
        return self._reader.many(self._change(area), rows)

    def _change(self, area: Area) -> RecordMapping[tuple[str, datetime]]:
        own = self._time_format if self._time_format in (EPOCH, EPOCH_MS) else ""
        fields = {"key": FieldSource(from_="key"), "changed_at": FieldSource(from_="changed_at", format=own)}
        return RecordMapping(builders.change_builder(area), fields)

    async def check(self) -> None:
        """Start every query once and read no row; raises what a question would."""
        await self._database.run(self._check)

    def _check(self, connection: Connection) -> None:
        since = as_stored(poll_start(TimeCursor()), self._time_format, self.context.zone)
        asked = {"sku": "", "number": "", "id": None, "text": "", "like": _like(""), "today": self._today()}
        for query in self._queries.values():
            query.check(connection, self.name, **asked, since=since, limit=1, offset=0)

    async def close(self) -> None:
        """Give the connections back."""
        await self._database.close()

    async def read_document(self, kind: Listing[D], number: str) -> D:
        return await self._database.run(partial(self._document, kind=kind, number=number))

    async def read_documents(
        self, area: Area, numbers: Sequence[str]
    ) -> tuple[SalesOrder | Invoice | PurchaseOrder | ProductionOrder, ...]:
        """Return those of many documents that there are, with their lines, over one connection."""
        kind = next(kind for kind in KINDS if kind.area is area)
        with malformed_is_invalid(self.name):
            return await self._database.run(partial(self._documents, kind=kind, numbers=numbers))

    def _documents(self, connection: Connection, kind: Listing[Any], numbers: Sequence[str]) -> tuple[Any, ...]:
        found = []
        for number in numbers:
            with suppress(NotFound):
                found.append(self._document(connection, kind, checked_key(number, source=self.name)))
        return tuple(found)

    def _document(self, connection: Connection, kind: Listing[D], number: str) -> D:
        section = builders.section_of(kind)
        row = self._row(connection, section, number, number=number)
        lines: list[Row] = []
        if f"{section}.lines" in self._queries:
            given = {"number": self._reader.key(self._mapped[section], row), "id": self._id(section, row)}
            lines = self._rows(connection, f"{section}.lines", **given)
        found: D = self._reader.single(self._mapped[section], row, lines)
        return found

    def _id(self, section: str, row: Row) -> Any:
        """Return a document's id as the database has it: a number stays a number."""
        origin = self._mapped[section].fields.get("id")
        return None if origin is None else look(row, origin.from_)

    async def list_documents(self, kind: Listing[D], query: ListQuery) -> Slice[D]:
        if not is_encodable(query.text + query.partner):
            return Slice(items=(), total=0)
        return await self._database.run(partial(self._list, kind=kind, query=query))

    def _list(self, connection: Connection, kind: Listing[D], query: ListQuery) -> Slice[D]:
        section = builders.section_of(kind)
        own = f"{section}.{query.filter}"
        place = own if query.filter is not Filter.ALL and own in self._queries else f"{section}.list"
        text = searched_text(query)
        given: dict[str, Any] = {"text": text, "like": _like(text), "today": self._today()}
        if self._queries[place].pages_itself and is_plain(query):
            return self._own_page(connection, section, query, place, given)
        if self._queries[place].pages_itself:
            # Such a query knows neither days nor partners: all its rows are read, up to the most that an answer may
            # hold.
            given |= {"limit": self._options.most_rows + 1, "offset": 0}
        documents = self._reader.many(self._mapped[section], self._rows(connection, place, **given))
        return kind.pick(documents, query, self.context.today())

    def _own_page(
        self, connection: Connection, section: str, query: ListQuery, place: str, given: dict[str, Any]
    ) -> Slice[Any]:
        """Return the page of a query that pages itself; every row has the number of all rows."""
        rows = self._rows(connection, place, **given, limit=query.limit, offset=query.offset)
        # Beyond the last page there is no row that has it.
        counted = rows or (self._rows(connection, place, **given, limit=1, offset=0) if query.offset else [])
        found = self._reader.many(self._mapped[section], rows[: query.limit])
        return Slice(items=tuple(found), total=int(look(counted[0], _ALL_ROWS)) if counted else 0)

    def _today(self) -> date | str:
        today = self.context.today()
        return today.isoformat() if self._database.dialect == "sqlite" else today

    def _row(self, connection: Connection, section: str, key: str, **given: Any) -> Row:
        """Return the row of a key; raises `NotFound`."""
        rows = self._rows(connection, f"{section}.one", **given)
        found = matching(rows, key, partial(self._reader.key, self._mapped[section]), source=self.name)
        if found is None:
            raise NotFound(key, source=self.name)
        return found  # type: ignore[no-any-return]  # one of the rows

    def _rows(self, connection: Connection, place: str, **given: Any) -> list[Row]:
        return self._queries[place].rows(connection, self._options.most_rows, self.name, **given)


def _like(text: str) -> str:
    """Return the pattern of ``LIKE :like ESCAPE '!'`` for texts that contain ``text``."""
    return f"%{text.translate(_ESCAPE)}%"


def _prepared(options: SqlOptions) -> list[tuple[str, PreparedQuery]]:
    """Return all queries by their place in the configuration."""
    found: list[PreparedQuery] = []
    complete = partial(with_views, views=options.views)
    for place, section in sections_of(options).items():
        for name in ("one", "list", "late", "overdue", "pending", "total"):
            sql = getattr(section, name, None)
            if sql is not None:
                also = (_ALL_ROWS,) if place in _LISTED and name != "one" and pages_itself(sql) else ()
                found.append(prepare(f"{place}.{name}", complete(sql), section.fields, also=also))
        for name in ("lines", "places", "lots"):
            part = getattr(section, name, None)
            if part is not None:
                found.append(prepare(f"{place}.{name}", complete(part.query), part.fields))
        changes = getattr(section, "changes", None)
        if changes is not None:
            found.append(prepare(f"{place}.changes", complete(changes), also=("key", "changed_at")))
    return [(query.place, query) for query in found]


_LISTED = frozenset(document.section for document in builders.DOCUMENTS)
