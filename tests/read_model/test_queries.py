"""The documents kept are found as the reader may see them, with how exact the answer is, and lie sealed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.access.grants import Scope
from bot.erp.model import Area, OrderLine, OrderStatus, ReviewState
from bot.erp.narrowing import Narrowing
from bot.read_model.queries import Coverage
from tests.read_model.conftest import ReadModelBot
from tests.read_model.ledger import (
    TODAY,
    Ledger,
    LedgerClock,
    LedgerOfBatches,
    invoice,
    production,
    purchase,
    sales_order,
    yuan,
)

OpenBot = Callable[..., ReadModelBot]

YESTERDAY = TODAY - timedelta(days=1)
LAST_WEEK = TODAY - timedelta(days=7)


def all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("bot.sqlite3*"))


async def company(open_bot: OpenBot, clock: LedgerClock) -> ReadModelBot:
    bot = open_bot(
        LedgerOfBatches(
            clock,
            sales_order("SO-1", LAST_WEEK, status=OrderStatus.CLOSED, salesperson="wang"),
            sales_order("SO-2", YESTERDAY, customer="ＡＣＭＥ 有限公司"),
            sales_order("SO-3", TODAY, customer="acme 有限公司", salesperson="wang"),
            sales_order("SO-4", None, status=OrderStatus.DRAFT),
            invoice("INV-1"),
            purchase("PO-1"),
            production("MO-1"),
        )
    )
    await bot.follow()
    return bot


def seen_by(bot: ReadModelBot, area: Area, *scopes: Scope, by_number: bool = False) -> None:
    narrowing = Narrowing(
        {area: scopes} if scopes else {}, lambda _: frozenset({"wang"}), frozenset({area}) if by_number else frozenset()
    )
    bot.model = bot.model.narrowed(bot.hub.narrowed(narrowing))


async def test_documents_of_days_come_newest_first(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = await company(open_bot, clock)
    found = await bot.model.documents(Area.SALES, LAST_WEEK, YESTERDAY)
    assert [document.number for document in found.value] == ["SO-2", "SO-1"]
    assert found.coverage.as_of == clock.now()
    assert found.coverage.is_complete_from(TODAY - timedelta(days=400))
    assert not found.coverage.is_complete_from(TODAY - timedelta(days=401))


async def test_open_documents_and_those_of_a_partner(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = await company(open_bot, clock)
    found = await bot.model.fold(Area.SALES, tuple, unfinished=True)
    assert {document.number for document in found.value} == {"SO-2", "SO-3", "SO-4"}
    acme = await bot.model.fold(Area.SALES, tuple, partner=" Acme 有限公司")
    assert [document.number for document in acme.value] == ["SO-3", "SO-2"], "names are folded"
    assert (await bot.model.fold(Area.SALES, tuple, partner="acme")).value == (), "part of a name names nobody"


async def test_lines_of_a_product_come_with_their_documents(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = await company(open_bot, clock)
    found = (await bot.model.lines_of(Area.PURCHASING, "sku1", limit=5)).value
    assert [(each.document.number, each.line and each.line.price) for each in found] == [("PO-1", yuan("10"))]
    assert len((await bot.model.lines_of(Area.SALES, "SKU1", limit=2)).value) == 2
    assert (await bot.model.lines_of(Area.SALES, "SKU9")).value == ()


async def test_a_document_that_loses_a_line_loses_it_here_too(open_bot: OpenBot, clock: LedgerClock) -> None:
    ledger = Ledger(clock, sales_order("SO-1"))
    bot = open_bot(ledger)
    await bot.follow()
    clock.advance(minutes=1)
    other = OrderLine(sku="SKU2", name="螺母", unit="个", quantity=Decimal(1))
    ledger.save(sales_order("SO-1", lines=(other,)))
    await bot.follow()
    assert (await bot.model.lines_of(Area.SALES, "SKU1")).value == ()
    assert [each.line for each in (await bot.model.lines_of(Area.SALES, "SKU2")).value] == [other]


async def test_partners_are_named_as_their_newest_document_does(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = await company(open_bot, clock)
    assert [(each.area, each.name) for each in await bot.model.partners()] == [
        (Area.SALES, "acme 有限公司"),
        (Area.SALES, "上海宏达"),
        (Area.FINANCE, "上海宏达"),
        (Area.PURCHASING, "宁波钢铁"),
    ]


async def test_a_reader_sees_what_the_scopes_cover(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = await company(open_bot, clock)
    seen_by(bot, Area.SALES, Scope(own=True))
    assert [each.number for each in (await bot.model.documents(Area.SALES, LAST_WEEK, TODAY)).value] == ["SO-3", "SO-1"]
    assert [each.document.number for each in (await bot.model.lines_of(Area.SALES, "SKU1")).value] == ["SO-3", "SO-1"]
    assert [each.name for each in await bot.model.partners((Area.SALES,))] == ["acme 有限公司", "上海宏达"]
    assert [each.number for each in (await bot.model.documents(Area.PURCHASING, LAST_WEEK, TODAY)).value] == ["PO-1"]


async def test_a_reader_of_nothing_is_told_nothing(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = await company(open_bot, clock)
    narrowing = Narrowing({Area.SALES: ()}, lambda _: frozenset())
    model = bot.model.narrowed(bot.hub.narrowed(narrowing))
    found = await model.documents(Area.SALES, LAST_WEEK, TODAY)
    assert found.value == ()
    assert found.coverage == Coverage(as_of=None, complete_since=None)
    assert await model.partners((Area.SALES,)) == []


async def test_who_may_not_see_partners_does_not_find_by_them(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = await company(open_bot, clock)
    seen_by(bot, Area.SALES, by_number=True)
    assert len((await bot.model.documents(Area.SALES, LAST_WEEK, TODAY)).value) == 3
    assert (await bot.model.fold(Area.SALES, tuple, partner="acme 有限公司")).value == ()
    assert await bot.model.partners((Area.SALES,)) == []


async def test_a_warehouse_of_a_document_counts(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = await company(open_bot, clock)
    seen_by(bot, Area.SALES, Scope(warehouses=frozenset({"sz"})))
    assert (await bot.model.documents(Area.SALES, LAST_WEEK, TODAY)).value == ()


async def test_several_sources_are_as_exact_as_the_worst(open_bot: OpenBot, clock: LedgerClock) -> None:
    first, second = Ledger(clock, sales_order("SO-1")), Ledger(clock, sales_order("SO-1", source="other"), name="other")
    bot = open_bot(first, second)
    await bot.followers[0].catch_up()
    found = await bot.model.documents(Area.SALES, TODAY, TODAY)
    assert found.coverage.sources_missing == ("other",)
    assert not found.coverage.is_complete_from(TODAY)
    clock.advance(minutes=3)
    await bot.followers[1].catch_up()
    found = await bot.model.documents(Area.SALES, TODAY, TODAY)
    assert sorted(document.source for document in found.value) == ["main", "other"]
    assert found.coverage.sources_missing == ()
    assert found.coverage.as_of == clock.now() - timedelta(minutes=3)


async def test_a_source_that_is_configured_no_more_is_forgotten(open_bot: OpenBot, clock: LedgerClock) -> None:
    bot = await company(open_bot, clock)
    await bot.store.keep_only(["other"])
    assert await bot.store.count("main") == 0
    assert await bot.store.positions() == {}
    assert (await bot.model.lines_of(Area.SALES, "SKU1")).value == ()


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_no_price_and_no_partner_lies_open_in_the_file(
    open_bot: OpenBot, clock: LedgerClock, tmp_path: Path
) -> None:
    bot = open_bot(
        LedgerOfBatches(
            clock,
            sales_order("SO-1", customer="绝密客户", total=yuan("98765.43"), salesperson="wang"),
            purchase("PO-1", vendor="绝密供应商", status=ReviewState.WAITING, total=yuan("98765.43")),
        )
    )
    await bot.follow()
    content = all_bytes(tmp_path)
    assert b"SO-1" in content.upper()
    for secret in ("绝密", "98765.43", "wang", "螺丝"):
        assert secret.encode() not in content
    with closing(sqlite3.connect(tmp_path / "bot.sqlite3")) as connection:
        ((partner, document),) = connection.execute("SELECT partner, document FROM kept_document WHERE area = 'sales'")
    assert partner.startswith("k:")
    assert document.startswith("s1:")
