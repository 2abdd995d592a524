"""The demo ERP's database with the reference company instead of the demo company."""

from __future__ import annotations

from collections import deque
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Engine, create_engine, delete
from sqlalchemy.engine import Connection

from bot.erp.kinds import QUOTATIONS, Kind
from bot.erp.model import Approval, Area, Customer, PurchaseOrder, ReviewState, StockLevel, Supplier
from bot.kit.company import seeding
from bot.kit.company import tables as t
from bot.kit.company.adapter import open_demo
from bot.kit.company.catalogue import Article
from bot.kit.company.client import writing
from bot.kit.company.company import ArticleStock, DemoCompany
from bot.kit.company.decisions import note_change
from bot.kit.company.supply import pending_for
from bot.kit.company.tables import fold
from bot.kit.testing.company import Clock, ReferenceCompany, keys_by_change_time, snapshot_of
from bot.kit.testing.fake_erp import Installation
from tests.bare_records import with_review

PEOPLE = {
    "anna": "buymanager01", "carla": "boss01", "boris": "finance01", "dora": "buyer01", "guest": "keeper01",
}  # fmt: skip
"""The demo company's person for each person of the reference company."""

_MOST = Decimal(9_000_000_000_000)
"""Just below the limit of the demo's columns (`bot.mechanisms.column_types`)."""


class DemoInstallation(Installation):
    """An SQLite file with the tables of the demo ERP."""

    _files: ClassVar[deque[tuple[list[Any], bytes]]] = deque(maxlen=4)
    """Companies and their database files, to be copied: writing one takes 40 ms, and most tests only read."""

    def __init__(self, company: ReferenceCompany, clock: Clock, folder: Path) -> None:
        super().__init__(company, clock)
        self.file = folder / "demo.sqlite3"
        self._engine: Engine | None = None

    async def start(self) -> None:
        """Write the company, and all its later changes."""
        company = snapshot_of(self.company)
        written = next((file for known, file in self._files if known == company), None)
        if written is not None:
            self.file.write_bytes(written)
        self._engine = create_engine(f"sqlite:///{self.file}", isolation_level="AUTOCOMMIT")
        if written is None:
            self._write(self._engine)
            self._files.append((company, self.file.read_bytes()))
        self.company.watch(self._follow)

    def _write(self, engine: Engine) -> None:
        company = self.company
        with engine.connect() as connection, writing(connection):
            whole = replace(
                self._extract(*Area),
                customers=_all(company.customers),
                vendors=_all(company.vendors),
                bills=_all(company.bills),
                payments=_all(company.payments),
                quotations=_all(company.documents(QUOTATIONS)),
            )
            seeding.fill(connection, whole, company.warehouses)
            # In the demo company, products change with their stock; here they have separate times.
            for sku in keys_by_change_time(company, Area.PRODUCTS):
                note_change(connection, Area.PRODUCTS, sku, company.changed_at(Area.PRODUCTS, sku))

    async def stop(self) -> None:
        """Close the file."""
        if self._engine is not None:
            self._engine.dispose()

    async def document(self, kind: Kind[Any], number: str) -> Any:
        """Return a document as read through a separate connection."""
        beside = await open_demo(self.file, today=self.company.today, now=self.clock.now)
        try:
            return await beside.document(kind, number)
        finally:
            await beside.close()

    def _follow(self, area: Area, key: str) -> None:
        assert self._engine is not None
        with self._engine.connect() as connection, writing(connection):
            _remove(connection, area, key)
            seeding.insert_company(connection, self._extract(area, key=key))
            note_change(connection, area, key, self.company.changed_at(area, key))

    def _extract(self, *areas: Area, key: str | None = None) -> DemoCompany:
        """Return the records of some areas, or only the one with ``key``, in the demo company's form."""

        def records(area: Area) -> tuple[Any, ...]:
            stored = self.company.records(area) if area in areas else {}
            return tuple(as_demo(record) for known, record in stored.items() if key in (None, known))

        whole = key is None
        held = records(Area.STOCK) or tuple(
            as_demo(self.company.stock[product.sku]) for product in records(Area.PRODUCTS)
        )
        return DemoCompany(
            holdings=tuple(self._holding(level) for level in held),
            orders=records(Area.SALES),
            invoices=records(Area.FINANCE),
            purchases=records(Area.PURCHASING),
            productions=records(Area.PRODUCTION),
            deliveries=tuple(map(as_demo, self.company.deliveries.values())) if whole else (),
            receipts=tuple(map(as_demo, self.company.receipts.values())) if whole else (),
            components=self.company.components if whole else {},
            supplies=self.company.supplies if whole else {},
        )

    def _holding(self, level: StockLevel) -> ArticleStock:
        price = self.company.list_prices[level.product.sku].amount
        return ArticleStock(
            article=Article(level.product, initials="", price=price, step=Decimal(1), made=False),
            per_warehouse={place.code: place.quantities for place in level.per_warehouse},
            reorder_point=level.reorder_point,
            changed_at=level.as_of,
            lots=level.lots,
        )


def _all(records: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(map(as_demo, records.values()))


_TABLES: dict[Area, tuple[type[t.DemoTable], ...]] = {
    Area.PRODUCTS: (t.ProductRow, t.StockRow, t.LotRow),
    Area.STOCK: (t.ProductRow, t.StockRow, t.LotRow),
    Area.SALES: (t.OrderRow, t.OrderLineRow),
    Area.FINANCE: (t.InvoiceRow,),
    Area.PURCHASING: (t.PurchaseRow, t.PurchaseLineRow, t.DecisionRow),
    Area.PRODUCTION: (t.ProductionRow,),
}


def _remove(connection: Connection, area: Area, key: str) -> None:
    for model in _TABLES[area]:
        columns = t.table(model).c
        column = columns.sku_key if "sku_key" in columns else columns.number_key
        connection.execute(delete(t.table(model)).where(column == fold(key)))


def as_demo(record: Any) -> Any:
    """Return a record that the demo ERP can hold: with its own people, and amounts that fit its columns."""
    record = _fitting(record)
    if isinstance(record, Customer):
        return replace(record, receivable=None)
    if isinstance(record, Supplier):
        return replace(record, payable=None)
    if not isinstance(record, PurchaseOrder):
        return record
    requester = PEOPLE.get(record.review.requester, record.review.requester)
    changed_by = PEOPLE.get(record.review.changed_by, record.review.changed_by)
    return with_review(record, approval=_approval(record, requester), requester=requester, changed_by=changed_by)


def _approval(order: PurchaseOrder, requester: str) -> Approval | None:
    approval = order.review.approval
    if approval is None:
        return None
    by = PEOPLE.get(approval.decided_by, approval.decided_by)
    waits = order.status is ReviewState.WAITING
    return replace(approval, decided_by=by, pending_for=pending_for(approval.level, requester, by) if waits else ())


def _fitting(value: Any) -> Any:
    if isinstance(value, Decimal):
        return (value / 10).quantize(Decimal("0.000001"), ROUND_DOWN) if value > _MOST else value
    if isinstance(value, tuple):
        return tuple(map(_fitting, value))
    if is_dataclass(value) and not isinstance(value, type | datetime):
        return replace(value, **{each.name: _fitting(getattr(value, each.name)) for each in fields(value)})
    return value
