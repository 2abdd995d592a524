"""What is critical at the top of its group, over the wire, as long as it is open."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimDelivery
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE, AlertScenario, OpenAlertScenario, open_alert_scenario
from tests.scenario.alerts.test_scenarios import KEEPER, plain_text, pressed
from tests.scenario.traffic import eventually

__all__ = ["open_alert_scenario"]  # pytest finds fixtures in the module

ON: dict[str, Any] = {"notify": {"top_box": True}}


def tops(scenario: AlertScenario, place: str = WAREHOUSE) -> list[str]:
    """Return what stands at the top of a group."""
    engine = scenario.system.engine
    items = engine.chat.items(engine.conversation(place), "", 0)
    copies = [item for item in items if isinstance(item, SimDelivery) and item.top and not item.recalled]
    return [plain_text(copy.card.view_for(KEEPER)) for copy in copies]


def card_below(scenario: AlertScenario) -> SimCardView:
    """Return the newest card among the messages of the warehouse's group."""
    engine = scenario.system.engine
    items = engine.chat.items(engine.conversation(WAREHOUSE), "", 0)
    return [item.card.view_for(KEEPER) for item in items if isinstance(item, SimDelivery) and not item.top][-1]


async def test_it_stands_until_the_alert_is_over_and_costs_two_calls(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario(**ON) as scenario:
        await scenario.post(scenario.low("SKU123", severity="critical"))
        (top,) = tops(scenario)
        assert "SKU123" in top
        assert scenario.calls == 2
        await scenario.at("10m")
        await scenario.post(scenario.low("SKU123", "2", severity="critical"))
        await pressed(scenario, card_below(scenario), "我来跟进")
        assert len(tops(scenario)) == 1
        before = scenario.calls
        await scenario.post(scenario.low("SKU123", "200"))
        assert tops(scenario) == []
        assert scenario.calls == before + 2, "the card turns green, and the box goes"
        assert tops(scenario, BUYING) == []


async def test_what_is_not_critical_is_in_no_box(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario(**ON) as scenario:
        await scenario.post(scenario.low("SKU123"))
        assert tops(scenario) == []
        await scenario.at("1h")
        await scenario.post(scenario.low("SKU123", "0", severity="critical"))
        assert len(tops(scenario)) == 1, "it has become critical"


async def test_without_the_setting_there_is_none(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario() as scenario:
        await scenario.post(scenario.low("SKU123", severity="critical"))
        assert tops(scenario) == []
        assert scenario.calls == 1


BY_RULE = """
[default]
to = ["group:{group}"]

[[routes]]
name = "screws"
when = "subject == 'SKU123'"
top_box = {screws}
"""


@pytest.mark.parametrize("setting", [False, True], ids=["off", "on"])
async def test_a_rule_says_which_alerts_have_a_box(open_alert_scenario: OpenAlertScenario, setting: bool) -> None:
    rules = BY_RULE.format(group=WAREHOUSE, screws=str(not setting).lower())
    async with open_alert_scenario(rules=rules, notify={"top_box": setting}) as scenario:
        await scenario.post(scenario.low("SKU123", severity="critical"), scenario.low("SKU155", severity="critical"))
        (top,) = tops(scenario)
        assert ("SKU123" in top) is not setting
        await scenario.at("10m")
        await scenario.post(scenario.low("SKU123", "200"), scenario.low("SKU155", "200"))
        assert tops(scenario) == []


async def test_a_box_goes_when_the_rule_is_changed(open_alert_scenario: OpenAlertScenario) -> None:
    rules = BY_RULE.format(group=WAREHOUSE, screws="true")
    async with open_alert_scenario(rules=rules) as scenario:
        await scenario.post(scenario.low("SKU123", severity="critical"), scenario.low("SKU155", severity="critical"))
        (top,) = tops(scenario)
        assert "SKU123" in top
        other = rules.replace("top_box = true", "top_box = false").replace("[default]", "[default]\ntop_box = true")
        (scenario.folder / "alerts.toml").write_text(other)
        before = scenario.calls
        await eventually(partial(_only_screws_of, scenario, "SKU155"), hint=lambda: tops(scenario))
        assert scenario.calls == before + 2, "one goes, and the other comes"
        await scenario.post(scenario.low("SKU123", "200"), scenario.low("SKU155", "200"))
        assert tops(scenario) == []


def _only_screws_of(scenario: AlertScenario, sku: str) -> bool:
    scenario.system.app.alerts.processor.poke()
    return [sku in top for top in tops(scenario)] == [True]


async def test_a_refused_box_leaves_the_card_alone(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario(**ON) as scenario:
        scenario.system.engine.faults.set("refused", on=True, api="card/tops/close", code="param.invalid")
        await scenario.post(scenario.low("SKU123", severity="critical"))
        await scenario.post(scenario.low("SKU123", "200"))
        assert card_below(scenario).title.startswith("🟢")
