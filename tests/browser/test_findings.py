"""From the first page to a changed rule on a phone, in a browser: what costs time is found and changed in five taps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, Page, expect
from sqlalchemy import insert

from bot.store.database import Database
from bot.store.row_times import to_ms
from bot.store.tables import DECISION_WAIT
from tests.alerts.intake.samples import cloud_event
from tests.browser.chat_page import PHONE
from tests.browser.test_pages import findings, log_in, opened
from tests.scenario.conftest import BotSystem, run_system
from tests.scenario.test_findings import RULES, ignore_alerts
from tests.scenario.test_rule_pages import IT, answer

MOST_TAPS = 5
LARGE = "大额采购"
APPROVALS = f"""[[rules]]
name = "{LARGE}"
amount = "from 20000 CNY"   # 2025 年定
levels = [{{any = ["role:approver"]}}, {{all = ["person:boss01"]}}]

[[rules]]
name = "其他采购"
amount = "below 20000 CNY"
levels = [{{any = ["role:approver"]}}]
"""


@dataclass
class Walk:
    """A page that somebody taps on, and how often."""

    page: Page
    taps: int = 0

    async def tap(self, role: Literal["link", "button"], name: str, *, exact: bool = False) -> None:
        """Tap on something by what it says."""
        self.taps += 1
        await self.page.get_by_role(role, name=name, exact=exact).click()

    async def change_what(self, system: BotSystem, remedy: str) -> None:
        """Go from the first page to what costs time, and to the changed rule in force."""
        await log_in(self.page, system, IT)
        await self.tap("link", "效率", exact=True)
        await expect(self.page.get_by_role("heading", name="时间花在哪里")).to_be_visible()
        assert await findings(self.page) == []
        await self.tap("link", f"改：“{remedy}”")
        await expect(self.page.get_by_role("heading", name="演练结果")).to_be_visible()
        await expect(self.page.locator(".diff .added").first).to_be_visible()
        assert await self.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert await findings(self.page) == []
        await self.tap("button", "继续发布")
        await expect(self.page.get_by_text("请在钉钉里确认")).to_be_visible()
        self.taps += 1
        await answer(system, IT)
        await self.tap("button", "立即发布")
        await expect(self.page.get_by_text("这些规则已经生效")).to_be_visible()
        assert self.taps <= MOST_TAPS


async def test_a_noisy_rule_is_changed_in_five_taps(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    file.write_text(RULES)
    roles = {"admin": frozenset({IT})}
    async with run_system(tmp_path, alerts={"rules": file}, access={"roles": roles}) as system:
        for number in range(10):
            data = {"warehouse": "SH", "available": "8" if number < 7 else "2", "reorder_point": "10"}
            event = cloud_event(id=f"E-{number}", subject=f"SKU{700 + number}", time=None, data=data)
            await system.app.alerts.intake.accept("demo", [event], via="webhook")
        await ignore_alerts(system, datetime.now(UTC))
        file.write_text(f"{RULES}# read anew\n")
        await system.app.read_rules_again()
        async with opened(browser, PHONE) as page:
            await Walk(page).change_what(system, "低库存")
        assert "decimal(data.reorder_point) * 0.7" in file.read_text()


async def test_what_slows_approvals_is_changed_in_five_taps(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "approvals.toml"
    file.write_text(APPROVALS)
    deciders = frozenset({"boss01", "buymanager01"})
    access = {
        "roles": {"admin": frozenset({IT}), "approver": deciders},
        "accounts": {each: {"demo": each} for each in deciders},
    }
    async with run_system(tmp_path, approvals={"rules": file}, access=access) as system:
        await wait_for_the_boss(system, datetime.now(UTC))
        file.write_text(f"{APPROVALS}# read anew\n")
        await system.app.read_rules_again()
        async with opened(browser, PHONE) as page:
            await Walk(page).change_what(system, LARGE)
        text = file.read_text()
    assert 'amount = "from 32000 CNY"   # 2025 年定' in text
    assert 'amount = "below 32000 CNY"' in text


async def wait_for_the_boss(system: BotSystem, now: datetime) -> None:
    """Note decisions of the month before at the second level, a day and a half each."""
    decided_at = now.replace(day=1) - timedelta(days=10)
    rows: list[dict[str, Any]] = [
        {
            "case_id": f"before-{number}",
            "person": "boss01",
            "at_ms": to_ms(decided_at + timedelta(minutes=number)),
            "waited_s": 36 * 3600,
            "worked_s": 9 * 3600,
            "level": 2,
            "rule": LARGE,
            "currency": "CNY",
            "size": 3,
            "way": "card",
            "in_time": None,
            "approved": True,
            "changed": False,
            "kind": "po",
        }
        for number in range(30)
    ]
    database = Database(system.app.settings.database)
    await database.run(lambda connection: connection.execute(insert(DECISION_WAIT), rows))
    await database.close()
