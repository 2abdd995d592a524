"""A company database behind the bot's port: reads only, each question one trip to the database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from bot.erp import listing
from bot.erp.cursor import TimeCursor
from bot.erp.errors import Invalid, NotFound
from bot.erp.goods.port import ArrivalQuery, ShortageQuery, WarehouseQuery
from bot.erp.keys import checked_key
from bot.erp.kinds import D, Kind, kind_followed
from bot.erp.mapped import builders
from bot.erp.mapped.adapter import (
    MappedErp,
    as_stored,
    is_encodable,
    is_plain,
    once_each,
    poll_start,
    require_rest,
    searched_text,
)
from bot.erp.mapped.areas import capabilities_of, feeds_of, mappings_of, sections_of
from bot.erp.mapped.bad_values import BadValues
from bot.erp.mapped.reader import MappingContext, RecordMapping, RecordReader, matching
from bot.erp.mapped.sources import EPOCH, EPOCH_MS, FieldSource
from bot.erp.model import (
    Area,
    Changes,
    ErpRecord,
    Followed,
    Product,
    Slice,
    StockLevel,
)
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents
from bot.erp.port import Capability, Filter, ListQuery
from bot.erp.sql.client import ReadOnlyDatabase
from bot.erp.sql.goods import SqlGoods
from bot.erp.sql.mapping import ALL_ROWS, Row, like, look, prepared_queries
from bot.erp.sql.options import SqlOptions
from bot.erp.values import malformed_is_invalid
from bot.erp.vendors import AdapterContext

_TIME_FORMATS = {"sqlite": "%Y-%m-%d %H:%M:%S", "postgresql": "zoned"}


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
        self._queries = prepared_queries(options, name)
        self._mapped = mappings_of(sections_of(options))
        self._goods = SqlGoods(self._queries, self._reader, self._mapped, self._product)
        self.feeds = feeds_of(sections_of(options))
        self.capabilities = capabilities_of(sections_of(options))

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        if self._options.products is None:
            self._refuse("products")
        if not is_encodable(text):
            return ()
        return await self._database.run(partial(self._search, text=text, limit=limit))

    def _search(self, connection: Connection, text: str, limit: int) -> tuple[Product, ...]:
        rows = self._queries.rows(connection, "products.list", text=text, like=like(text))
        return listing.find_products(self._reader.many(self._mapped["products"], rows), text, limit=limit)

    async def stock(self, sku: str) -> StockLevel:
        if self._options.stock is None:
            self._refuse(Capability.STOCK)
        return await self._database.run(partial(self._level, sku=checked_key(sku, source=self.name)))

    def _level(self, connection: Connection, sku: str) -> StockLevel:
        product = self._product(connection, sku)
        places, total = [], None
        if "stock.places" in self._queries:
            rows = self._queries.rows(connection, "stock.places", sku=product.sku)
            places = [self._reader.single(self._mapped["stock.places"], row) for row in rows]
        if "stock.total" in self._queries:
            rows = self._queries.rows(connection, "stock.total", sku=product.sku)
            if len(rows) > 1:
                raise Invalid("stock.total gives several rows of one product", source=self.name)
            total = self._reader.single(self._mapped["stock"], rows[0]) if rows else None
        lots = []
        if "stock.lots" in self._queries:
            rows = self._queries.rows(connection, "stock.lots", sku=product.sku)
            lots = [self._reader.single(self._mapped["stock.lots"], row) for row in rows]
        figures = frozenset(self._mapped["stock.places"].fields) if "stock.places" in self._mapped else frozenset()
        return builders.stock_level(product, total, tuple(places), figures, self.context, lots)

    def _product(self, connection: Connection, sku: str) -> Product:
        row = self._row(connection, "products", sku, sku=sku)
        product: Product = self._reader.single(self._mapped["products"], row)
        return product

    async def product(self, sku: str) -> ProductDetails:
        self._check_capability(Capability.PRODUCT_DETAILS)
        return await self._database.run(partial(self._goods.product, sku=checked_key(sku, source=self.name)))

    async def prices(self, sku: str, *, customer: str) -> Prices:
        self._check_capability(Capability.PRICES)
        sku = checked_key(sku, source=self.name)
        return await self._database.run(partial(self._goods.prices, sku=sku, customer=customer))

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        self._check_capability(Capability.ARRIVALS)
        if not is_encodable(query.sku):
            return Slice(items=(), total=0)
        return await self._database.run(partial(self._goods.arrivals, query=query, today=self._today()))

    async def read_of_order(self, kind: Kind[D], number: str) -> Sequence[D]:
        assert kind.origin is not None
        return await self._database.run(partial(self._moved_for, kind=kind, orders=kind.origin.area, order=number))

    def _moved_for(self, connection: Connection, kind: Kind[D], orders: Area, order: str) -> Sequence[D]:
        is_known = getattr(self._options, orders) is not None
        if is_known:
            order = self._reader.key(self._mapped[orders], self._row(connection, orders, order, number=order))
        rows = self._queries.rows(connection, f"{builders.section_of(kind)}.of_order", number=order)
        if not rows and not is_known:
            raise NotFound(order, source=self.name)
        return [self._whole(connection, kind, row) for row in rows]

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        self._check_capability(Capability.SHORTAGES)
        return await self._database.run(partial(self._goods.shortages, query=query))

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        self._check_capability(Capability.WAREHOUSE_STOCK)
        return await self._database.run(partial(self._goods.warehouse_stock, query=query))

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        """Return the next changes of an area; raises `Invalid` for a cursor that is not ours."""
        if f"{area}.changes" not in self._queries:
            self._refuse(f"changes of {area}")
        at = TimeCursor.parse(cursor)
        found = await self._database.run(partial(self._changes, area=area, at=at, limit=limit))
        return self.next_changes(area, at, found, limit)

    def _changes(
        self, connection: Connection, area: Followed, at: TimeCursor, limit: int
    ) -> list[tuple[str, datetime]]:
        since = as_stored(poll_start(at), self._time_format, self.context.zone)
        rows = self._queries.rows(connection, f"{area}.changes", since=since, limit=at.fetch_size(limit))
        return self._reader.many(self._change(area), rows)

    def _change(self, area: Followed) -> RecordMapping[tuple[str, datetime]]:
        own = self._time_format if self._time_format in (EPOCH, EPOCH_MS) else ""
        fields = {"key": FieldSource(from_="key"), "changed_at": FieldSource(from_="changed_at", format=own)}
        return RecordMapping(builders.change_builder(area), fields)

    async def check(self) -> None:
        """Start every query once and read no row; raises what a question would."""
        await self._database.run(self._check)

    def _check(self, connection: Connection) -> None:
        since = as_stored(poll_start(TimeCursor()), self._time_format, self.context.zone)
        asked = {"sku": "", "number": "", "id": None, "warehouse": "", "text": "", "like": like("")}
        self._queries.check(connection, **asked, today=self._today(), since=since, limit=1, offset=0)

    async def close(self) -> None:
        """Give the connections back."""
        await self._database.close()

    async def read_document(self, kind: Kind[D], number: str) -> D:
        return await self._database.run(partial(self._document, kind=kind, number=number))

    async def read_documents(self, area: Followed, numbers: Sequence[str]) -> tuple[ErpRecord, ...]:
        """Return the documents that exist among many numbers, with their lines, over one connection."""
        kind = kind_followed(area)
        self._check_capability(kind.capability)
        with malformed_is_invalid(self.name):
            return await self._database.run(partial(self._documents, kind=kind, numbers=numbers))

    def _documents(self, connection: Connection, kind: Kind[Any], numbers: Sequence[str]) -> tuple[Any, ...]:
        found = []
        for number in numbers:
            with suppress(NotFound):
                found.append(self._document(connection, kind, checked_key(number, source=self.name)))
        return tuple(found)

    def _document(self, connection: Connection, kind: Kind[D], number: str) -> D:
        row = self._row(connection, builders.section_of(kind), number, number=number)
        return self._whole(connection, kind, row)

    def _whole(self, connection: Connection, kind: Kind[D], row: Row) -> D:
        """Return the document of a row with its lines."""
        section = builders.section_of(kind)
        lines: list[Row] = []
        if f"{section}.lines" in self._queries:
            given = {"number": self._reader.key(self._mapped[section], row), "id": self._id(section, row)}
            lines = self._queries.rows(connection, f"{section}.lines", **given)
        found: D = self._reader.single(self._mapped[section], row, lines)
        return found

    def _id(self, section: str, row: Row) -> Any:
        """Return a document's id as the database has it: a number stays a number."""
        origin = self._mapped[section].fields.get("id")
        return None if origin is None else look(row, origin.from_)

    async def list_documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        if not is_encodable(query.text + query.partner + query.product):
            return Slice(items=(), total=0)
        return await self._database.run(partial(self._list, kind=kind, query=query))

    def _list(self, connection: Connection, kind: Kind[D], query: ListQuery) -> Slice[D]:
        section = builders.section_of(kind)
        if query.product:
            place = f"{section}.of_product"
            rows = self._queries.rows(connection, place, sku=query.product, today=self._today(query.today))
            return self._picked(kind, query, rows)
        own = f"{section}.{query.filter}"
        place = own if query.filter is not Filter.ALL and own in self._queries else f"{section}.list"
        text = searched_text(query)
        given: dict[str, Any] = {"text": text, "like": like(text), "today": self._today(query.today)}
        if self._queries.pages_itself(place) and is_plain(query):
            return self._own_page(connection, section, query, place, given)
        require_rest(self._mapped[section], query, source=self.name)
        if self._queries.pages_itself(place):
            # Such a query knows neither days nor partners: all its rows are read, up to the most that an answer may
            # hold.
            given |= {"limit": self._options.most_rows + 1, "offset": 0}
        return self._picked(kind, query, self._queries.rows(connection, place, **given))

    def _picked(self, kind: Kind[D], query: ListQuery, rows: Sequence[Row]) -> Slice[D]:
        """Return the part of a list that a query asks for; of which product its documents are the rows have said."""
        documents: list[D] = self._reader.many(self._mapped[builders.section_of(kind)], rows)
        if query.product:
            # A join with the lines repeats an order that has two of them.
            documents = once_each(documents)
        return kind.pick(documents, replace(query, product=""), query.day(self.context.today()))

    def _own_page(
        self, connection: Connection, section: str, query: ListQuery, place: str, given: dict[str, Any]
    ) -> Slice[Any]:
        """Return the page of a query that pages itself; every row has the number of all rows."""
        rows = self._queries.rows(connection, place, **given, limit=query.limit, offset=query.offset)
        # Beyond the last page there is no row that has it.
        counted = rows or (self._queries.rows(connection, place, **given, limit=1, offset=0) if query.offset else [])
        found = self._reader.many(self._mapped[section], rows[: query.limit])
        return Slice(items=tuple(found), total=int(look(counted[0], ALL_ROWS)) if counted else 0)

    def _today(self, day: date | None = None) -> date | str:
        today = day or self.context.today()
        return today.isoformat() if self._database.dialect == "sqlite" else today

    def _row(self, connection: Connection, section: str, key: str, **given: Any) -> Row:
        """Return the row of a key; raises `NotFound`."""
        rows = self._queries.rows(connection, f"{section}.one", **given)
        found = matching(rows, key, partial(self._reader.key, self._mapped[section]), source=self.name)
        if found is None:
            raise NotFound(key, source=self.name)
        return found  # type: ignore[no-any-return]  # one of the rows
