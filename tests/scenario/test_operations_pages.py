"""The page of operations of the whole bot: what it shows to whom, and a card that was given up, begun anew."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from html import unescape
from pathlib import Path

import pytest

from bot.settings import AlertSettings
from tests.scenario.alerts.scenario import AlertScenario, open_timeline_in
from tests.scenario.conftest import KEEPER
from tests.scenario.traffic import eventually
from tests.web.page_client import PageClient, page_client

ADMINISTRATOR = "it01"
GONE = "cidNoSuchGroup00000001Aa=="


@pytest.fixture
async def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AlertScenario]:
    """A bot whose alerts go to a group that it is not in."""
    monkeypatch.chdir(tmp_path)
    async with open_timeline_in(tmp_path, alerts=AlertSettings(default_groups=(GONE,))) as opened:
        await opened.post(opened.low("SKU123", "3"))
        yield opened


@pytest.fixture
async def browsers(scenario: AlertScenario) -> AsyncIterator[tuple[PageClient, PageClient]]:
    """The browsers of an administrator and of a keeper."""
    url = scenario.system.app.settings.http.public_url
    async with AsyncExitStack() as stack:
        administrator, keeper = [await stack.enter_async_context(page_client(url)) for _ in range(2)]
        await administrator.log_in(ADMINISTRATOR)
        await keeper.log_in(KEEPER)
        yield administrator, keeper


async def test_administrators_see_how_everything_does_and_spend_nothing_by_it(
    scenario: AlertScenario, browsers: tuple[PageClient, PageClient]
) -> None:
    browser, _ = browsers
    spent = scenario.calls
    page = await browser.get("/operations")
    assert page.status == 200
    for said in ("与钉钉的连接", "数据库", "审计日志", "本月钉钉额度", "API 调用", "demo", "已放弃"):
        assert said in page.text
    assert scenario.calls == spent
    assert 'href="/operations"' in page.html


async def test_a_card_that_was_given_up_is_begun_anew_once(
    scenario: AlertScenario, browsers: tuple[PageClient, PageClient]
) -> None:
    browser, keeper = browsers
    listed = await browser.get("/operations")
    (link,) = set(re.findall(r'href="(/ask\?line=/outbox\+\w{8,})"', listed.html))
    card = await browser.get(unescape(link))
    assert "已放弃" in card.text
    begun = await browser.press(card, "重发")
    assert "已重新发送" in begun.text
    assert "等待发送" in begun.text
    await scenario.settle()
    again = await browser.get(unescape(link))
    assert again.text.count("重新发送") == 1, "the page after it tells what has become of it"
    unwritten = partial(scenario.system.count, "audit_waiting")
    await eventually(lambda: not unwritten(), hint=unwritten)
    audited = await browser.get("/ask?line=%2Faudit+it01")
    assert unescape(link).partition("+")[2] in audited.text
    # Nobody else does it, by whatever they came by.
    token, own = card.token("重发"), await keeper.get("/")
    refused = await keeper.post("/do", {"form": own.form_token, "token": token})
    assert refused.status == 403
    await scenario.settle()
    assert (await browser.get(unescape(link))).text.count("重新发送") == 1


async def test_no_address_begins_anything_anew(
    scenario: AlertScenario, browsers: tuple[PageClient, PageClient]
) -> None:
    browser, _ = browsers
    asked = await browser.get("/ask?line=%2Foutbox+replay")
    assert "确认执行" in asked.text
    await scenario.settle()
    assert "重新发送" not in (await browser.get("/ask?line=%2Foutbox+dead")).text


async def test_others_see_nothing_of_it(browsers: tuple[PageClient, PageClient]) -> None:
    _, keeper = browsers
    assert 'href="/operations"' not in (await keeper.get("/")).html
    for path in ("/operations", "/ask?line=%2Foutbox", "/operations/audit?word=it01", "/ask?line=%2Faudit+verify"):
        page = await keeper.get(path)
        assert page.status == 403, path
        assert '<table class="rows">' not in page.html
        assert "cidNoSuchGroup" not in page.html


async def test_the_audit_log_is_searched_and_verified(browsers: tuple[PageClient, PageClient]) -> None:
    browser, _ = browsers
    found = await browser.get("/operations/audit?word=keeper01")
    assert (found.address.path, found.address.query["line"]) == ("/ask", "/audit keeper01")
    assert "审计日志完好" in (await browser.get("/ask?line=%2Faudit+verify")).text
