"""From the first page to a changed rule on a phone, in a browser: what costs time is found and changed in five taps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Browser, Locator, expect

from tests.alerts.intake.samples import cloud_event
from tests.browser.chat_page import PHONE
from tests.browser.test_pages import findings, log_in, opened
from tests.scenario.conftest import run_system
from tests.scenario.test_findings import RULES, ignore_alerts
from tests.scenario.test_rule_pages import IT, answer

MOST_TAPS = 5


async def test_a_noisy_rule_is_changed_in_five_taps(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    file.write_text(RULES)
    roles = {"admin": frozenset({IT})}
    taps = 0

    async def tap(what: Locator) -> None:
        nonlocal taps
        taps += 1
        await what.click()

    async with run_system(tmp_path, alerts={"rules": file}, access={"roles": roles}) as system:
        for number in range(10):
            data = {"warehouse": "SH", "available": "8" if number < 7 else "2", "reorder_point": "10"}
            event = cloud_event(id=f"E-{number}", subject=f"SKU{700 + number}", time=None, data=data)
            await system.app.alerts.intake.accept("demo", [event], via="webhook")
        await ignore_alerts(system, datetime.now(UTC))
        file.write_text(f"{RULES}# read anew\n")
        await system.app.read_rules_again()
        async with opened(browser, PHONE) as page:
            await log_in(page, system, IT)
            await tap(page.get_by_role("link", name="效率", exact=True))
            await expect(page.get_by_role("heading", name="时间花在哪里")).to_be_visible()
            assert await findings(page) == []
            await tap(page.get_by_role("link", name="改：“低库存”"))
            await expect(page.get_by_role("heading", name="演练结果")).to_be_visible()
            await expect(page.locator(".diff .added").first).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
            assert await findings(page) == []
            await tap(page.get_by_role("button", name="继续发布"))
            await expect(page.get_by_text("请在钉钉里确认")).to_be_visible()
            taps += 1
            await answer(system, IT)
            await tap(page.get_by_role("button", name="立即发布"))
            await expect(page.get_by_text("这些规则已经生效")).to_be_visible()
        assert "decimal(data.reorder_point) * 0.7" in file.read_text()
    assert taps <= MOST_TAPS
