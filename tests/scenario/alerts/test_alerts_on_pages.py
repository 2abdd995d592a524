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
