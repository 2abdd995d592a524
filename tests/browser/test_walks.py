"""Whole walks on a phone, with buttons alone: into the details and back, and through all that waits for a decision.

With ``PICTURES=folder`` they also take the pictures of the tutorial (``make pictures``).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect
from zxingcpp import BarcodeFormat

from bot.erp.model import ReviewState
from tests.browser.chat_page import PHONE, ChatPage
from tests.browser.conftest import OpenPage
from tests.browser.test_whole_bot import GROUP, button, picture
from tests.chat.code_pictures import PhotoConditions, photo
from tests.scenario.approvals.scenario import BOSS, DemoApprovalScenario, run_approval_scenario
from tests.scenario.conftest import KEEPER, BotSystem, run_system

WAITING = tuple(
    f"PO-{number}" for number in (1001, 1004, 1012, 1025, 1028, 1034, 1055, 1064, 1065, 1071, 1072, 1074, 1077)
)
"""Thirteen orders that the boss alone may decide."""

PRODUCT = re.compile(r"[A-Z]+-?\d+")


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[BotSystem]:
    """The demo: simulator, bot and company."""
    async with run_system(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DemoApprovalScenario]:
    """Thirteen waiting orders."""
    monkeypatch.chdir(tmp_path)
    async with run_approval_scenario(tmp_path, *WAITING) as opened:
        yield opened


async def fits(page: ChatPage) -> None:
    """Expect the page to need no scrolling sideways."""
    assert await page.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def title(card: Locator) -> Locator:
    return card.get_by_test_id("card-title")


async def test_from_an_order_to_the_stock_of_a_line_and_back(system: BotSystem, browser_page: OpenPage) -> None:
    page = await browser_page(KEEPER, viewport=PHONE, url=system.engine.base_url)
    await page.open(GROUP)
    await page.say("/order 延期")
    card = page.card().first
    await expect(title(card)).to_contain_text("延期")
    began = await card.get_by_test_id("card-body").inner_text()
    await picture(page, "demo-walk-list")
    order = (await button(card, "SO-").inner_text()).strip()
    await button(card, order).click()
    await expect(title(card)).to_contain_text(order)
    await fits(page)
    await picture(page, "demo-walk-order")
    labels = await card.get_by_test_id("card-button").all_inner_texts()
    line = next(label for label in labels if PRODUCT.fullmatch(label))
    await button(card, line).click()
    await expect(title(card)).to_contain_text(line)
    await fits(page)
    await picture(page, "demo-walk-stock")
    await button(card, "返回").click()
    await expect(title(card)).to_contain_text(order)
    await button(card, "返回").click()
    await expect(title(card)).to_contain_text("延期")
    assert await card.get_by_test_id("card-body").inner_text() == began
    await expect(button(card, "返回")).to_have_count(0)


@pytest.mark.parametrize("count", [3, pytest.param(len(WAITING), marks=pytest.mark.soak)])
async def test_waiting_orders_are_decided_without_typing(
    scenario: DemoApprovalScenario, browser_page: OpenPage, count: int
) -> None:
    page = await browser_page(BOSS, viewport=PHONE, url=scenario.system.engine.base_url)
    await page.page.locator('[data-testid=conversation][data-kind="direct"]').click()
    await page.say("/pending")
    listed = page.card("待您审批")
    await expect(title(listed)).to_contain_text("13")
    card = page.card(track_id=await listed.get_attribute("data-track-id") or "")
    await fits(page)
    await picture(page, "demo-pending")
    await button(card, "PO-").click()
    for decided in range(count):
        await expect(title(card)).to_contain_text("采购单待审批")
        await button(card, "同意").click()
        await scenario.settle()
        await expect(title(card)).to_contain_text("审批通过")
        await fits(page)
        if decided == 0:
            await picture(page, "demo-pending-next")
        if decided + 1 < count:
            await button(card, "下一张").click()
    await expect(button(card, "下一张")).to_have_count(int(count < len(WAITING)))
    statuses = [(await scenario.order(number)).status for number in WAITING]
    assert statuses.count(ReviewState.APPROVED) == count


async def test_a_photo_of_a_barcode_opens_its_product(system: BotSystem, browser_page: OpenPage) -> None:
    page = await browser_page(KEEPER, viewport=PHONE, url=system.engine.base_url)
    await page.open(GROUP)
    taken = photo([(BarcodeFormat.EAN13, "6901234000245")], PhotoConditions(degrees=12, paper=235))
    await page.part("file").set_input_files({"name": "shelf.jpg", "mimeType": "image/jpeg", "buffer": taken})
    await page.part("send").click()
    await expect(title(page.card())).to_contain_text("SKU123")
    await fits(page)
    await picture(page, "demo-code")
