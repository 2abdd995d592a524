"""What people take along from the chat: files that open elsewhere, and charts on a phone.

With ``PICTURES=folder`` the charts are kept as pictures.
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from openpyxl import load_workbook
from playwright.async_api import Locator, expect

from bot.erp.kinds import SALES_ORDERS, Kind
from bot.erp.model import Money, Slice
from bot.erp.port import Filter, ListQuery
from bot.kit.company.adapter import DemoErp
from tests.browser.chat_page import PHONE, ChatPage
from tests.browser.conftest import OpenPage
from tests.browser.test_whole_bot import GROUP, button, picture
from tests.scenario.conftest import BotSystem, run_system
from tests.scenario.traffic import eventually

BOSS, ENGLISH_READER = "boss01", "sales_en"
EVIL = '=HYPERLINK("http://example.com/pay","pay")'


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[BotSystem]:
    """The demo: simulator, bot and company."""
    async with run_system(tmp_path, read_model={"enabled": True}) as opened:
        yield opened


@pytest.fixture
def evil_customer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the customer of the first late order be called like a formula."""
    read: Any = DemoErp.documents

    async def documents(erp: DemoErp, kind: Kind[Any], query: ListQuery) -> Slice[Any]:
        found: Slice[Any] = await read(erp, kind, query)
        if kind != SALES_ORDERS or query.filter is not Filter.LATE or query.offset or not found.items:
            return found
        return replace(found, items=(replace(found.items[0], customer=EVIL), *found.items[1:]))

    monkeypatch.setattr(DemoErp, "documents", documents)


async def documents_are_read(system: BotSystem) -> None:
    """Wait until the bot keeps the documents of the company, so that there are figures."""
    registry = system.app.metrics.registry

    def age() -> float:
        return registry.get_sample_value("dingerp_read_model_age_seconds", {"source": "demo"}) or math.inf

    await eventually(lambda: math.isfinite(age()), 100, hint=age)


async def own_chat(page: ChatPage) -> None:
    await page.page.locator('[data-testid=conversation][data-kind="direct"]').click()


@pytest.mark.usefixtures("evil_customer")
async def test_a_list_is_downloaded_and_equals_what_the_erp_says(
    system: BotSystem, browser_page: OpenPage, tmp_path: Path
) -> None:
    page = await browser_page(BOSS, url=system.engine.base_url)
    await page.open(GROUP)
    await page.say("/order late")
    card = page.card().first
    await expect(card.get_by_test_id("card-title")).to_contain_text("延期")
    await button(card, "导出").click()
    await expect(card.get_by_test_id("card-title")).to_contain_text("导出")
    await own_chat(page)
    link = page.page.locator(".bubble.file a")
    await expect(link).to_have_attribute("download", re.compile(r"订单-.+\.xlsx"))
    async with page.page.expect_download() as download:
        await link.click()
    file = tmp_path / "taken.xlsx"
    await (await download.value).save_as(file)

    book = load_workbook(file)
    headings, *rows = book.worksheets[0].iter_rows()
    column = {cell.value: number for number, cell in enumerate(headings)}
    asked = await system.app.hub.orders(ListQuery(filter=Filter.LATE, limit=1000))
    assert [row[column["单号"]].value for row in rows] == [order.number for order in asked.value.items]
    assert asked.value.total == len(rows) > 8, "more than one page"
    for row, order in zip(rows, asked.value.items, strict=True):
        told = row[column["客户"]]
        assert (told.value, told.data_type, told.hyperlink) == (order.customer, "s", None)
        amount, total = row[column["金额"]], order.total
        assert isinstance(total, Money)
        assert (round(amount.value, 2), amount.data_type) == (float(total.amount), "n")
        assert total.currency in amount.number_format
        assert row[column["承诺交期"]].value.date() == order.promised_on
    assert EVIL in [row[column["客户"]].value for row in rows]


async def fits(card: Locator) -> None:
    """Expect a card's picture to be loaded, as wide as the card, and readable: no more than a tenth smaller than drawn.

    One that takes long to draw is asked for as the card says.
    """
    picture_of, later = (
        card.locator("img[alt]"),
        card.get_by_role("button", name=re.compile("^(显示图片|Show the picture)$")),
    )
    await expect(picture_of.or_(later)).to_be_visible()
    while await later.is_visible():
        await later.click()
        await expect(picture_of.or_(later)).to_be_visible()
    await expect(picture_of).to_have_js_property("complete", True)
    shown = await picture_of.evaluate("image => [image.naturalWidth, image.clientWidth, image.clientHeight]")
    assert shown[0] == 680
    assert shown[1] >= 300


@pytest.mark.sampled(2)
@pytest.mark.parametrize("person", [BOSS, ENGLISH_READER])
async def test_charts_are_readable_on_a_phone(system: BotSystem, browser_page: OpenPage, person: str) -> None:
    language = "en" if person == ENGLISH_READER else "zh"
    await documents_are_read(system)
    page = await browser_page(person, viewport=PHONE, language=language, url=system.engine.base_url)
    await own_chat(page)
    await page.say("/report last month")  # this one has no sales on its first day, and no chart of them
    card = page.card().first
    await expect(card.get_by_test_id("card-title")).to_contain_text("Report" if language == "en" else "报表")
    await button(card, "Chart" if language == "en" else "图表").click()
    await expect(card.get_by_test_id("card-title")).to_contain_text("Sales" if language == "en" else "销售")
    await fits(card)
    await picture(page, f"chart-sales-{language}")
    await button(card, "Ageing" if language == "en" else "账龄").click()
    await expect(card.get_by_test_id("card-title")).to_contain_text("Overdue" if language == "en" else "账龄")
    await fits(card)
    assert await page.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    await picture(page, f"chart-ageing-{language}")


async def test_a_group_sees_no_chart_of_amounts(system: BotSystem, browser_page: OpenPage) -> None:
    await documents_are_read(system)
    boss = await browser_page(BOSS, url=system.engine.base_url)
    keeper = await browser_page("keeper01", url=system.engine.base_url)
    for page in (boss, keeper):
        await page.open(GROUP)
    await boss.say("/chart sales")
    await fits(boss.card().first)
    await expect(keeper.page.get_by_test_id("messages").locator("img[src*='/sim/media']")).to_have_count(0)
