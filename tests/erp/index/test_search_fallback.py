"""When a question is answered by the index, and when the source is asked as if there were none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from structlog.testing import capture_logs

from bot.erp.hub import ErpHub
from bot.erp.index.search import ProductIndex, oldest
from bot.erp.merging import ProductCodes
from bot.erp.model import Product
from bot.erp.port import Capability
from bot.mechanisms.metrics import Metrics
from bot.store.database import Database
from bot.store.erp.product_index import StoredProductIndex
from tests.erp.index.catalogue import Clock, MutableCatalogue, screw
from tests.erp.index.conftest import IndexBot

OpenBot = Callable[..., IndexBot]


async def test_a_filled_index_spares_the_source(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, [screw("A-1"), screw("A-2", "轴承")])
    bot = open_bot(erp)
    assert await bot.found("螺丝") == ["A-1"]
    assert erp.asked == ["find 螺丝"], "it is not filled"
    await bot.follow()
    erp.asked.clear()
    assert await bot.found("螺丝") == ["A-1"]
    assert await bot.found("luosi") == ["A-1"]
    assert erp.asked == []
    found = await bot.hub.find_products("ls", limit=5)
    assert (found.source, found.stale, found.notes, found.failures) == ("main", False, (), ())


async def test_an_index_that_is_being_filled_says_so_where_nothing_is_found(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, [screw("A-1")])
    bot = open_bot(erp)
    found = await bot.hub.find_products("luosi", limit=5)
    assert [str(note) for note in found.notes] == [
        "The product index of main is not complete yet: nothing is found by pinyin so far."
    ]
    assert (await bot.hub.find_products("螺丝", limit=5)).notes == ()
    await bot.follow()
    assert (await bot.hub.find_products("zhoucheng", limit=5)).notes == ()


async def test_a_source_that_tells_no_changes_promises_no_index(open_bot: OpenBot, clock: Clock) -> None:
    class Mute(MutableCatalogue):
        capabilities = frozenset({Capability.STOCK})

    bot = open_bot(Mute("main", clock, [screw("A-1")]))
    await bot.follow()
    assert (await bot.hub.find_products("luosi", limit=5)).notes == ()


async def test_an_old_index_is_not_used(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, [screw("A-1")])
    bot = open_bot(erp)
    await bot.follow()
    erp.asked.clear()
    clock.time += oldest(60)
    assert await bot.found("螺丝") == ["A-1"]
    assert erp.asked == []
    clock.time += timedelta(seconds=1)
    assert await bot.found("螺丝") == ["A-1"]
    assert erp.asked == ["find 螺丝"]


def test_an_index_is_not_old_between_two_looks() -> None:
    assert oldest(60) == timedelta(minutes=15)
    assert oldest(3600) == timedelta(hours=3)


async def test_what_an_earlier_process_filled_is_used_at_once(open_bot: OpenBot, clock: Clock) -> None:
    erp = MutableCatalogue("main", clock, [screw("A-1")])
    await open_bot(erp).follow()
    again = open_bot(erp)
    await again.index.load(await again.store.positions())
    erp.asked.clear()
    assert await again.found("ls") == ["A-1"]
    assert erp.asked == []


async def test_a_question_does_not_wait_for_what_the_index_does(
    open_bot: OpenBot, clock: Clock, database: Database, searches: Database
) -> None:
    erp = MutableCatalogue("main", clock, [screw("A-1")])
    bot = open_bot(erp)
    await bot.follow()

    class Stuck(StoredProductIndex):
        async def search(self, source: str, text: str, *, limit: int) -> tuple[Product, ...]:
            await asyncio.Event().wait()
            raise AssertionError

    index = ProductIndex(Stuck(database, searches), metrics=Metrics(), now=clock.now, seconds=0.05)
    await index.load(await bot.store.positions())
    hub = ErpHub([erp], metrics=Metrics(), now=clock.now, index=index)  # type: ignore[list-item]  # part of a port
    erp.asked.clear()
    with capture_logs() as logs:
        assert (await hub.find_products("螺丝", limit=5)).value[0].sku == "A-1"
    assert erp.asked == ["find 螺丝"]
    assert [entry["event"] for entry in logs] == ["index.not_searched"]
    await hub.close()


async def test_who_asks_with_another_account_is_not_told_what_the_bots_own_account_saw(
    open_bot: OpenBot, clock: Clock
) -> None:
    erp = MutableCatalogue("main", clock, [screw("A-1")])
    bot = open_bot(erp)
    await bot.follow()
    hub = ErpHub(
        [erp],  # type: ignore[list-item]  # part of a port
        metrics=Metrics(),
        now=clock.now,
        index=bot.index,
        scope=lambda: "clerk",
    )
    erp.asked.clear()
    await hub.find_products("螺丝", limit=5)
    assert erp.asked == ["find 螺丝"]
    await hub.close()


async def test_codes_of_the_product_table_are_found_in_the_index(open_bot: OpenBot, clock: Clock) -> None:
    main, shop = (
        MutableCatalogue("main", clock, [screw("A-1")]),
        MutableCatalogue("shop", clock, [screw("S-77", "螺丝")]),
    )
    bot = open_bot(main, shop)
    await bot.follow()
    hub = ErpHub(
        [main, shop],  # type: ignore[list-item]  # part of a port
        metrics=Metrics(),
        now=clock.now,
        index=bot.index,
        products=ProductCodes({"A-1": {"shop": "S-77"}}),
    )
    for source in (main, shop):
        source.asked.clear()
    assert [product.sku for product in (await hub.find_products("s-77", limit=5)).value] == ["A-1"]
    assert main.asked == shop.asked == []
    await hub.close()


async def test_metrics(open_bot: OpenBot, clock: Clock) -> None:
    bot = open_bot(MutableCatalogue("main", clock, [screw("A-1"), screw("A-2")]))

    def value(name: str, **labels: str) -> float | None:
        return bot.metrics.registry.get_sample_value(f"dingerp_{name}", labels)

    assert value("index_products", source="main") is None
    await bot.follow()
    clock.advance(seconds=42)
    await bot.found("ls")
    assert value("index_products", source="main") == 2
    assert value("index_age_seconds", source="main") == 42
    assert value("index_search_seconds_count") == 1
