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

from bot.demo import ACCESS_RULES
from bot.simulator.enterprise import demo_enterprise
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import OpenPage
from tests.scenario.conftest import KEEPER, OUTSIDER, BotSystem, run_system
from tests.scenario.test_least_disclosure import MONEY

GROUP = demo_enterprise().groups[-1]
SALES, FINANCE = "sales01", "finance01"
ORDER, INVOICE, STOCK = "SO-1001", "INV-7", "SKU123"
PICTURES = os.environ.get("PICTURES", "")


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[BotSystem]:
    """The demo with its rules: simulator, bot and company."""
    async with run_system(tmp_path, access={"file": ACCESS_RULES, "outsider_groups": (GROUP.id,)}) as opened:
        yield opened


async def picture(page: ChatPage, name: str) -> None:
    """Take a picture for the guide if pictures are wanted, without the panel for developers."""
    if PICTURES:
        await page.part("panel-toggle").click()
        await page.page.screenshot(path=Path(PICTURES) / f"{name}.png", animations="disabled")


async def ask(page: ChatPage, code: str) -> Locator:
    """Ask for a document or product in the open conversation and return the card that answers."""
    before = await page.card(code).count()
    await page.say(code)
    card = page.part("messages").get_by_test_id("card").filter(has_text=code).nth(before)
    await expect(card).to_be_visible()
    return card


async def open_own_chat(page: ChatPage) -> None:
    await page.page.locator('[data-testid=conversation][data-kind="direct"]').click()


async def test_the_same_question_by_three_people(system: BotSystem, browser_page: OpenPage) -> None:
    people = {who: await browser_page(who, url=system.engine.base_url) for who in (SALES, FINANCE, KEEPER, OUTSIDER)}
    for page in people.values():
        await page.open(GROUP.title)
    for who in (SALES, FINANCE):
        card = await ask(people[who], INVOICE)
        await expect(card.get_by_test_id("card-private")).to_be_visible()
        assert MONEY.search(await card.inner_text())
    shared = await ask(people[KEEPER], INVOICE)
    assert not MONEY.search(await shared.inner_text())
    outsider = people[OUTSIDER].part("messages")
    await expect(outsider.get_by_test_id("card")).to_have_count(1)
    assert not MONEY.search(await outsider.inner_text())
    for who, page in people.items():
        await picture(page, f"rights-{who}")


@pytest.mark.parametrize(
    ("who", "with_money"), [(KEEPER, set()), (SALES, {ORDER, INVOICE}), (FINANCE, {ORDER, INVOICE})]
)
async def test_people_see_the_same_in_the_group_and_alone(
    system: BotSystem, browser_page: OpenPage, who: str, with_money: set[str]
) -> None:
    page = await browser_page(who, url=system.engine.base_url)
    for where in ("group", "alone"):
        await (page.open(GROUP.title) if where == "group" else open_own_chat(page))
        seen = {code: await (await ask(page, code)).inner_text() for code in (ORDER, INVOICE, STOCK)}
        assert {code for code, text in seen.items() if MONEY.search(text)} == with_money, where
    await picture(page, f"rights-{who}-alone")
