"""The same questions by keeper, sales and finance, in a group with an outsider and in their own chats.

With ``PICTURES=folder`` it also takes the pictures of the guide to rights (``make pictures``).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from bot.kit.demo import DEMO_ACCESS
from bot.kit.simulator.enterprise import demo_enterprise
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import OpenPage
from tests.scenario.conftest import KEEPER, OUTSIDER, BotSystem, run_system
from tests.scenario.test_least_disclosure import MONEY

GROUP = demo_enterprise().groups[-1]
SALES, FINANCE = "sales01", "finance01"
ORDER, INVOICE, STOCK = "/order SO-1001", "/invoice INV-7", "/stock SKU123"
VIEWPORT = (1360, 720)
PICTURES = os.environ.get("PICTURES", "")


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[BotSystem]:
    """The demo with its rules: simulator, bot and company."""
    async with run_system(tmp_path, access={"file": DEMO_ACCESS, "outsider_groups": (GROUP.id,)}) as opened:
        yield opened


async def picture(page: ChatPage, name: str) -> None:
    """Take a picture for the guide if pictures are wanted, without the panel for developers."""
    if PICTURES:
        await page.part("panel-close").click()
        await page.page.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled")


async def ask(page: ChatPage, line: str) -> Locator:
    """Ask in the open conversation and return the card that answers."""
    cards = page.part("messages").get_by_test_id("card")
    before = await cards.count()
    await page.say(line)
    await expect(cards).to_have_count(before + 1)
    return cards.nth(before)


async def open_own_chat(page: ChatPage) -> None:
    await page.page.locator('[data-testid=conversation][data-kind="direct"]').click()
    await expect(page.part("chat-title")).not_to_have_text(GROUP.title)


async def test_the_same_question_by_three_people(system: BotSystem, browser_page: OpenPage) -> None:
    people = (SALES, FINANCE, KEEPER, OUTSIDER)
    sales, finance, keeper, outsider = [
        await browser_page(person, viewport=VIEWPORT, url=system.engine.base_url) for person in people
    ]
    for page in (sales, finance, keeper, outsider):
        await page.open(GROUP.title)
    for name, page in (("sales", sales), ("finance", finance)):
        own = await ask(page, INVOICE)
        await expect(own.get_by_test_id("card-private")).to_be_visible()
        assert MONEY.search(await own.inner_text())
        await picture(page, f"rights-{name}")
    shared = await ask(keeper, INVOICE)
    assert not MONEY.search(await shared.inner_text())
    await picture(keeper, "rights-keeper")
    await expect(outsider.part("messages").get_by_test_id("card")).to_have_count(1)
    assert not MONEY.search(await outsider.part("messages").inner_text())
    await picture(outsider, "rights-outsider")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("who", "with_money"), [(KEEPER, set()), (SALES, {ORDER, INVOICE}), (FINANCE, {ORDER, INVOICE})]
)
async def test_people_see_the_same_in_the_group_and_alone(
    system: BotSystem, browser_page: OpenPage, who: str, with_money: set[str]
) -> None:
    page = await browser_page(who, viewport=VIEWPORT, url=system.engine.base_url)
    for alone in (False, True):
        await (open_own_chat(page) if alone else page.open(GROUP.title))
        seen = {line: await (await ask(page, line)).inner_text() for line in (ORDER, STOCK, INVOICE)}
        assert {line for line, text in seen.items() if MONEY.search(text)} == with_money
    if who == KEEPER:
        await picture(page, "rights-alone")
