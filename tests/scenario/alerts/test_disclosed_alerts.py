"""What an alert tells a group and a person: on cards, in their updates, in digests and in texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from bot.settings import RuleSettings
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE, AlertScenario, OpenAlertScenario, open_alert_scenario
from tests.scenario.wire import TO_GROUP, WireCall, WireRecorder

__all__ = ["open_alert_scenario"]

CUSTOMER, VENDOR = "Shanghai Pump Works", "Ningbo Steel"
FIGURES = re.compile(r"12,?800|13,?900|98,?000|91,?000")
ROUTES = f'[default]\nto = ["group:{WAREHOUSE}", "group:{BUYING}", "person:finance01", "person:sales01"]\n'
FINANCE_ALONE: Mapping[str, Any] = {
    "rules": (RuleSettings.model_validate({"commands": ["invoice", "order", "po", "alerts"], "roles": ["finance"]}),),
    "outsider_groups": (WAREHOUSE,),
}
OPEN_TO_ALL: Mapping[str, Any] = {"outsider_groups": (WAREHOUSE,)}


def events_of(scenario: AlertScenario, amount: str) -> list[dict[str, Any]]:
    sale = {"customer": CUSTOMER, "amount": amount, "currency": "CNY", "due_on": "2026-11-01"}
    purchase = {"supplier": VENDOR, "amount": "98000", "currency": "CNY"}
    return [
        scenario.event("invoice.overdue", "INV-7", number="INV-7", **sale),
        scenario.event("order.late", "SO-1001", number="SO-1001", **sale),
        scenario.event("po.submitted", "PO-1", number="PO-1", **purchase),
        scenario.event("po.changed", "PO-1", number="PO-1", changes=["amount: 98000 → 91000"], **purchase),
        scenario.event("custom.credit", "K1", title=f"{CUSTOMER} is 12800 CNY over", text=f"{CUSTOMER}: 13900 CNY"),
    ]


def check(calls: list[WireCall]) -> None:
    assert calls
    for call in calls:
        assert not FIGURES.search(call.shared_text), call
        if call.place.group == WAREHOUSE:
            assert CUSTOMER not in call.shared_text, call
            assert VENDOR not in call.shared_text, call


@pytest.mark.parametrize("access", [OPEN_TO_ALL, FINANCE_ALONE], ids=["no rules", "finance alone"])
async def test_no_group_sees_an_amount(open_alert_scenario: OpenAlertScenario, access: Mapping[str, Any]) -> None:
    async with open_alert_scenario(rules=ROUTES, access=access) as scenario:
        wire = WireRecorder(scenario.system.engine)
        for amount in ("12800.00", "13900.00"):
            await scenario.post(*events_of(scenario, amount))
            check(wire.take())
        await scenario.post(scenario.event("invoice.overdue", "INV-7", number="INV-7", resolved=True))
        check(wire.take())
        assert any("INV-7" in card.title for card in scenario.cards(WAREHOUSE))
        assert any(FIGURES.search(card.markdown) for card in scenario.cards("finance01"))
        told = [card for card in scenario.cards("sales01") if FIGURES.search(card.title + card.markdown + card.tips)]
        assert bool(told) is (access is OPEN_TO_ALL)
        assert any("INV-7" in card.title for card in scenario.cards("sales01"))


async def test_no_digest_and_no_text_tells_an_amount(open_alert_scenario: OpenAlertScenario) -> None:
    group = f'[default]\nto = ["group:{WAREHOUSE}"]\ngroup_by = ["source"]\n'
    async with open_alert_scenario(rules=group, access=OPEN_TO_ALL) as scenario:
        wire = WireRecorder(scenario.system.engine)
        scenario.system.engine.faults.set("scope_denied", on=True, api="/card/")
        await scenario.post(*events_of(scenario, "12800.00"))
        await scenario.at("2m")
        calls = wire.take()
        check(calls)
        assert any(call.api == TO_GROUP for call in calls)
