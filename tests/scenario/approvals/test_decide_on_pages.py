"""A purchase order decided on a page: the same decision as on its card, once, and shown as the ERP has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from openpyxl import load_workbook

from bot.approvals.case import CaseState
from bot.settings import RuleSettings
from tests.scenario.approvals.scenario import (
    ACCOUNTS,
    APPROVERS,
    BOSS,
    BUYER,
    FINANCE,
    LARGE,
    SMALL,
    DemoApprovalScenario,
    OpenApprovalScenario,
    open_approval_scenario,
)
from tests.web.page_client import PageClient, Seen, page_client

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module


@pytest.fixture
async def scenario(open_approval_scenario: OpenApprovalScenario) -> AsyncIterator[DemoApprovalScenario]:
    async with open_approval_scenario(SMALL, LARGE) as opened:
        yield opened


@pytest.fixture
async def browser(scenario: DemoApprovalScenario) -> AsyncIterator[PageClient]:
    async with page_client(scenario.system.app.settings.http.public_url) as client:
        yield client


async def settled(scenario: DemoApprovalScenario, browser: PageClient, page: Seen) -> Seen:
    """Return a page as it is once the ERP has confirmed: the browser looks again by itself."""
    while "Refresh" in page.headers:
        await scenario.settle()
        page = await browser.get(page.headers["Refresh"].split("url=")[1])
    return page


async def test_what_waits_stands_on_ones_own_page_and_is_decided_there(
    scenario: DemoApprovalScenario, browser: PageClient
) -> None:
    page = await browser.log_in(BOSS)
    assert SMALL in page.text
    page = await browser.get(f"/ask?line=%2Fpending+{SMALL}")
    page = await settled(scenario, browser, await browser.press(page, "同意"))
    assert page.address.path == "/ask"
    assert "审批通过" in page.text
    await scenario.settle()
    await scenario.assert_ended(SMALL, CaseState.APPROVED)
    assert SMALL not in (await browser.get("/")).text


async def test_the_same_form_sent_twice_decides_once(scenario: DemoApprovalScenario, browser: PageClient) -> None:
    await browser.log_in(BOSS)
    page = await browser.get(f"/ask?line=%2Fpending+{SMALL}")
    await browser.press(page, "同意")
    await scenario.settle()
    once = await scenario.record(SMALL)
    assert any(who == BOSS for _, who in once)
    await browser.press(page, "同意")
    await scenario.settle()
    assert await scenario.record(SMALL) == once
    await scenario.assert_ended(SMALL, CaseState.APPROVED)


async def test_an_order_that_was_changed_after_it_was_shown_is_not_decided(
    scenario: DemoApprovalScenario, browser: PageClient
) -> None:
    await browser.log_in(BOSS)
    page = await browser.get(f"/ask?line=%2Fpending+{SMALL}")
    token = page.token("同意")
    kind, case, _ = token.split("|")
    answer = await browser.post("/do", {"form": page.form_token, "token": f"{kind}|{case}|{'0' * 8}"})
    await scenario.settle()
    assert (await scenario.case(SMALL)).state is CaseState.OPEN, answer.text


async def test_a_rejection_asks_for_its_reason_in_a_form(scenario: DemoApprovalScenario, browser: PageClient) -> None:
    await browser.log_in(BOSS)
    page = await browser.get(f"/ask?line=%2Fpending+{SMALL}")
    page = await browser.press(page, "拒绝")
    assert (await scenario.case(SMALL)).state is CaseState.OPEN
    page = await browser.press(page, "价格过高")
    await settled(scenario, browser, page)
    await scenario.settle()
    await scenario.assert_ended(SMALL, CaseState.REJECTED)


async def test_what_somebody_writes_in_the_chat_is_no_reason_for_what_a_page_asked(
    scenario: DemoApprovalScenario, browser: PageClient
) -> None:
    await browser.log_in(BOSS)
    page = await browser.press(await browser.get(f"/ask?line=%2Fpending+{SMALL}"), "拒绝")
    assert "下一条消息" not in page.text
    page = await browser.press(page, "其他…")
    assert 'name="reason"' in page.html
    await scenario.ask("你好", BOSS)
    assert (await scenario.case(SMALL)).state is CaseState.OPEN


async def test_nobody_else_decides_by_a_token_that_they_came_by(
    scenario: DemoApprovalScenario, browser: PageClient
) -> None:
    """IDOR: what a browser sends is a request, and who may do it is asked again."""
    await browser.log_in(BOSS)
    token = (await browser.get(f"/ask?line=%2Fpending+{SMALL}")).token("同意")
    async with page_client(browser.base) as other:
        page = await other.log_in(BUYER)
        answer = await other.post("/do", {"form": page.form_token, "token": token})
    await scenario.settle()
    assert (await scenario.case(SMALL)).state is CaseState.OPEN, answer.text


async def test_who_approved_an_order_and_why_is_three_taps_away(open_approval_scenario: OpenApprovalScenario) -> None:
    control = {"name": "control", "commands": ["decisions", "audit"], "people": [FINANCE]}
    access = {
        "directory": True,
        "roles": {"approver": frozenset(APPROVERS)},
        "accounts": {account: {"demo": account} for account in ACCOUNTS},
        "rules": (RuleSettings.model_validate(control),),
    }
    async with (
        open_approval_scenario(SMALL, LARGE, access=access) as scenario,
        page_client(scenario.system.app.settings.http.public_url) as browser,
    ):
        await scenario.ask(f"/approve {SMALL}", BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert 'href="/approvals"' in (await browser.log_in(FINANCE)).html
        listed = await browser.get("/approvals?state=settled")
        assert f'href="/approvals/{SMALL}"' in listed.html
        assert LARGE not in listed.text
        shown = await browser.get(f"/approvals/{SMALL}")
        seen = (await scenario.case(SMALL)).fingerprint[:8]
        for said in (
            f"{SMALL} 的审批经过",
            "按规则发起",
            "收到审批卡片",
            "同意了",
            seen,
            f"/why {SMALL}",
            f"/audit {SMALL}",
        ):
            assert said in shown.text
        file = await browser.get("/file?line=%2Fdecisions+settled")
        sheet = load_workbook(BytesIO(file.content)).worksheets[0]
        assert [row[0].value for row in sheet.iter_rows(min_row=2, max_row=2)] == [SMALL]
