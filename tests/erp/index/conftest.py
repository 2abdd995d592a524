"""The index in a database of its own, on SQLite and on PostgreSQL, over sources that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.erp.hub import ErpHub
from bot.erp.index.follower import IndexFollower
from bot.erp.index.pinyin import look_up
from bot.erp.index.port import Readings
from bot.erp.index.search import ProductIndex
from bot.mechanisms.metrics import Metrics
from bot.store.database import Database
from bot.store.erp.product_index import StoredProductIndex
from tests.erp.index.catalogue import Clock, MutableCatalogue

SIGNS = "螺丝栓母垫圈钢不锈内六角平头重型长轴承弹簧行车单双调节绿色乐器十字电机减速机轮皮带阀门接管银仓加厚"


@pytest.fixture(scope="session")
def readings() -> Readings:
    return asyncio.run(look_up(SIGNS))


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(address: str) -> AsyncIterator[Database]:
    database = Database(address)
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
async def searches(address: str, database: Database) -> AsyncIterator[Database]:
    """Where searches run, as `bot.bootstrap.erps` has it."""
    if database.dialect != "sqlite":
        yield database
        return
    searches = Database(address)
    yield searches
    await searches.close()


@pytest.fixture
def store(database: Database, searches: Database) -> StoredProductIndex:
    return StoredProductIndex(database, searches)


async def at_once(_: float) -> None:
    """Stand for a pause between two attempts."""
    await asyncio.sleep(0)


@dataclass
class IndexBot:
    """What `bot.bootstrap.erps` makes of some sources; ``dictionary`` are the signs whose readings were looked up."""

    store: StoredProductIndex
    clock: Clock
    readings: Readings
    sources: tuple[MutableCatalogue, ...]
    metrics: Metrics = field(default_factory=Metrics)
    dictionary: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.index = ProductIndex(self.store, metrics=self.metrics, now=self.clock.now)
        self.hub = ErpHub(
            self.sources,  # type: ignore[arg-type]  # part of a port
            metrics=self.metrics,
            now=self.clock.now,
            index=self.index,
            sleep=at_once,
        )
        self.followers = {source.name: self.follower(source.name) for source in self.sources}

    def follower(self, source: str, **more: Any) -> IndexFollower:
        async def look_up(signs: Any) -> Readings:
            self.dictionary += signs
            return {sign: self.readings.get(sign, ()) for sign in signs}

        return IndexFollower(
            self.hub.source_client(source), self.store, self.index, now=self.clock.now, look_up=look_up, **more
        )

    async def follow(self) -> None:
        for follower in self.followers.values():
            await follower.catch_up()

    async def found(self, text: str, limit: int = 40) -> list[str]:
        return [product.sku for product in (await self.hub.find_products(text, limit=limit)).value]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def open_bot(store: StoredProductIndex, clock: Clock, readings: Readings) -> AsyncIterator[Any]:
    opened: list[IndexBot] = []

    def open_bot(*sources: MutableCatalogue) -> IndexBot:
        opened.append(IndexBot(store, clock, readings, sources))
        return opened[-1]

    yield open_bot
    for bot in opened:
        await bot.hub.close()
