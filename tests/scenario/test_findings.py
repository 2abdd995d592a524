"""Findings in the whole bot: what is proposed, what its rehearsal says, and the draft that a tap opens."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bot.efficiency.findings import MANY_ASK, FindingTopic, finding_id
from bot.store.database import Database
from bot.store.predictions import StoredPredictions
from bot.store.row_times import to_ms
from bot.store.tables import ALERT_WAIT
from bot.store.unread_sentences import StoredUnreadSentences
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE, AlertScenario, open_timeline_in
from tests.scenario.conftest import BotSystem
from tests.scenario.test_rule_pages import IN_FORCE, IT, answer, press, send, typed
from tests.web.page_client import page_client

RULES = f"""[default]
to = ["group:{WAREHOUSE}"]

[[routes]]
name = "低库存"     # 仓库
types = ["stock.low"]
to = ["group:{BUYING}"]
"""
NOISY = finding_id(FindingTopic.ALERTS, "低库存")
DRAFT = f"/rules/alerts?finding={NOISY}"


async def ignore_alerts(system: BotSystem, now: datetime) -> None:
    """Note alerts of the month before that nobody took up."""
    shown_at = now.replace(day=1) - timedelta(days=10)
    rows: list[dict[str, Any]] = [
        {
            "number": -number - 1,
            "person": "",
            "at_ms": to_ms(shown_at),
            "rule": "低库存",
            "acknowledged_s": None,
            "resolved_s": None,
            "ignored": True,
            "repeated": False,
        }
        for number in range(30)
    ]
    database = Database(system.app.settings.database)
    await database.run(lambda connection: connection.execute(insert(ALERT_WAIT), rows))
    await database.close()


async def test_a_noisy_rule_is_quietened_from_its_finding_to_the_rule_in_force(tmp_path: Path) -> None:
    """Of ten products seven lie closely below their reorder point: with the change three are told of."""
    roles = {"admin": frozenset({IT})}
    async with open_timeline_in(tmp_path, RULES, access={"roles": roles}) as scenario:
        for number in range(10):
            await scenario.post(scenario.low(f"SKU{700 + number}", "8" if number < 7 else "2"))
        await scenario.at("1h")
        await ignore_alerts(scenario.system, scenario.clock.now)
        file = tmp_path / "alerts.toml"
        file.write_text(RULES + "# read anew\n")
        await scenario.system.app.read_rules_again()
        async with page_client(scenario.system.app.settings.http.public_url) as browser:
            await browser.log_in(IT)
            page = await browser.get("/efficiency")
            assert "“低库存”的 30 条预警里，100% 无人处理" in page.text
            assert "每周卡片从 10.0 张变为 3.0 张" in page.text
            assert DRAFT in page.html
            draft = await browser.get(DRAFT)
            quiet = tomllib.loads(typed(draft))["routes"][0]["routes"][0]
            assert (quiet["when"], quiet["to"]) == ("quantity >= decimal(data.reorder_point) * 0.7", [])
            assert 'name = "低库存"     # 仓库' in typed(draft)
            assert "去向改变的预警 7" in draft.text, "its rehearsal stands below it"
            change = await send(browser, draft, "propose", typed(draft), finding=NOISY)
            assert "请在钉钉里确认" in change.text, "it asks in the chat at once"
            await answer(scenario.system, IT)
            assert IN_FORCE in (await press(browser, await browser.get(change.address.path), "publish")).text
            assert "quiet" in file.read_text()
            await measure(scenario)
            assert "原来 10.0，演练为 3.0" in (await browser.get("/efficiency")).text
            await scenario.at("2h")
            await scenario.post(scenario.low("SKU777", "2"), scenario.low("SKU778", "9"))
            await scenario.at("700h")
            await measure(scenario)
            page = await browser.log_in(IT, "/efficiency")
            assert "原来 10.0，演练为 3.0，实际 0.2。数量太少，看不出来。" in page.text


async def measure(scenario: AlertScenario) -> None:
    """Do what the leader does every few minutes."""
    database = Database(scenario.system.app.settings.database)
    await StoredPredictions(database, lambda: scenario.clock.now).measure()
    await database.close()


async def test_a_finding_that_is_over_and_a_made_up_one_have_no_draft(tmp_path: Path) -> None:
    async with (
        open_timeline_in(tmp_path, RULES, access={"roles": {"admin": frozenset({IT})}}) as scenario,
        page_client(scenario.system.app.settings.http.public_url) as browser,
    ):
        page = await browser.log_in(IT, "/rules/alerts?finding=%3Cb%3E")
        assert (page.status, typed(page)) == (409, RULES)
        page = await browser.get("/rules/approvals?finding=" + NOISY)
        assert page.status == 409


async def test_what_many_asked_in_vain_is_the_first_finding_of_administrators(tmp_path: Path) -> None:
    roles = {"admin": frozenset({IT})}
    async with open_timeline_in(tmp_path, RULES, access={"roles": roles}) as scenario:
        database = Database(scenario.system.app.settings.database)
        counted = StoredUnreadSentences(database)
        last_month = scenario.clock.now.date().replace(day=1) - timedelta(days=10)
        for person in range(MANY_ASK):
            counted.note("〈partner〉的合同编号", f"p{person}", last_month)
        await counted.flush()
        await database.close()
        (tmp_path / "alerts.toml").write_text(RULES + "# read anew\n")
        await scenario.system.app.read_rules_again()
        async with page_client(scenario.system.app.settings.http.public_url) as browser:
            await browser.log_in(IT)
            page = await browser.get("/efficiency")
        assert "有 6 个人在 1 周里一共问了 6 次“〈partner〉的合同编号”，机器人都没听懂。" in page.text
        assert "understanding.sentences" in page.text
