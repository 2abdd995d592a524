"""The set-up in a browser at the width of a phone: from an empty folder to the first answer.

With ``PICTURES=folder`` it also takes the pictures of the how-to (``make pictures``).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import RunningSimulator, open_simulator
from tests.browser.chat_page import PHONE
from tests.browser.test_pages import findings, opened
from tests.scenario.conftest import KEEPER
from tests.scenario.processes import NO_INDEX, Program, environment, program
from tests.scenario.traffic import LONGEST_WAIT, eventually

PICTURES = os.environ.get("PICTURES", "")
PICTURED = frozenset({"app", "access", "write"})
"""The pages of which the how-to has pictures."""


@dataclass(frozen=True)
class SetUp:
    """A set-up under way: its process, its DingTalk, the page and the folder."""

    process: Program
    simulator: RunningSimulator
    page: Page
    folder: Path

    def address(self, number: int = 0) -> str:
        """Return an address that the terminal has shown."""
        return [line for line in self.process.out.splitlines() if "/setup?token=" in line][number]

    def says_hello(self) -> None:
        """Let somebody mention the bot in the first group."""
        group = next(each for each in self.simulator.engine.chat.conversations.values() if each.kind == "group")
        self.simulator.engine.say(group.id, KEEPER, "你好")

    async def looked_at(self, name: str) -> None:
        """Check that the page fits a phone, and is open to everybody."""
        assert await findings(self.page) == [], name
        assert await self.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], name
        if PICTURES and name in PICTURED:
            await self.page.screenshot(path=Path(PICTURES) / f"setup-{name}.png", full_page=True)


@asynccontextmanager
async def set_up(browser: Browser, folder: Path, *arguments: str) -> AsyncIterator[SetUp]:
    """Run `dingerp setup` in an empty folder, and open the address that it shows."""
    config = SimulatorConfig(qps_limit=None, quota_limit=None)
    async with open_simulator(config) as simulator:
        env = environment(config, simulator.url, Path("data"), **NO_INDEX)
        for name in ("DINGTALK_CLIENT_ID", "DINGTALK_CLIENT_SECRET", "DINGERP_ERP__MAIN__VENDOR"):
            env.pop(name)
        async with program("-m", "bot.cli", "setup", *arguments, env=env, folder=folder) as process:
            await eventually(lambda: "/setup?token=" in process.out, hint=lambda: process.err)
            async with opened(browser, PHONE) as page:
                made = SetUp(process, simulator, page, folder)
                await page.goto(made.address())
                yield made


async def go_on(page: Page, button: str = "下一步") -> None:
    await page.locator("main").get_by_role("button", name=button, exact=True).click()


def written(folder: Path) -> set[str]:
    """Return the names of the settings and rules in a folder."""
    return {file.name for file in folder.glob("*.toml")}


async def test_an_empty_folder_becomes_a_bot_that_answers(browser: Browser, tmp_path: Path) -> None:
    async with set_up(browser, tmp_path) as setup:
        page = setup.page
        await setup.looked_at("begin")
        await go_on(page, "开始")

        await page.get_by_label("Client ID").fill("dingdemoappkey")
        await go_on(page, "检查密钥")
        await expect(page.get_by_label("Client ID")).to_have_value("dingdemoappkey")
        await expect(page.locator("#wrong-client_secret")).to_have_text("缺少")
        await page.get_by_label("Client Secret").fill("dingdemosecret")
        await go_on(page, "检查密钥")
        await expect(page.locator(".checks li").first).to_contain_text("✓")
        assert "dingdemosecret" not in await page.content()
        await setup.looked_at("app")
        await page.get_by_role("link", name="下一步").click()

        await page.get_by_role("link", name="Odoo").click()
        await page.get_by_label("地址").fill("erp.example.com")
        await page.get_by_label("接口密钥").fill("hidden-key")
        await go_on(page, "试一试")
        await expect(page.locator("#wrong-url")).to_be_visible()
        await expect(page.get_by_label("地址")).to_have_value("erp.example.com")
        assert "hidden-key" not in await page.content()
        await setup.looked_at("erp-wrong")
        await page.get_by_role("link", name="换一个 ERP").click()
        await page.get_by_role("link", name="Demo company").click()
        await go_on(page, "试一试")
        await expect(page.get_by_role("region", name="卡片")).to_contain_text("现存")
        await setup.looked_at("erp")
        await page.get_by_role("link", name="下一步").click()

        await page.get_by_text("按角色能看到什么").click()
        await setup.looked_at("access")
        await page.get_by_label("IT 管理员").check()
        await go_on(page)

        await expect(page.get_by_role("status")).to_be_visible()
        setup.says_hello()
        await page.get_by_role("radio").first.check()
        await setup.looked_at("group")
        await go_on(page)

        await expect(page.get_by_role("heading", name="access.toml")).to_be_visible()
        await setup.looked_at("write")
        assert written(tmp_path) == set()
        await go_on(page, "写入文件并启动机器人")
        line = await page.locator("main .line code").inner_text()
        await setup.looked_at("done")

        await setup.process.saying("bot.running")
        engine = setup.simulator.engine
        group = next(each for each in engine.chat.conversations.values() if each.kind == "group")
        message = engine.say(group.id, KEEPER, line)
        await engine.wait_for(lambda: engine.cards_for(message), timeout=LONGEST_WAIT)
        assert written(tmp_path) == {"dingerp.toml", "access.toml", "alerts.toml"}
