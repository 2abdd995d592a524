"""Until which day an alert is put off, asked for by a form, over the wire."""

from __future__ import annotations

from typing import Any

from bot.kit.simulator.card_templates import PUBLIC_FORM
from bot.kit.simulator.chat import SimDelivery
from tests.scenario.alerts.scenario import WAREHOUSE, AlertScenario, OpenAlertScenario, open_alert_scenario
from tests.scenario.alerts.test_scenarios import KEEPER, plain_text, pressed
from tests.scenario.alerts.test_top_boxes import card_below

__all__ = ["open_alert_scenario"]  # pytest finds fixtures in the module

ON: dict[str, Any] = {"cards": {"form_template": PUBLIC_FORM}}


def forms(scenario: AlertScenario) -> list[SimDelivery]:
    """Return the forms in the warehouse's group."""
    items = scenario.system.engine.conversation(WAREHOUSE).items
    return [item for item in items if isinstance(item, SimDelivery) and item.card.template.id == PUBLIC_FORM]


async def test_another_day(open_alert_scenario: OpenAlertScenario) -> None:
    async with open_alert_scenario(**ON) as scenario:
        engine = scenario.system.engine
        await scenario.post(scenario.low("SKU123"))
        card = card_below(scenario)
        asked = await pressed(scenario, card, "稍后")
        await pressed(scenario, asked, "其他日期…")
        (shown,) = await engine.wait_for(lambda: forms(scenario))
        assert shown.recipients == frozenset({KEEPER})
        assert [(field.name, field.type) for field in shown.card.view_for(KEEPER).fields] == [("value", "DATE")]
        result = await engine.click(shown.card.out_track_id, KEEPER, "确定", fields={"value": "2026-11-26"})
        assert result.ok, result.toast
        assert not shown.card.view_for(KEEPER).fields
        assert "11月26日 09:00" in shown.card.view_for(KEEPER).markdown
        await scenario.settle()
        assert "11月26日 09:00" in plain_text(scenario.system.see(card, "sales01"))
