"""The reference company in the tables of a vendor whose ERP keeps them on SQL Server; here they stand in PostgreSQL.

Names are lower-case, as PostgreSQL reads them without quotes. Times are of Shanghai without a zone, in thousandths of a
second as SQL Server's ``datetime`` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    and_,
    create_engine,
    delete,
    insert,
)
from sqlalchemy.engine import Connection

from bot.erp.model import (
    Area,
    Customer,
    Invoice,
    Money,
    ProductionOrder,
    PurchaseOrder,
    SalesOrder,
    StockLevel,
    Supplier,
    WarehouseStock,
)
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import Installation
from tests.erp.fakes.shapes import named

ZONE = ZoneInfo("Asia/Shanghai")

Rows = list[tuple[Table, dict[str, Any]]]

CURRENCY_NAMES = {"CNY": "人民币", "USD": "美元", "EUR": "欧元", "JPY": "日元"}


def table(meta: MetaData, name: str, key: str, **columns: str) -> Table:
    """Return a table; ``columns`` are names by kind (text, number, whole, flag, day, moment), ``key`` names some."""
    keys = key.lower().split()
    kinds = {
        each.lower(): kind()
        for kind_name, names in columns.items()
        for each in names.split()
        for kind in (_KINDS[kind_name],)
    }
    ordered = [*keys, *(each for each in kinds if each not in keys)]
    return Table(name.lower(), meta, *(Column(each, kinds[each], primary_key=each in keys) for each in ordered))


_KINDS: dict[str, Any] = {
    "text": Text,
    "number": Numeric,
    "whole": Integer,
    "flag": Boolean,
    "day": Date,
    "moment": DateTime,
}


class VendorTables(Installation):
    """Tables of a vendor in a database; whatever stood in tables of these names is replaced."""

    meta: ClassVar[MetaData]
    _held: ClassVar[dict[tuple[str, str], dict[tuple[Area, str], Rows]]] = {}
    """What stands in each database, by record: to write a company takes longer than most tests read."""

    def __init__(self, company: ReferenceCompany, clock: Clock, url: str) -> None:
        super().__init__(company, clock)
        self.url = url
        self._engine: Engine | None = None

    def fixed_rows(self) -> Rows:
        """Return what no document changes, such as warehouses and customers."""
        raise NotImplementedError

    def rows(self, area: Area, key: str) -> Rows:
        """Return the rows of a record; those of a product stand with its stock."""
        spelled: dict[Area, Callable[[Any], Rows]] = {
            Area.STOCK: self.product,
            Area.SALES: self.order,
            Area.FINANCE: self.bill,
            Area.PURCHASING: self.purchase,
            Area.PRODUCTION: self.production,
        }
        return spelled[area](self.company.records(area)[key])

    def links(self) -> Mapping[str, Callable[[Any], Any]]:
        """Return how columns tell what they take over of records: of all others the value itself is stored."""
        return {}

    def told(self, record: Any, shape: str) -> dict[str, Any]:
        """Return the columns that take over a record's fields, as `named` spells them."""
        links = self.links()
        return {
            column: links[column](value) if column in links else value for column, value in named(record, shape).items()
        }

    def lines(self, table: Table, record: Any, keys: Callable[[int], dict[str, Any]], shape: str) -> Rows:
        """Return a row for each line of a record; ``keys`` makes its keys of its count."""
        return [(table, keys(n) | self.told(line, shape)) for n, line in enumerate(record.lines, 1)]

    # What a vendor has no tables of has no rows.

    def product(self, level: StockLevel) -> Rows:
        return []

    def order(self, order: SalesOrder) -> Rows:
        return []

    def bill(self, invoice: Invoice) -> Rows:
        return []

    def purchase(self, order: PurchaseOrder) -> Rows:
        return []

    def production(self, order: ProductionOrder) -> Rows:
        return []

    # The numbers by which records of these tables name one another

    def units(self) -> dict[str, str]:
        return numbered(product.unit for product in self.company.products.values())

    def classes(self) -> dict[str, str]:
        return numbered(product.category for product in self.company.products.values())

    def item(self, sku: str) -> int:
        return int(numbered(self.company.products)[sku])

    def person(self, name: str) -> int:
        return next(n for n, user in enumerate(self.company.users, 1) if user.name == name)

    def customer(self, name: str) -> Customer:
        return next(each for each in self.company.customers.values() if each.name == name)

    def vendor(self, name: str) -> Supplier:
        return next(each for each in self.company.vendors.values() if each.name == name)

    @property
    def engine(self) -> Engine:
        """Return an engine for tests that change the tables themselves."""
        assert self._engine is not None
        self._held.pop(self._place, None)
        return self._engine

    async def start(self) -> None:
        """Write what the database does not hold of the company, and all its later changes."""
        self._engine = create_engine(self.url)
        with self._engine.begin() as connection:
            if self._place not in self._held:
                self.meta.drop_all(connection)
                self.meta.create_all(connection)
                _add(connection, self.fixed_rows())
                self._held[self._place] = {}
            self._write(connection, {(area, key) for area in _AREAS for key in self.company.records(area)})
        self.company.watch(self._follow)

    async def stop(self) -> None:
        """Close the database."""
        if self._engine is not None:
            self._engine.dispose()

    @property
    def _place(self) -> tuple[str, str]:
        return self.url, type(self).__name__

    def _follow(self, area: Area, key: str) -> None:
        assert self._engine is not None
        with self._engine.begin() as connection:
            self._write(connection, {(Area.STOCK if area is Area.PRODUCTS else area, key)})

    def _write(self, connection: Connection, records: Iterable[tuple[Area, str]]) -> None:
        held = self._held[self._place]
        wanted = {record: self.rows(*record) for record in records}
        changed = {record: rows for record, rows in wanted.items() if held.get(record) != rows}
        for record in changed:
            for each, row in held.get(record, []):
                known = {name.lower(): value for name, value in row.items()}
                connection.execute(delete(each).where(and_(*(c == known[c.name] for c in each.primary_key))))
        _add(connection, [row for rows in changed.values() for row in rows])
        held.update(changed)


