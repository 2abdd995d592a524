"""A purchase order's card for three people in two groups: one decides, and every copy shows that at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from bot.erp.model import ReviewState
from bot.settings import RuleSettings
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import OpenPage, read_as
from tests.browser.test_pages import PICTURES, WIDTHS, findings, log_in, tab
from tests.browser.test_whole_bot import button, picture
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE
from tests.scenario.approvals.scenario import BOSS, FINANCE, MANAGER, SMALL, DemoApprovalScenario, run_approval_scenario
from tests.scenario.conftest import KEEPER

__all__ = ["tab"]  # pytest finds fixtures in the module

BUYERS, KEEPERS, OWN = "采购与财务群", "仓库与销售群", ""
MONEY = "39,471.90"


@pytest_asyncio.fixture(loop_scope="session")
async def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DemoApprovalScenario]:
    """One waiting order, shown in both groups."""
    monkeypatch.chdir(tmp_path)
    async with run_approval_scenario(tmp_path, SMALL, groups=(BUYING, WAREHOUSE)) as opened:
        yield opened


async def has_ended(card: Locator, title: str, who: str) -> None:
    """Expect a card to name the decider and to offer no buttons."""
    await expect(card.get_by_test_id("card-title")).to_contain_text(title)
    await expect(card).to_contain_text(who)
    for label in ("同意", "拒绝", "转交"):
        await expect(card.get_by_test_id("card-button").filter(has_text=label)).to_have_count(0)


async def tells_no_amount(card: Locator) -> None:
    """Expect a card to tell neither the order's amount nor any other."""
    for text in (MONEY, "¥", "CNY"):
        await expect(card).not_to_contain_text(text)


async def opened(browser_page: OpenPage, scenario: DemoApprovalScenario, who: str, chat: str) -> ChatPage:
    """Return a person's page, opened at a group or at their own chat with the bot."""
    page = await browser_page(who, url=scenario.system.engine.base_url)
    if chat:
        await page.open(chat)
    else:
        await page.page.locator('[data-testid=conversation][data-kind="direct"]').click()
    return page


async def test_one_approves_and_all_the_copies_turn_final(
    scenario: DemoApprovalScenario, browser_page: OpenPage
) -> None:
    boss = await opened(browser_page, scenario, BOSS, OWN)
    manager = await opened(browser_page, scenario, MANAGER, BUYERS)
    managers_own = await opened(browser_page, scenario, MANAGER, OWN)
    keeper = await opened(browser_page, scenario, KEEPER, KEEPERS)
    own, others = boss.card(SMALL), [page.card(SMALL) for page in (manager, managers_own, keeper)]
    # Who decides sees the amount in their own chat; on the card that a group shares nobody does, not even they.
    for card in (own, others[1]):
        await expect(card).to_contain_text(MONEY)
    for card in (others[0], others[2]):
        await expect(card).to_contain_text("采购单待审批")
        await tells_no_amount(card)
    await picture(boss, "demo-approval")
    await button(own, "同意").click()
    await scenario.settle()
    for card in (own, *others):
        await has_ended(card, "审批通过", "林明川")
    for card in (others[0], others[2]):
        await tells_no_amount(card)
    await picture(manager, "demo-approval-over")
    assert (await scenario.order(SMALL)).status is ReviewState.APPROVED
    assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]


def group_card(page: ChatPage, scenario: DemoApprovalScenario, group: str) -> Locator:
    """Return the card that the group shares, as this page shows it, beside answers to its person alone."""
    return page.card(track_id=scenario.card(SMALL, group).out_track_id)


