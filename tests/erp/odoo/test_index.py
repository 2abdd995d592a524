"""The index over Odoo: products without an internal reference stay, and many products cost few calls."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.erp.hub import ErpHub
from bot.erp.index.follower import IndexFollower
from bot.erp.index.search import ProductIndex
from bot.metrics import Metrics
from bot.store.database import Database
from bot.store.product_index import StoredProductIndex
from bot.testing.company import Clock, ReferenceCompany
from bot.testing.fake_erp import RequestKind
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
    follower = IndexFollower("main", hub, store, index, now=clock.now)
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
    assert server.requests.count(RequestKind.READ) == 2, "the answer has two pages"
    some = await erp.read_products(["V-1", "*1000", "GONE", "*9999", "*2000"])
    assert {product.sku for product in some} == {"V-1", "*1000"}, "*2000 has a code by now"
