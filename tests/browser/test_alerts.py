"""An alert's card as people in a group use it: acknowledged, snoozed, passed on, green when it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import OpenPage, read_as
from tests.browser.test_whole_bot import GROUP, button, picture
from tests.scenario.alerts.scenario import WAREHOUSE, AlertScenario, open_timeline_in
from tests.scenario.conftest import ENGLISH, KEEPER


@pytest_asyncio.fixture(loop_scope="session")
async def scenario(tmp_path: Path) -> AsyncIterator[AlertScenario]:
    """The demo with an ERP that reports alerts, and a clock that the test moves."""
    async with open_timeline_in(tmp_path) as opened:
        yield opened


async def test_somebody_takes_it_and_everybody_sees_that(scenario: AlertScenario, browser_page: OpenPage) -> None:
    url = scenario.system.engine.base_url
    keeper, other = await browser_page(KEEPER, url=url), await browser_page(ENGLISH, language="en", url=url)
    for page in (keeper, other):
        await page.open(GROUP)
    await scenario.post(scenario.low("SKU123", "3", name="内六角螺丝 M8×30", warehouse="上海总仓"))
    card, theirs = keeper.card("SKU123"), other.card("SKU123")
    await expect(card).to_contain_text("库存不足")
    await picture(keeper, "demo-alert")
    await button(card, "我来跟进").click()
    await expect(card).to_contain_text("跟进人")
    await scenario.settle()
    await expect(theirs).to_contain_text("跟进人")
    await expect(button(theirs, "我来跟进")).to_have_count(0)
    await scenario.at("1h")
    await scenario.post(scenario.low("SKU123", "300", name="内六角螺丝 M8×30", warehouse="上海总仓"))
    for copy in (card, theirs):
        await expect(copy.get_by_test_id("card-title")).to_contain_text("🟢")
    await picture(keeper, "demo-alert-over")


async def test_put_off_for_an_hour(mild: bool, scenario: AlertScenario, browser_page: OpenPage) -> None:
    """How long is asked of the clicker alone: on a card of their own where a tap's answer may be everybody's."""
    read_as(scenario.system, mild=mild)
    other = await browser_page(ENGLISH, language="en", url=scenario.system.engine.base_url)
    await other.open(GROUP)
    page = await browser_page(KEEPER, url=scenario.system.engine.base_url)
    await page.open(GROUP)
    await scenario.post(scenario.event("invoice.overdue", "INV-7", number="INV-7", amount="12800", currency="CNY"))
    (shared,) = scenario.cards(WAREHOUSE)
    card, theirs = (viewer.card(track_id=shared.out_track_id) for viewer in (page, other))
    await button(card, "稍后").click()
    asked = page.card("INV-7")
    await expect(button(asked, "1 小时")).to_be_visible()
    await expect(asked.get_by_test_id("card-private")).to_be_visible()
    await expect(page.part("card")).to_have_count(1 if mild else 2)
    await expect(theirs.get_by_test_id("card-private")).to_be_hidden()
    await picture(page, "demo-alert-snooze")
    # Whoever goes back without an answer leaves nothing to the others, either.
    await button(asked, "返回").click()
    await button(asked, "稍后").click()
    for copy in (theirs,) if mild else (card, theirs):
        await expect(button(copy, "稍后")).to_be_visible()
        await expect(button(copy, "1 小时")).to_have_count(0)
    await button(asked, "1 小时").click()
    await scenario.settle()
    for copy in (card, theirs):
        await expect(copy).to_contain_text("推迟到")
    await scenario.at("61m")
    for copy in (card, theirs):
        await expect(copy).not_to_contain_text("推迟到")
        await expect(button(copy, "1 小时")).to_have_count(0)
    await expect(other.part("card")).to_have_count(1)
