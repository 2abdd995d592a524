"""The demo ERP beyond the contract: its database file, its search, and use by several processes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import cycle
from pathlib import Path

import pytest

from bot.erp.errors import Invalid, NotFound, Unavailable
from bot.erp.kinds import FOLLOWED
from bot.erp.model import (
    Area,
    Decision,
    DecisionOutcome,
    InvoiceStatus,
    OrderStatus,
    ProductionStatus,
    ReviewState,
    Verdict,
)
from bot.erp.model.goods import DeliveryStatus
from bot.erp.port import Filter, ListQuery
from bot.kit.company.adapter import DemoErp, open_demo
from bot.kit.company.company import DemoCompany
from bot.kit.company.owners import account_of
from bot.kit.testing.erp_checks import resulting_order

from .conftest import NOW, TODAY


async def opened(place: str | Path, *, latency: float = 0.0) -> DemoErp:
    return await open_demo(place, today=TODAY, now=lambda: NOW, latency=latency)


@pytest.fixture
async def erp(demo_file: Path) -> AsyncIterator[DemoErp]:
    erp = await opened(demo_file)
    yield erp
    await erp.close()


def approve(number: str, version: str, by: str) -> Decision:
    return Decision(number=number, version=version, verdict=Verdict.APPROVE, by=by)


# Contents


async def test_every_document_reads_as_the_company_has_it(erp: DemoErp, company: DemoCompany) -> None:
    for order in company.orders:
        found = await erp.order(order.number)
        assert replace(found, extra=order.extra) == replace(order, source="demo")
        assert found.extra == {"owner": account_of(order.salesperson)}
    for invoice in company.invoices:
        invoiced = await erp.invoice(invoice.number)
        assert replace(invoiced, extra=invoice.extra) == replace(invoice, source="demo")
    for purchase in company.purchases:
        assert await erp.purchase_order(purchase.number) == replace(purchase, source="demo")
    for production in company.productions:
        assert await erp.production_order(production.number) == replace(production, source="demo")


async def test_stock_reads_as_the_company_has_it(erp: DemoErp, company: DemoCompany) -> None:
    for holding in company.holdings:
        level = await erp.stock(holding.article.product.sku)
        assert level.product == holding.article.product
        assert {place.code: place.quantities for place in level.per_warehouse} == holding.per_warehouse
        assert level.reorder_point == holding.reorder_point
        assert level.as_of == NOW


async def test_stock_of_sku123(erp: DemoErp) -> None:
    level = await erp.stock("sku123")
    assert [(place.code, place.name) for place in level.per_warehouse] == [
        ("SH", "上海仓"),
        ("SZ", "深圳仓"),
        ("CD", "成都仓"),
    ]
    assert level.total.on_hand == Decimal(11370)
    assert level.total.available == Decimal(7370)
    assert level.below_reorder_point


async def test_a_product_that_no_warehouse_keeps_has_no_places(erp: DemoErp) -> None:
    level = await erp.stock("ODD-5")
    assert level.per_warehouse == ()
    assert level.total.on_hand == 0


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("螺丝", "SKU122"),
        ("螺丝 M6×20", "SKU123"),
        ("m6x20 螺丝", "SKU123"),
        ("螺丝 M6*20", "SKU123"),
        ("ＳＫＵ１２３", "SKU123"),
        ("lsnlj", "SKU122"),
        ("LDDFS", "FAN-20"),
        ("dfs 16寸", "FAN-21"),
        ("6901234000245", "SKU123"),
        ("hex bolt", "SKU133"),
        ("a|b", "A|B-01"),
        ("_静音_", "A_B_02"),
        ("{{ 7", "ODD-5"),
        ("o'brien", "ODD-6"),
        ("工具箱", "ODD-4"),
    ],
)
async def test_products_are_found_however_they_are_typed(erp: DemoErp, text: str, first: str) -> None:
    assert (await erp.find_products(text, limit=8))[0].sku == first


async def test_sku123_is_on_the_first_page_of_screws(erp: DemoErp) -> None:
    assert "SKU123" in [product.sku for product in await erp.find_products("螺丝", limit=8)]


async def test_late_lists_follow_the_clock_in_the_companys_own_zone(demo_file: Path) -> None:
    # 23:30 in Shanghai, and 00:30 an hour later: one more order is a day late, though in UTC it is the same day.
    evening = NOW.replace(hour=15, minute=30)
    totals = []
    for now in (evening, evening + timedelta(hours=1)):
        erp = await open_demo(demo_file, today=TODAY, now=lambda now=now: now)  # type: ignore[misc]  # bound at once
        found = await erp.invoices(ListQuery(filter=Filter.OVERDUE, limit=500))
        totals.append(found.total)
        assert all(invoice.days_overdue(TODAY + timedelta(days=len(totals) - 1)) > 0 for invoice in found.items)
        await erp.close()
    assert totals[0] < totals[1]


async def test_lists_have_what_the_bot_itself_calls_open_or_late_whatever_the_status(demo_file: Path) -> None:
    with closing(sqlite3.connect(demo_file)) as raw:
        for name, status in STATUSES:
            rows = raw.execute(f"SELECT number_key FROM demo_{name} ORDER BY number_key").fetchall()
            states = [(state.value, key) for (key,), state in zip(rows, cycle(status), strict=False)]
            raw.executemany(f"UPDATE demo_{name} SET status = ? WHERE number_key = ?", states)
        raw.commit()
    erp = await opened(demo_file)
    for kind in FOLLOWED:
        everything = (await erp.documents(kind, ListQuery(limit=10_000))).items
        for wanted in kind.filters:
            query = ListQuery(filter=wanted, limit=10_000)
            found = await erp.documents(kind, query)
            assert {each.number for each in found.items} == {
                each.number for each in kind.pick(everything, query, TODAY).items
            }, (kind.call, wanted)
            assert found.items, (kind.call, wanted)
    await erp.close()


STATUSES: tuple[tuple[str, type[StrEnum]], ...] = (
    ("order", OrderStatus),
    ("invoice", InvoiceStatus),
    ("purchase", ReviewState),
    ("production", ProductionStatus),
    ("delivery", DeliveryStatus),
    ("bill", InvoiceStatus),
)


# The database file


async def test_what_was_decided_survives_a_restart(demo_file: Path) -> None:
    erp = await opened(demo_file)
    await erp.decide(approve("PO-1001", "1", "boss01"))
    await erp.close()
    again = await opened(f"sqlite+aiosqlite:///{demo_file}")
    order = await again.purchase_order("PO-1001")
    assert order.status is ReviewState.APPROVED
    assert order.review.approval is not None
    assert (order.review.approval.decided_by, order.review.approval.decided_at) == ("boss01", NOW)
    assert order.review.changed_by == "boss01"
    await again.close()


async def test_memory_holds_a_company_of_its_own() -> None:
    one, other = await opened(":memory:"), await opened("sqlite://")
    await one.decide(approve("PO-1001", "1", "boss01"))
    assert (await other.purchase_order("PO-1001")).status is ReviewState.WAITING
    await one.close()
    await other.close()


async def test_a_company_of_an_older_release_is_made_anew_and_strangers_are_left_alone(demo_file: Path) -> None:
    with sqlite3.connect(demo_file) as raw:
        raw.execute("UPDATE demo_meta SET value = '0'")
        raw.execute("DELETE FROM demo_order")
        raw.execute("CREATE TABLE stranger (x)")
    raw.close()
    erp = await opened(demo_file)
    assert (await erp.orders(ListQuery())).total == 500
    await erp.close()
    with sqlite3.connect(demo_file) as raw:
        assert raw.execute("SELECT count(*) FROM stranger").fetchone() == (0,)
    raw.close()


async def test_a_broken_file_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "broken.sqlite3"
    file.write_bytes(b"this is no database, and it is long enough to be seen as none" * 20)
    with pytest.raises(Unavailable):
        await opened(file)
    with pytest.raises(Unavailable):
        await opened(tmp_path)


async def test_after_closing_everything_is_unavailable(demo_file: Path) -> None:
    erp = await opened(demo_file)
    await erp.close()
    await erp.close()
    with pytest.raises(Unavailable):
        await erp.stock("SKU123")
    with pytest.raises(Unavailable):
        await erp.check()


async def test_latency_stands_for_a_remote_erp(demo_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    erp = await opened(demo_file, latency=0.25)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("bot.kit.company.adapter.asyncio.sleep", sleep)
    await erp.stock("SKU123")
    await erp.check()
    assert slept == [0.25, 0.25]
    await erp.close()


# Several processes


async def test_two_who_fill_the_same_empty_file_end_up_with_one_company(tmp_path: Path) -> None:
    one, other = await asyncio.gather(opened(tmp_path / "new.sqlite3"), opened(tmp_path / "new.sqlite3"))
    assert (await one.orders(ListQuery())).total == (await other.orders(ListQuery())).total == 500
    await one.close()
    await other.close()


async def test_a_write_that_the_file_refuses_changes_nothing(demo_file: Path) -> None:
    erp = await opened(demo_file)
    with sqlite3.connect(demo_file) as raw:
        raw.execute("CREATE TRIGGER no BEFORE INSERT ON demo_change BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(Unavailable):
        await erp.decide(approve("PO-1001", "1", "boss01"))
    assert (await erp.purchase_order("PO-1001")).status is ReviewState.WAITING
    raw.execute("DROP TRIGGER no")
    raw.close()
    assert (await erp.decide(approve("PO-1001", "1", "boss01"))).outcome is DecisionOutcome.APPLIED
    await erp.close()


# Decisions of this company


async def test_a_purchase_order_names_the_people_behind_its_accounts(erp: DemoErp) -> None:
    order = await erp.purchase_order("PO-1001")
    assert order.review.approval is not None
    assert order.review.approval.pending_for == ("buymanager01", "boss01")
    assert [
        order.review.named(account)
        for account in (*order.review.approval.pending_for, order.review.requester, "nobody")
    ] == [*("赵国强", "林明川", "陈立", "nobody")]


async def test_nobody_approves_their_own_request(erp: DemoErp) -> None:
    result = await erp.decide(approve("PO-1004", "1", "buymanager01"))
    assert result.outcome is DecisionOutcome.NOT_PERMITTED
    assert result.text == "不能审批自己申请的采购单"
    assert (await erp.decide(approve("PO-1004", "1", "boss01"))).outcome is DecisionOutcome.APPLIED


async def test_a_large_order_needs_two(erp: DemoErp) -> None:
    first = await erp.decide(approve("PO-1002", "1", "boss01"))
    assert first.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
    assert first.text == "第一级审批已记录，等待下一级审批：周慧"
    assert (await erp.decide(approve("PO-1002", "2", "boss01"))).text == "同一人不能审批两级"
    assert (await erp.decide(approve("PO-1002", "2", "buymanager01"))).text == "没有该级审批权限"
    assert (await erp.decide(approve("PO-1002", "2", "finance01"))).outcome is DecisionOutcome.APPLIED


async def test_a_rejection_at_the_second_level_is_final(erp: DemoErp) -> None:
    result = await erp.decide(
        Decision(number="po-1003", version="2", verdict=Verdict.REJECT, by="finance01", reason="预算不足")
    )
    assert result.outcome is DecisionOutcome.APPLIED
    assert result.document is not None
    assert resulting_order(result).status is ReviewState.REJECTED
    assert resulting_order(result).review.approval is not None
    assert resulting_order(result).review.approval.reason == "预算不足"


@pytest.mark.parametrize("cursor", ["yesterday", "-1", "1; DROP TABLE demo_change", "٣", "9" * 40])
async def test_a_cursor_of_somebody_else_is_refused(erp: DemoErp, cursor: str) -> None:
    with pytest.raises(Invalid):
        await erp.changed_since(Area.STOCK, cursor, limit=5)


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\u200b", "𝕊𝕂𝕌" * 2000, "%" * 5000])
async def test_odd_text_finds_nothing_and_breaks_nothing(erp: DemoErp, text: str) -> None:
    assert await erp.find_products(text, limit=5) == ()
    assert (await erp.orders(ListQuery(text=text))).total == 0
    with pytest.raises(NotFound):
        await erp.stock(text)
    assert (await erp.orders(ListQuery(offset=10**30))).total == 500
    stale = await erp.decide(approve("PO-1001", text, "boss01"))
    assert stale.outcome is DecisionOutcome.CHANGED_SINCE_SHOWN
