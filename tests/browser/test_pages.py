"""The bot's own pages in a browser, on a phone and on a desk: both logins, every page, with and without scripts.

With ``PICTURES=folder`` it also takes the pictures of the how-to (``make pictures``).
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from bot.settings import AlertSettings
from bot.web.mcp.tools import TOOLS
from bot.web.oauth.clients import make_client
from tests.browser.chat_page import DESK, PHONE
from tests.browser.conftest import OpenPage
from tests.browser.tab_pool import PATIENCE_MS
from tests.scenario.alerts.scenario import open_timeline_in
from tests.scenario.conftest import KEEPER, BotSystem, run_system
from tests.web.oauth_client import BACK, authorizing

BOSS, ADMINISTRATOR = "boss01", "it01"
PICTURES = os.environ.get("PICTURES", "")
PATHS = (
    "/",
    "/week",
    "/leadtimes",
    "/questions",
    "/documents",
    "/alerts",
    "/documents/order?list=late",
    "/ask?line=%2Forder+SO-1001",
    "/ask?line=%2Fwatch+SKU123",
    "/programs",
    authorizing(make_client({"client_name": "Agent", "redirect_uris": [BACK]}).id),
)
OF_ADMINISTRATORS = (
    "/operations",
    "/ask?line=%2Foutbox",
    "/ask?line=%2Faudit+verify",
    "/people",
    "/people/keeper01?command=order",
    "/people/keeper01/sees?line=%2Forder+SO-1001",
    "/alerts?scope=ended",
)
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")
WIDTHS = pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
SERIOUS = {"serious", "critical"}


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[BotSystem]:
    async with run_system(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def opened(browser: Browser, viewport: tuple[int, int], **more: Any) -> AsyncIterator[Page]:
    """Open a tab of its own profile, whose pages must do nothing wrong: tabs that are used again keep their cookies."""
    width, height = viewport
    context = await browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **more)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    wrong: list[str] = []
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        yield page
    finally:
        await context.close()
    assert wrong == []


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A tab of the size that the test is given."""
    viewport = request.node.callspec.params["viewport"] if hasattr(request.node, "callspec") else DESK
    async with opened(browser, viewport) as page:
        yield page


async def log_in(page: Page, system: BotSystem, user_id: str = BOSS) -> None:
    """Log in as people do: by the button, and on DingTalk's page."""
    await page.goto(f"{system.app.settings.http.public_url}/")
    await page.get_by_role("link", name="用钉钉登录").click()
    await page.locator(f'button[value="{user_id}"]').click()
    await expect(page.get_by_role("navigation", name="页面")).to_be_visible()


async def findings(page: Page) -> list[str]:
    """Return what axe-core finds serious on a page."""
    await page.evaluate(f"() => {{ {AXE}; globalThis.axe = axe }}")
    found: dict[str, Any] = await page.evaluate("() => axe.run()")
    return [
        f"{each['id']}: {json.dumps([node['html'][:120] for node in each['nodes'][:3]], ensure_ascii=False)}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
    ]


@WIDTHS
async def test_every_page_fits_and_is_open_to_everybody(
    viewport: tuple[int, int], system: BotSystem, tab: Page
) -> None:
    url = system.app.settings.http.public_url
    await tab.goto(f"{url}/login")
    found = {"/login": await findings(tab)}
    await log_in(tab, system, ADMINISTRATOR)
    for number, path in enumerate((*PATHS, *OF_ADMINISTRATORS)):
        await tab.goto(f"{url}{path}")
        found[path] = await findings(tab)
        width = await tab.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport[0], path
        if PICTURES:
            await tab.screenshot(path=Path(PICTURES) / f"page-{number}-{viewport[0]}.png", animations="disabled")
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


async def test_who_allows_an_agent_is_sent_back_to_it(system: BotSystem, tab: Page) -> None:
    """A policy of content that names no other address for forms would keep the browser here."""
    url = system.app.settings.http.public_url
    back = f"{url.replace('127.0.0.1', 'localhost')}/healthz"  # to a browser that is another origin
    client = make_client({"client_name": "Agent", "redirect_uris": [back]})
    await log_in(tab, system)
    await tab.goto(f"{url}{authorizing(client.id, back)}")
    await expect(tab.get_by_role("checkbox", checked=True)).to_have_count(len(TOOLS) - 1)
    await tab.get_by_role("button", name="允许").click()
    await tab.wait_for_url(f"{back}?code=dgc_*")


async def test_dark_pages_have_enough_contrast(browser: Browser, system: BotSystem) -> None:
    async with opened(browser, PHONE, color_scheme="dark") as page:
        await log_in(page, system, ADMINISTRATOR)
        for path in ("/documents/order?list=late", *OF_ADMINISTRATORS):
            await page.goto(f"{system.app.settings.http.public_url}{path}")
            assert await findings(page) == [], path


