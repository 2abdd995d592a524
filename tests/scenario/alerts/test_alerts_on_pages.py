"""Alerts on pages: what is open for a person, and the same deeds as on its card, once."""

from __future__ import annotations

import re
from html import unescape

from tests.scenario.alerts.scenario import OpenAlertScenario, open_alert_scenario
from tests.scenario.conftest import KEEPER
from tests.web.page_client import Seen, page_client

__all__ = ["open_alert_scenario"]  # pytest finds fixtures in the module


RULES = f'[default]\nto = ["person:{KEEPER}"]\n'


def links_of(page: Seen) -> list[str]:
    """Return where the buttons of alerts lead."""
    return [link for link in map(unescape, re.findall(r'href="(/ask[^"]+)"', page.html)) if "alerts" in link]


async def test_an_alert_to_a_person_is_taken_on_a_page_once(open_alert_scenario: OpenAlertScenario) -> None:
    async with (
        open_alert_scenario(RULES) as scenario,
        page_client(scenario.system.app.settings.http.public_url) as browser,
    ):
        await scenario.post(scenario.low("SKU123", "3", name="内六角螺丝 M8×30", warehouse="上海总仓"))
        await scenario.settle()
        assert 'href="/alerts"' in (await browser.log_in(KEEPER)).html
        listed = await browser.get("/alerts")
        assert "内六角螺丝" in listed.text
        assert "内六角螺丝" not in (await browser.get("/alerts?text=SKU999")).text
        shown = await browser.get(links_of(listed)[0])
        taken = await browser.press(shown, "我来跟进")
        assert "跟进人： 王仓" in taken.text
        assert "我来跟进" not in taken.text
        again = await browser.press(shown, "我来跟进")
        await scenario.settle()
        assert "跟进人： 王仓" in again.text


async def test_an_alert_of_a_group_is_shown_and_acted_on_there(open_alert_scenario: OpenAlertScenario) -> None:
    async with (
        open_alert_scenario() as scenario,
        page_client(scenario.system.app.settings.http.public_url) as browser,
    ):
        await scenario.post(scenario.low("SKU123", "3", name="内六角螺丝 M8×30", warehouse="上海总仓"))
        await scenario.settle()
        await browser.log_in(KEEPER)
        shown = await browser.get(links_of(await browser.get("/alerts"))[0])
        assert "请到那些群里处理" in shown.text
        assert "我来跟进" not in shown.text


async def test_the_timeline_stands_below_an_alert_and_it_is_found_again_when_it_is_over(
    open_alert_scenario: OpenAlertScenario,
) -> None:
    async with (
        open_alert_scenario(RULES) as scenario,
        page_client(scenario.system.app.settings.http.public_url) as keeper,
        page_client(scenario.system.app.settings.http.public_url) as buyer,
    ):
        await scenario.post(scenario.low("SKU123", "3", name="内六角螺丝 M8×30", warehouse="上海总仓"))
        await scenario.settle()
        await keeper.log_in(KEEPER)
        own = await buyer.log_in("buyer01")
        path = links_of(await keeper.get("/alerts"))[0]
        shown = await keeper.get(path)
        for said in ("首次上报", "卡片已显示", "您的单聊"):
            assert said in shown.text
        done = await keeper.press(shown, "我来跟进")
        assert "已跟进 王仓" in done.text
        # It is in the keeper's chat alone: nobody else gets at it by an address or a token.
        token = shown.token("我来跟进")
        for page in (
            await buyer.get(path),
            await buyer.post("/do", {"form": own.form_token, "token": token}),
            await buyer.get("/alerts?scope=ended"),
        ):
            assert "首次上报" not in page.text
            assert "内六角螺丝" not in page.text
        await scenario.at("1h")
        await scenario.post(scenario.low("SKU123", "300", name="内六角螺丝 M8×30", warehouse="上海总仓"))
        assert "内六角螺丝" not in (await keeper.get("/alerts")).text
        assert "内六角螺丝" in (await keeper.get("/alerts?scope=ended")).text
        assert "已结束" in (await keeper.get(path)).text
        assert "内六角螺丝" not in (await buyer.get("/alerts?scope=ended")).text


async def test_a_kind_is_muted_in_ones_own_chat_by_a_form_of_the_session_alone(
    open_alert_scenario: OpenAlertScenario,
) -> None:
    async with (
        open_alert_scenario(RULES) as scenario,
        page_client(scenario.system.app.settings.http.public_url) as keeper,
    ):
        await keeper.log_in(KEEPER)
        page, fields = await keeper.get("/alerts"), {"what": "stock.low", "span": "2h"}
        assert (await keeper.post("/alerts/mute", fields)).status == 403
        assert (await keeper.get("/alerts/mute?what=stock.low&span=2h")).status in {404, 405}
        muted = await keeper.post("/alerts/mute", {**fields, "form": page.form_token})
        assert "库存不足" in muted.text
        listed = await keeper.get("/alerts")
        assert "stock.low" in listed.html or "库存不足" in listed.text
        assert "没太明白" not in listed.text
        await scenario.post(scenario.low("SKU124", "3"))
        assert scenario.cards(KEEPER) == []
