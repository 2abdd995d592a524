"""The index over Odoo: products without an internal reference stay, and many products cost few calls."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.erp.hub import ErpHub
from bot.erp.index.follower import BATCH, IndexFollower
from bot.erp.index.search import ProductIndex
from bot.erp.model import Area
from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import RequestKind
from bot.mechanisms.metrics import Metrics
from bot.store.database import Database
from bot.store.erp.product_index import StoredProductIndex
from tests.erp.fakes.odoo import FakeOdoo
from tests.erp.fakes.odoo_engine import OdooModel, Record
from tests.erp.odoo.conftest import Open


class Catalogue:
    """The products of a fake Odoo; tests add some and archive or delete others."""

    def __init__(self, clock: Clock) -> None:
        full = FakeOdoo(ReferenceCompany(now=clock.now), clock)
        model = full.records("product.product")
        assert model is not None
        self.clock, self.model, self.rows = clock, model, list(model.records)
        self.server = FakeOdoo(full.company, clock, models=self._models)
        self._full = full

    def _models(self, name: str) -> OdooModel | None:
        model = self._full.records(name)
        return replace(model, records=self.rows) if name == "product.product" and model is not None else model

    def add(self, number: int, name: str, code: str | None = None) -> Record:
        row = {**self.rows[0], "id": number, "default_code": code, "name": name, "barcode": None,
               "display_name": name, "write_date": self.clock.now()}  # fmt: skip
        self.rows.append(row)
        return row


@pytest.fixture
def catalogue(clock: Clock) -> Catalogue:
    return Catalogue(clock)


async def test_products_without_a_reference_stay_when_the_index_is_built(
    catalogue: Catalogue, open_odoo: Open, clock: Clock, tmp_path: Path
) -> None:
    archived = catalogue.add(568, "无编码弹簧")
    catalogue.add(569, "无编码阀门")
    erp, _ = await open_odoo(server=catalogue.server)
    assert [product.sku for product in await erp.find_products("*568", limit=5)] == ["*568"]
    assert await erp.find_products("*101", limit=5) == (), "it has a code"
    database = Database(f"sqlite:///{tmp_path / 'index.sqlite3'}")
    await database.migrate()
    searches = Database(f"sqlite:///{tmp_path / 'index.sqlite3'}")
    store, metrics = StoredProductIndex(database, searches), Metrics()
    index = ProductIndex(store, metrics=metrics, now=clock.now)
    hub = ErpHub([erp], metrics=metrics, now=clock.now, index=index)
    follower = IndexFollower(hub.source_client("main"), store, index, now=clock.now)
    await follower.catch_up()

    async def found(text: str) -> list[str]:
        return [product.sku for product in (await hub.find_products(text, limit=5)).value]

    assert index.ready("main")
    assert await found("弹簧") == ["*568"]
    assert await found("tanhuang") == ["*568"]
    assert await found("*569") == ["*569"]
    clock.advance(300)
    archived |= {"active": False, "write_date": clock.now()}
    await follower.catch_up()
    assert await found("弹簧") == []
    assert await found("阀门") == ["*569"]
    await hub.close()
    await searches.close()
    await database.close()


async def test_many_products_cost_one_call(catalogue: Catalogue, open_odoo: Open) -> None:
    nameless = [catalogue.add(1_000 + number, f"弹簧 {number}") for number in range(300)]
    coded = [catalogue.add(2_000 + number, f"阀门 {number}", f"V-{number}") for number in range(300)]
    erp, server = await open_odoo(server=catalogue.server)
    await erp.find_products("warm", limit=1)
    server.requests.clear()
    skus = [*(f"*{row['id']}" for row in nameless), *(row["default_code"] for row in coded)]
    assert {product.sku for product in await erp.read_products(skus)} == set(skus)
    assert server.requests.count(RequestKind.READ) == 1
    some = await erp.read_products(["V-1", "*1000", "GONE", "*9999", "*2000"])
    assert {product.sku for product in some} == {"V-1", "*1000"}, "*2000 has a code by now"


async def test_stock_of_an_archived_product_is_told_as_such(catalogue: Catalogue, open_odoo: Open) -> None:
    archived = catalogue.add(3_001, "旧轴承", "OLD-1")
    archived |= {"active": False}
    twin = catalogue.add(3_002, "旧螺母", "SKU123")
    twin |= {"active": False}
    erp, server = await open_odoo(server=catalogue.server)
    await erp.stock("SKU124")
    server.requests.clear()
    level = await erp.stock("OLD-1")
    assert (level.product.name, level.product.is_active) == ("旧轴承", False)
    assert server.requests.count(RequestKind.READ) <= 4
    current = await erp.stock("SKU123")
    assert (current.product.name, current.product.is_active) == ("Hex bolt M6×20", True)


class ProductTable:
    """50 000 products in the order of their changes, some of which share a second."""

    def __init__(self, clock: Clock) -> None:
        self.calls = 0
        self.rows = [
            {
                "id": n,
                "default_code": f"P-{n:05}",
                "name": f"Product {n}",
                "write_date": f"{clock.now() - timedelta(days=9) + timedelta(seconds=n // 5):%Y-%m-%d %H:%M:%S}",
            }
            for n in range(1, 50_001)
        ]
        self.by_code = {row["default_code"]: row for row in self.rows}

    async def call(self, model: str, method: str, **arguments: Any) -> Any:
        self.calls += 1
        if method == "fields_get":
            return {name: {"type": "char"} for name in self.rows[0]}
        conditions = [term for term in arguments["domain"] if isinstance(term, list)]
        return self._found({term[0]: term[2] for term in conditions})[: arguments["limit"]]

    def _found(self, wanted: Mapping[str, Any]) -> list[Record]:
        if "default_code" in wanted:
            return [self.by_code[code] for code in wanted["default_code"] if code in self.by_code]
        since = wanted.get("write_date", "")
        return self.rows[bisect_left(self.rows, since, key=lambda row: str(row["write_date"])) :]


async def test_the_first_index_of_50_000_products_takes_200_calls(
    open_odoo: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the follower asks: a batch of changes, then the products behind them."""
    erp, _ = await open_odoo()
    table = ProductTable(clock)
    monkeypatch.setattr(erp._client, "call", table.call)
    found: set[str] = set()
    cursor, more = "", True
    while more:
        changes = await erp.changed_since(Area.PRODUCTS, cursor, limit=BATCH)
        found |= {product.sku for product in await erp.read_products([change.key for change in changes.items])}
        cursor, more = changes.cursor, changes.more
    assert len(found) == 50_000
    assert table.calls <= 200