async def test_printed_pages_have_what_they_tell_and_nothing_to_press(browser: Browser, system: BotSystem) -> None:
    async with opened(browser, DESK) as page:
        await log_in(page, system, ADMINISTRATOR)
        await page.emulate_media(media="print")
        for path in ("/operations", "/people/keeper01?command=order", "/alerts"):
            await page.goto(f"{system.app.settings.http.public_url}{path}")
            await expect(page.get_by_role("heading").first).to_be_visible()
            for part in (".menu", ".filters", ".buttons", ".foot"):
                for each in await page.locator(part).all():
                    await expect(each).to_be_hidden()


@WIDTHS
async def test_a_card_that_was_given_up_is_sent_again_and_its_page_says_what_came_of_it(
    viewport: tuple[int, int], tab: Page, tmp_path: Path
) -> None:
    alerts = AlertSettings(default_groups=("cidNoSuchGroup00000001Aa==",))
    async with open_timeline_in(tmp_path, alerts=alerts) as scenario:
        await scenario.post(scenario.low("SKU123", "3"))
        await log_in(tab, scenario.system, ADMINISTRATOR)
        await tab.get_by_role("link", name="运维").click()
        await tab.locator('.rows a[href*="outbox"]').first.click()
        await expect(tab.locator(".body")).to_contain_text("已放弃")
        await tab.get_by_role("button", name="重发").click()
        await expect(tab.get_by_role("heading", level=1)).to_contain_text("已重新发送")
        assert await findings(tab) == []
        assert await tab.evaluate("document.documentElement.scrollWidth") <= viewport[0]


async def test_without_scripts_administrators_look_after_the_bot(browser: Browser, system: BotSystem) -> None:
    async with opened(browser, PHONE, java_script_enabled=False) as page:
        await log_in(page, system, ADMINISTRATOR)
        await page.get_by_role("link", name="运维").click()
        await page.get_by_role("link", name="校验审计日志").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("审计日志完好")
        await page.get_by_role("link", name="人员").click()
        await page.get_by_label("姓名或用户 ID").fill("it01")
        await page.get_by_role("button", name="查询").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("高翔")


@pytest.mark.parametrize("client", ["{%s}", "{runtime: {permission: {%s}}}"], ids=["new", "old"])
async def test_the_client_logs_in_by_itself(client: str, browser: Browser, system: BotSystem) -> None:
    """DingTalk's own script is played: it hands out the code that the simulator gave for the person."""
    code, _ = system.engine.credentials.client_codes.issue(system.engine.enterprise.people[KEEPER])
    function = "requestAuthCode: ({onSuccess}) => setTimeout(() => onSuccess({code: '%s'}))"
    script = f"globalThis.dd = {client % (function % code)};"

    async def answer(route: Route) -> None:
        await route.fulfill(content_type="text/javascript", body=script)

    async with opened(browser, PHONE, user_agent="Mozilla/5.0 (iPhone) DingTalk/7.6.0") as page:
        await page.route("https://g.alicdn.com/**", answer)
        await page.goto(f"{system.app.settings.http.public_url}/documents")
        await expect(page.get_by_role("heading", name="单据")).to_be_visible()
        await expect(page.locator(".who")).to_have_text("王仓")


@WIDTHS
async def test_from_the_list_to_a_document_by_the_keyboard(
    viewport: tuple[int, int], system: BotSystem, tab: Page
) -> None:
    await log_in(tab, system)
    await tab.goto(f"{system.app.settings.http.public_url}/documents/order")
    await tab.get_by_label("列表").select_option("late")
    await tab.get_by_label("单号、名称或产品").focus()
    await tab.keyboard.type("SKU123")
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", level=1)).to_contain_text("延期订单")
    link = tab.locator(".rows a").first
    number = await link.inner_text()
    await link.focus()
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", level=1)).to_contain_text(number)
    await tab.keyboard.press("/")
    await expect(tab.get_by_role("searchbox")).to_be_focused()


async def test_without_scripts_the_pages_are_complete(browser: Browser, system: BotSystem) -> None:
    async with opened(browser, PHONE, java_script_enabled=False) as page:
        await log_in(page, system)
        await page.get_by_role("link", name="单据").click()
        await page.get_by_role("link", name="订单").first.click()
        await expect(page.locator(".rows tbody tr")).to_have_count(50)
        await page.get_by_role("button", name="退出登录").click()
        await expect(page.get_by_role("link", name="用钉钉登录")).to_be_visible()


async def test_one_click_leads_from_the_chat_to_the_pages(system: BotSystem, browser_page: OpenPage) -> None:
    system.engine.home_page = f"{system.app.settings.http.public_url}/"
    page = await browser_page(KEEPER, url=system.engine.base_url)
    async with page.page.context.expect_page() as opened:
        await page.part("home-page").click()
    pages = await opened.value
    try:
        await expect(pages.get_by_role("link", name="用钉钉登录")).to_be_visible()
    finally:
        await pages.close()
