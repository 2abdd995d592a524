"""The API's page in a browser: routes are read without a script and tried with a key, and ERP text stays text."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.admin.api_keys import add_key
from bot.bootstrap.api import routes_of
from bot.chat.registry import Commands
from tests.browser.chat_page import DESK, PHONE
from tests.browser.test_pages import WIDTHS, findings, opened
from tests.scenario.conftest import BotSystem, run_system

PICTURES = os.environ.get("PICTURES", "")


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[BotSystem]:
    async with run_system(tmp_path) as opened_system:
        yield opened_system


async def _open(page: Page, system: BotSystem, language: str = "zh_CN") -> str:
    """Open the page, and return a key for it."""
    token, *_ = await add_key(system.app.settings, "boss01", ["*", "propose"], "1d", datetime.now(UTC))
    await page.goto(f"http://127.0.0.1:{system.app.port}/api/v1/?lang={language}")
    return token


@WIDTHS
async def test_a_route_is_tried_with_a_key(viewport: tuple[int, int], browser: Browser, system: BotSystem) -> None:
    async with opened(browser, viewport) as page:
        await page.get_by_label("密钥").fill(await _open(page, system))
        assert await page.locator("details").count() == len(routes_of(Commands.discover()))
        route = page.locator("#read_order")
        await route.locator("summary").click()
        await route.get_by_label("number").fill("SO-1001")
        await route.get_by_role("button", name="提交").click()
        await expect(route.get_by_role("status")).to_have_text("200 OK")
        await expect(route.locator('[data-part="answer"]')).to_contain_text('"number": "SO-1001"')
        await expect(route.locator('[data-part="shell"]')).to_contain_text("/api/v1/order/SO-1001")
        width, _ = viewport
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await findings(page) == []
        if PICTURES:
            await page.screenshot(path=Path(PICTURES) / f"api-{width}.png", animations="disabled")


async def test_a_body_is_sent_with_a_name_of_its_own(browser: Browser, system: BotSystem) -> None:
    async with opened(browser, DESK) as page:
        await page.get_by_label("Key", exact=True).fill(await _open(page, system, "en"))
        route = page.locator("#propose")
        await route.locator("summary").click()
        await route.locator("textarea").fill('{"line": "/watch SO-1001", "reason": "<b>late</b>"}')
        await route.get_by_role("button", name="Send").click()
        await expect(route.get_by_role("status")).to_have_text("202 Accepted")
        await expect(route.locator('[data-part="answer"]')).to_contain_text("<b>late</b>")


async def test_the_page_is_read_without_scripts(browser: Browser, system: BotSystem) -> None:
    async with opened(browser, PHONE, java_script_enabled=False) as page:
        await _open(page, system, "en")
        await expect(page.get_by_text("the browser has to run the page's script")).to_be_visible()
        await page.locator("#list_order summary").click()
        await expect(page.locator("#list_order").get_by_label("partner")).to_be_visible()