async def test_a_reason_is_asked_for_in_the_clickers_own_view(
    mild: bool, scenario: DemoApprovalScenario, browser_page: OpenPage
) -> None:
    """Where a click's answer may be everybody's, the question is a card of the clicker's own."""
    read_as(scenario.system, mild=mild)
    manager = await opened(browser_page, scenario, MANAGER, BUYERS)
    finance = await opened(browser_page, scenario, FINANCE, BUYERS)
    boss = await opened(browser_page, scenario, BOSS, KEEPERS)
    card, theirs = (group_card(page, scenario, BUYING) for page in (manager, finance))
    elsewhere = group_card(boss, scenario, WAREHOUSE)
    await button(card, "拒绝").click()
    asked = manager.card(SMALL)
    await expect(button(asked, "价格过高")).to_be_visible()
    await expect(asked.get_by_test_id("card-private")).to_be_visible()
    await expect(manager.part("card")).to_have_count(1 if mild else 2)
    await picture(manager, "demo-approval-reason")
    for page, copy in ((finance, theirs), (boss, elsewhere)):
        await expect(button(copy, "同意")).to_be_visible()
        await expect(button(copy, "价格过高")).to_have_count(0)
        await expect(page.part("card")).to_have_count(1)
    await expect(theirs.get_by_test_id("card-private")).to_be_hidden()
    # A decider sees the amount on a group's card only where values of their own arrive.
    await expect(elsewhere.get_by_test_id("card-private")).to_be_visible(visible=mild)
    for copy in (theirs,) if mild else (card, theirs, elsewhere):
        await tells_no_amount(copy)
    assert scenario.erp.told == [], "a reason is needed first"
    # Who may not decide is told so instead, and that takes the question from nobody.
    await button(theirs, "拒绝").click()
    refused = finance.card(SMALL)
    await expect(refused).to_contain_text("您不是此单的审批人")
    await expect(button(refused, "价格过高")).to_have_count(0)
    await scenario.settle()
    assert scenario.erp.told == []
    await button(asked, "价格过高").click()
    await scenario.settle()
    for copy in (card, asked, theirs, refused, elsewhere):
        await has_ended(copy, "已拒绝", "赵国强")
        await expect(copy).to_contain_text("价格过高")
    assert await scenario.erp.decisions(SMALL) == [(MANAGER, "reject", "价格过高")]


async def test_who_may_not_is_told_so_alone(mild: bool, scenario: DemoApprovalScenario, browser_page: OpenPage) -> None:
    """It takes nothing from the others: they go on to decide."""
    read_as(scenario.system, mild=mild)
    finance = await opened(browser_page, scenario, FINANCE, BUYERS)
    boss = await opened(browser_page, scenario, BOSS, BUYERS)
    card, theirs = (group_card(page, scenario, BUYING) for page in (finance, boss))
    await button(card, "同意").click()
    told = finance.card(SMALL)
    await expect(told).to_contain_text("您不是此单的审批人")
    await expect(told).to_contain_text("可联系：林明川")
    await expect(told.get_by_test_id("card-private")).to_be_visible()
    await scenario.settle()
    await expect(theirs).not_to_contain_text("您不是此单的审批人")
    await expect(boss.part("card")).to_have_count(1)
    for copy in (card, told) if mild else (card, told, theirs):
        await tells_no_amount(copy)
    for label in ("同意", "拒绝", "转交"):
        await expect(button(theirs, label)).to_be_visible()
    # A decider sees the amount on a group's card only where values of their own arrive.
    await expect(theirs.get_by_test_id("card-private")).to_be_visible(visible=mild)
    assert scenario.erp.told == []
    assert await scenario.record(SMALL) == [("opened", ""), ("refused", FINANCE)]
    await button(theirs, "同意").click()
    await scenario.settle()
    for copy in (card, told, theirs):
        await has_ended(copy, "审批通过", "林明川")
    assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]


@WIDTHS
async def test_the_evidence_of_an_order_fits_and_is_open_to_everybody(
    viewport: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tab: Page
) -> None:
    monkeypatch.chdir(tmp_path)
    control = RuleSettings.model_validate({"name": "control", "commands": ["decisions", "audit"], "people": [FINANCE]})
    access = {"roles": {"approver": frozenset({BOSS})}, "rules": (control,)}
    async with run_approval_scenario(tmp_path, SMALL, access=access) as scenario:
        await log_in(tab, scenario.system, FINANCE)
        await tab.get_by_role("link", name="审批", exact=True).click()
        listed = await findings(tab)
        if PICTURES:
            await tab.screenshot(path=Path(PICTURES) / f"approvals-{viewport[0]}.png", full_page=True)
        await tab.get_by_role("link", name=SMALL).click()
        await expect(tab.get_by_role("heading", level=1)).to_contain_text(SMALL)
        assert [*listed, *await findings(tab)] == []
        assert await tab.evaluate("document.documentElement.scrollWidth") <= viewport[0]
        if PICTURES:
            await tab.screenshot(path=Path(PICTURES) / f"approval-{viewport[0]}.png", full_page=True)
