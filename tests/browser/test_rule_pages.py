"""A rule in a browser, on a phone and on a desk: edited, checked as it is typed, rehearsed, published and taken back.

With ``PICTURES=folder`` it also takes the pictures of the how-to (``make pictures``).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.chat_page import DESK, PHONE
from tests.browser.test_pages import findings, log_in, opened
from tests.scenario.conftest import BotSystem, run_system
from tests.scenario.test_rule_pages import FIRST, IT, SECOND, answer

PICTURES = os.environ.get("PICTURES", "")
REASON = "采购要看到订单"


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[BotSystem]:
    file = tmp_path / "alerts.toml"
    file.write_text(FIRST)
    async with run_system(tmp_path, alerts={"rules": file}) as opened_system:
        yield opened_system


class Looked:
    """What was found wrong on the pages that were looked at."""

    def __init__(self, page: Page, width: int) -> None:
        self._page = page
        self._width = width
        self.wrong: dict[str, object] = {}

    async def look(self, name: str) -> None:
        """Look at the page as it is now."""
        wide = await self._page.evaluate("document.documentElement.scrollWidth")
        if wide > self._width:
            self.wrong[f"{name} is too wide"] = wide
        if found := await findings(self._page):
            self.wrong[name] = found
        if PICTURES:
            path = Path(PICTURES) / f"rules-{name}-{self._width}.png"
            await self._page.screenshot(path=path, full_page=True, animations="disabled")


async def publish(page: Page, system: BotSystem, looked: Looked, name: str) -> None:
    """Confirm and publish the change on this page; the page goes on by itself after the tap."""
    await looked.look(f"{name}-change")
    await page.get_by_role("button", name="去钉钉确认").click()
    await expect(page.get_by_text("请在钉钉里确认")).to_be_visible()
    await answer(system, IT)
    await page.get_by_role("button", name="立即发布").click()
    await expect(page.get_by_text("这些规则已经生效")).to_be_visible()
    await looked.look(f"{name}-published")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_rule_is_edited_checked_rehearsed_published_and_taken_back(
    viewport: tuple[int, int], browser: Browser, system: BotSystem, tmp_path: Path
) -> None:
    async with opened(browser, viewport) as page:
        looked = Looked(page, viewport[0])
        await log_in(page, system, IT)
        await page.get_by_role("link", name="规则", exact=True).click()
        await looked.look("list")
        await (
            page.locator("section", has=page.get_by_role("heading", name="预警规则"))
            .get_by_role("link", name="修改")
            .click()
        )
        editor = page.get_by_label("规则", exact=True)
        await editor.fill(FIRST.replace("types", "tpyes"))
        await expect(page.locator("#findings")).to_contain_text("第 6 行")
        await looked.look("wrong")
        await page.locator("[data-line]").first.click()
        assert await editor.evaluate("each => each.value.slice(each.selectionStart, each.selectionEnd)") == (
            'tpyes = ["invoice.*"]'
        )
        await editor.fill(SECOND)
        await expect(page.locator("#findings")).not_to_contain_text("tpyes")
        await page.get_by_role("button", name="演练").click()
        await expect(page.get_by_role("heading", name="演练结果")).to_be_visible()
        await looked.look("rehearsed")
        await page.get_by_role("button", name="对比").click()
        await expect(page.locator(".diff .added")).to_contain_text("po.*")
        await page.get_by_label("原因").fill(REASON)
        await page.get_by_role("button", name="继续发布").click()
        await publish(page, system, looked, "new")
        assert (tmp_path / "alerts.toml").read_text() == f"{SECOND}# end\n"
        await page.get_by_role("link", name="历史版本").click()
        await looked.look("versions")
        await page.get_by_role("button", name="回到这一版").first.click()
        await publish(page, system, looked, "back")
        assert (tmp_path / "alerts.toml").read_text() == f"{FIRST}# end\n"
    assert looked.wrong == {}


async def test_without_scripts_and_in_the_dark_a_rule_is_changed_as_well(browser: Browser, system: BotSystem) -> None:
    async with opened(browser, PHONE, java_script_enabled=False, color_scheme="dark") as page:
        await log_in(page, system, IT)
        await page.goto(f"{system.app.settings.http.public_url}/rules/alerts")
        await page.get_by_label("规则", exact=True).fill(FIRST.replace("types", "tpyes"))
        await page.get_by_role("button", name="检查").click()
        await expect(page.locator("#findings")).to_contain_text("第 6 行")
        await expect(page.get_by_label("规则", exact=True)).to_have_value(FIRST.replace("types", "tpyes"))
    async with opened(browser, PHONE, color_scheme="dark") as page:
        await log_in(page, system, IT)
        await page.goto(f"{system.app.settings.http.public_url}/rules/alerts")
        assert await findings(page) == []
