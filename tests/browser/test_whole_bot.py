"""The product after ``make demo``: the page, the bot and the embedded company.

Walks through the answers are in `tests.browser.test_walks`; the soak takes one more for its picture.
With ``PICTURES=folder`` it also takes the pictures of the tutorial (``make pictures``).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.chat_page import PHONE, ChatPage
from tests.browser.conftest import OpenPage, read_as
from tests.scenario.conftest import ENGLISH, KEEPER, READING, BotSystem, run_system

GROUP = "仓库与销售群"
PICTURES = os.environ.get("PICTURES", "")


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[BotSystem]:
    """The demo: simulator, bot and company."""
    async with run_system(tmp_path, **READING) as opened:
        yield opened


async def picture(page: ChatPage, name: str) -> None:
    """Take a picture for the tutorial if pictures are wanted."""
    if PICTURES:
        await page.page.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled")


def button(card: Locator, label: str) -> Locator:
    """Return the button whose label begins with a text."""
    return card.get_by_test_id("card-button").filter(has_text=label).first


async def test_the_warehouse_keeper_asks_for_stock(system: BotSystem, browser_page: OpenPage) -> None:
    page = await browser_page(KEEPER, url=system.engine.base_url)
    await page.open(GROUP)
    await page.say("/stock SKU123")
    card = page.card("SKU123")
    await expect(card).to_be_visible()
    level = (await system.app.hub.stock("SKU123")).value
    for place in level.per_warehouse:
        await expect(card).to_contain_text(place.name)
        await expect(card).to_contain_text(f"{place.quantities.on_hand:,}")
    await picture(page, "demo-stock")


async def test_a_pick_is_for_the_one_who_picks(mild: bool, system: BotSystem, browser_page: OpenPage) -> None:
    """Where a click's answer may be everybody's, what all may see turns on the one card that all share."""
    read_as(system, mild=mild)
    keeper = await browser_page(KEEPER, url=system.engine.base_url)
    other = await browser_page("sales01", url=system.engine.base_url)
    for page in (keeper, other):
        await page.open(GROUP)
    await keeper.say("库存 内六角")
    card = keeper.card().first
    await expect(button(card, "SKU123")).to_be_visible()
    await picture(keeper, "demo-pick")
    await button(card, "SKU123").click()
    await expect(card.get_by_test_id("card-title")).to_contain_text("SKU123")
    await expect(card.get_by_test_id("card-private")).to_be_visible(visible=mild)
    theirs = other.card().first
    if mild:
        await expect(theirs.get_by_test_id("card-title")).not_to_contain_text("SKU123")
    else:
        await expect(theirs.get_by_test_id("card-title")).to_contain_text("SKU123")
    await expect(theirs.get_by_test_id("card-private")).to_be_hidden()
    for page in (keeper, other):
        await expect(page.part("card")).to_have_count(1)


@pytest.mark.soak
async def test_from_an_order_to_the_stock_of_its_lines(system: BotSystem, browser_page: OpenPage) -> None:
    page = await browser_page(KEEPER, url=system.engine.base_url)
    await page.open(GROUP)
    await page.say("/order SO-1001")
    card = page.card().first
    await expect(card.get_by_test_id("card-title")).to_contain_text("SO-1001")
    await picture(page, "demo-order")
    await button(card, "库存").click()
    await expect(card.get_by_test_id("card-title")).to_contain_text("个产品的库存")
    await expect(card).to_contain_text("SKU123")


async def test_an_english_user_reads_english(system: BotSystem, browser_page: OpenPage) -> None:
    page = await browser_page(ENGLISH, language="en", url=system.engine.base_url)
    await page.open(GROUP)
    await page.say("/invoice INV-7")
    card = page.card("INV-7")
    await expect(card).to_contain_text("overdue")
    await expect(card).to_contain_text("Due")
    await picture(page, "demo-english")


async def test_on_a_phone(system: BotSystem, browser_page: OpenPage) -> None:
    page = await browser_page(KEEPER, viewport=PHONE, url=system.engine.base_url)
    await page.open(GROUP)
    await page.say("库存 SKU123")
    card = page.card("SKU123")
    await expect(card).to_be_visible()
    box = await card.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE[0]
    await picture(page, "demo-phone")
