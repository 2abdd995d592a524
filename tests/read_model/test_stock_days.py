"""Stock day by day: what is noted of it, kept, forgotten and summed up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bot.read_model import stock_days
from bot.read_model.report import split_days
from bot.read_model.stock_days import SeenStock, StockDay, StockHistory, StockOfDay, first_known, places_of, sum_up
from bot.store.database import Database
from bot.store.erp.read_model import StoredDocuments
from bot.store.erp.stock_days import StoredStockDays
from bot.words.errors import DingerpError
from tests.commands.company import level, place, product
from tests.read_model.ledger import NOW, TODAY
from tests.read_model.memory_stock import MemoryStockDays

YEAR = timedelta(days=365)


@pytest.fixture
def days(database: Database) -> StoredStockDays:
    return StoredStockDays(database)


def seen(day: date, source: str = "main", sku: str = "SKU1", **places: str) -> SeenStock:
    figures = {code: Decimal(on_hand) for code, on_hand in places.items()}
    return SeenStock(source=source, sku=sku, day=day, places=figures)


def told(found: list[StockDay]) -> list[tuple[str, int, Decimal]]:
    return [(each.warehouse, (TODAY - each.day).days, each.on_hand) for each in found]


async def test_a_figure_is_kept_for_each_day_on_which_it_changed(days: StoredStockDays) -> None:
    for ago, north, south in ((3, "5", "7"), (2, "5.0", "6"), (1, "5", "6"), (0, "4", "6"), (0, "3", "6")):
        await days.keep([seen(TODAY - timedelta(days=ago), N=north, S=south)])
    found = await days.days_of({"main"}, "sku1")
    assert told(list(found)) == [
        ("N", 3, Decimal(5)),
        ("S", 3, Decimal(7)),
        ("S", 2, Decimal(6)),
        ("N", 0, Decimal(3)),
    ]
    assert await days.days_of({"other"}, "SKU1") == []


async def test_a_warehouse_that_is_not_told_any_more_is_empty(days: StoredStockDays) -> None:
    await days.keep([seen(TODAY - timedelta(days=1), N="5", S="7"), seen(TODAY, sku="SKU2", S="1")])
    await days.keep([seen(TODAY, N="5")])
    assert told(list(await days.days_of({"main"}, "SKU1")))[-1] == ("S", 0, Decimal(0))
    assert told(list(await days.days_of({"main"}, "SKU2"))) == [("S", 0, Decimal(1))]


async def test_what_still_holds_is_not_forgotten(days: StoredStockDays) -> None:
    for ago, on_hand in ((90, "1"), (80, "2"), (10, "3")):
        await days.keep([seen(TODAY - timedelta(days=ago), N=on_hand)])
    await days.forget(TODAY - timedelta(days=30))
    assert told(list(await days.days_of({"main"}, "SKU1"))) == [("N", 80, Decimal(2)), ("N", 10, Decimal(3))]


def history(store: MemoryStockDays, keep: timedelta = YEAR) -> StockHistory:
    return StockHistory(store, now=lambda: NOW, keep=keep)


async def test_the_last_figure_of_a_day_is_stored_once() -> None:
    store = MemoryStockDays()
    noted = history(store)
    for on_hand in (5, 4):
        noted.note("main", level(product("SKU1", "螺丝"), place("N", "北仓", str(on_hand))))
    await noted.store()
    await noted.store()
    assert store.kept == [seen(NOW.date(), N="4")]
    assert store.forgotten == [NOW.date() - YEAR]


async def test_what_could_not_be_stored_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStockDays(error=DingerpError("away"))
    noted = history(store)
    monkeypatch.setattr(stock_days, "MOST_WAITING", 1)
    for sku in ("SKU1", "SKU2"):
        noted.note("main", level(product(sku, "螺丝"), place("N", "北仓", "5")))
    await noted.store()
    store.error = None
    await noted.store()
    assert store.kept == [seen(NOW.date(), N="5")]


async def test_what_is_noted_while_the_store_writes_is_stored_next() -> None:
    class Interrupted(MemoryStockDays):
        async def keep(self, seen: Sequence[SeenStock]) -> None:
            if not self.kept:
                noted.note("main", level(product("SKU1", "螺丝"), place("N", "北仓", "4")))
            await super().keep(seen)

    store = Interrupted()
    noted = history(store)
    noted.note("main", level(product("SKU1", "螺丝"), place("N", "北仓", "5")))
    await noted.store()
    await noted.store()
    assert store.kept == [seen(NOW.date(), N="5"), seen(NOW.date(), N="4")]


async def test_nothing_is_noted_where_nothing_is_to_be_kept() -> None:
    store = MemoryStockDays()
    noted = history(store, timedelta())
    noted.note("main", level(product("SKU1", "螺丝"), place("N", "北仓", "5")))
    await noted.store()
    assert store.kept == []


def test_an_erp_with_one_figure_for_all_warehouses() -> None:
    assert places_of(level(product("SKU1", "螺丝"))) == {"": level(product("SKU1", "螺丝")).total.on_hand}


def test_figures_hold_until_the_next() -> None:
    first = TODAY - timedelta(days=4)
    kept = [
        StockDay(source="main", warehouse="N", day=first + timedelta(days=1), on_hand=Decimal(5)),
        StockDay(source="main", warehouse="S", day=first + timedelta(days=1), on_hand=Decimal(2)),
        StockDay(source="main", warehouse="X", day=first + timedelta(days=2), on_hand=Decimal(99)),
        StockDay(source="main", warehouse="S", day=first + timedelta(days=3), on_hand=Decimal(1)),
    ]
    found = sum_up(kept, {"N", "S"}, split_days(first, TODAY))
    assert [each.on_hand for each in found] == [Decimal(7), Decimal(7), Decimal(6), Decimal(6)]
    assert found[0] == StockOfDay(first=kept[0].day, last=kept[0].day, on_hand=Decimal(7))
    assert first_known(kept) == kept[0].day
    assert first_known(()) is None


async def test_nothing_is_left_of_a_source_that_is_gone(days: StoredStockDays, store: StoredDocuments) -> None:
    await days.keep([seen(TODAY, N="5"), seen(TODAY, source="old", N="6")])
    await store.keep_only(["main"])
    assert [each.source for each in await days.days_of({"main", "old"}, "SKU1")] == ["main"]