_AREAS = tuple(area for area in Area if area is not Area.PRODUCTS)


def _add(connection: Connection, rows: Rows) -> None:
    """Insert rows, together for each table."""
    of_table: dict[Table, list[dict[str, Any]]] = {}
    for each, row in rows:
        values = {name.lower(): _stored(value) for name, value in row.items()}
        # All columns in all rows: rows are inserted together by the columns of the first.
        of_table.setdefault(each, []).append({column.name: values.get(column.name) for column in each.columns})
    for each, kept in of_table.items():
        connection.execute(insert(each), kept)


def _stored(value: Any) -> Any:
    match value:
        case Money():
            return value.amount
        case datetime():
            local = value.astimezone(ZONE).replace(tzinfo=None)
            return local.replace(microsecond=local.microsecond // 1000 * 1000)
        case date():
            return datetime.combine(value, time())
        case _:
            return value


def batches(level: StockLevel, place: WarehouseStock) -> list[tuple[str, Decimal, date | None]]:
    """Return what lies in a warehouse by lot: number, quantity and last day; what has no number comes last."""
    held = [lot for lot in level.lots if lot.warehouse == place.code]
    rest = (place.quantities.on_hand or Decimal(0)) - sum((lot.quantity or Decimal(0) for lot in held), Decimal(0))
    return [*((lot.number, lot.quantity or Decimal(0), lot.expires_on) for lot in held), ("", rest, None)]


def share_of(amount: Money | None, part: Decimal) -> Decimal:
    """Return part of an amount, zero of none."""
    return Decimal(0) if amount is None else amount.amount * part


def numbered(names: Iterable[str]) -> dict[str, str]:
    """Return a code for each different name."""
    return {name: f"{n:03}" for n, name in enumerate(dict.fromkeys(names), 1)}
