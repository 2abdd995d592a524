"""What an alert tells a group and a person: on cards, in their updates, in digests and in texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from bot.settings import RuleSettings
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE, AlertScenario, OpenAlertScenario, open_alert_scenario
from tests.scenario.test_least_disclosure import own_cards
from tests.scenario.traffic import eventually
from tests.scenario.wire import TO_GROUP, WireCall, WireRecorder

__all__ = ["open_alert_scenario"]

CUSTOMER, VENDOR = "Shanghai Pump Works", "Ningbo Steel"
NUMBERS = ("INV-7", "SO-1001", "PO-1", "K1")
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


def check(calls: list[WireCall], *closed: str) -> None:
    """Expect no figure in any group, and in those that are ``closed`` neither a number nor a name."""
    assert calls
    for call in calls:
        assert not FIGURES.search(call.shared_text), call
        if call.place.group in closed:
            told = [word for word in (CUSTOMER, VENDOR, *NUMBERS) if word in call.shared_text]
            assert not told, (told, call)


@pytest.mark.parametrize("access", [OPEN_TO_ALL, FINANCE_ALONE], ids=["no rules", "finance alone"])
async def test_no_group_sees_an_amount(open_alert_scenario: OpenAlertScenario, access: Mapping[str, Any]) -> None:
    closed = (WAREHOUSE, BUYING) if access is FINANCE_ALONE else (WAREHOUSE,)
    async with open_alert_scenario(rules=ROUTES, access=access) as scenario:
        wire = WireRecorder(scenario.system.engine)
        for amount in ("12800.00", "13900.00"):
            await scenario.post(*events_of(scenario, amount))
            check(wire.take(), *closed)
        await scenario.post(scenario.event("invoice.overdue", "INV-7", number="INV-7", resolved=True))
        check(wire.take(), *closed)
        assert "🟢 发票逾期" in [card.title for card in scenario.cards(WAREHOUSE)], "it tells the kind"
        assert any("INV-7" in card.title for card in scenario.cards(BUYING)) is (access is OPEN_TO_ALL)
        assert any(FIGURES.search(card.markdown) for card in scenario.cards("finance01"))
        told = [card for card in scenario.cards("sales01") if FIGURES.search(card.title + card.markdown + card.tips)]
        assert bool(told) is (access is OPEN_TO_ALL)
        assert any("INV-7" in card.title for card in scenario.cards("sales01")) is (access is OPEN_TO_ALL)


async def test_no_digest_and_no_text_tells_an_amount(open_alert_scenario: OpenAlertScenario) -> None:
    group = f'[default]\nto = ["group:{WAREHOUSE}"]\ngroup_by = ["source"]\n'
    async with open_alert_scenario(rules=group, access=OPEN_TO_ALL) as scenario:
        wire = WireRecorder(scenario.system.engine)
        scenario.system.engine.faults.set("scope_denied", on=True, api="/card/")
        await scenario.post(*events_of(scenario, "12800.00"))
        await scenario.at("2m")
        calls = wire.take()
        check(calls, WAREHOUSE)
        assert any(call.api == TO_GROUP for call in calls)


ONE_WAREHOUSE: Mapping[str, Any] = {
    "rules": (
        RuleSettings.model_validate({"commands": ["stock"], "roles": ["*"], "warehouses": ["WH-SH"]}),
        RuleSettings.model_validate({"commands": ["stock"], "people": ["boss01"]}),
    )
}
BY_CARD = f"""
[default]
to = ["group:{BUYING}"]
top_box = true

[[routes]]
name = "together"
when = "severity == 'info'"
group_by = ["source"]
"""


async def test_each_alert_is_told_by_its_own_scope(open_alert_scenario: OpenAlertScenario) -> None:
    """On cards of their own, on one card for all, and at the top of the group."""
    async with open_alert_scenario(rules=BY_CARD, access=ONE_WAREHOUSE) as scenario:
        wire = WireRecorder(scenario.system.engine)
        for severity in ("critical", "info"):
            here = scenario.low(f"NEAR-{severity}", warehouse="WH-SH", severity=severity)
            elsewhere = scenario.low(f"FAR-{severity}", warehouse="WH-SZ", severity=severity)
            await scenario.post(elsewhere, here)
        told = " ".join(call.shared_text for call in wire.take() if call.place.group == BUYING)
        assert [name for name in ("NEAR-critical", "NEAR-info", "库存不足") if name not in told] == []
        assert "FAR" not in told
        (kind, *_) = [card for card in scenario.cards(BUYING) if card.title.endswith("库存不足") and card.buttons]
        shown = await scenario.system.click(kind, "查看完整", "boss01")
        await eventually(
            lambda: any("FAR-critical" in card.title for card in (shown, *own_cards(scenario.system, "boss01"))),
            hint=lambda: own_cards(scenario.system, "boss01"),
        )


EVERYWHERE = f"""
[default]
to = ["group:{BUYING}", "person:keeper01"]
top_box = true
escalate = [{{after = "30m", to = ["person:boss01", "group:{WAREHOUSE}"]}}]

[[routes]]
name = "together"
when = "severity == 'info'"
group_by = ["source"]

[[routes]]
name = "later"
when = "severity == 'warning'"
digest = ["11:00"]
"""
"""Cards of their own, with calls and boxes; cards of several alerts; digests."""


@pytest.mark.parametrize(
    ("command", "kind", "scope", "near", "far"),
    [
        ("stock", "stock.low", "warehouses", "WH-SH", "WH-SZ"),
        ("stock", "stock.low", "categories", "fans", "screws"),
        ("stock", "stock.low", "companies", "EAST", "WEST"),
        ("order", "order.late", "partners", "Near Pumps", "Far Steel"),
        ("order", "order.late", "companies", "EAST", "WEST"),
        ("invoice", "invoice.overdue", "companies", "EAST", "WEST"),
    ],
)
async def test_no_way_tells_of_a_document_outside_the_scope_of_a_reader(
    open_alert_scenario: OpenAlertScenario, command: str, kind: str, scope: str, near: str, far: str
) -> None:
    """Neither a card, a group's box, a digest, a change, an escalation nor the words of a call."""
    access = {"rules": (RuleSettings.model_validate({"commands": [command], "roles": ["*"], scope: [near]}),)}
    field = {"partners": "customer", "companies": "company"}.get(scope, scope.replace("ies", "y").removesuffix("s"))
    async with open_alert_scenario(rules=EVERYWHERE, access=access, notify={"ding": "app"}) as scenario:
        engine = scenario.system.engine
        for change in ("3", "2"):
            for severity in ("critical", "warning", "info"):
                for where, value in (("NEAR", near), ("FAR", far)):
                    number = f"{where}-{severity}"
                    said = {"number": number, "sku": number, "title": f"{number} {change}", "available": change}
                    await scenario.post(scenario.event(kind, number, severity=severity, **said, **{field: value}))
        await scenario.at("31m")
        await scenario.at("61m")
        sent = [entry for entry in engine.timeline.after() if entry.direction == "call"]
        wire = " ".join(str(entry.render()["detail"].get("request")) for entry in sent)
        assert [severity for severity in ("critical", "warning", "info") if f"NEAR-{severity}" not in wire] == []
        assert "FAR" not in wire
        assert far not in wire
        assert any("robot/ding" in entry.name for entry in sent)
        assert "ONE_BOX" in wire
        for place in (BUYING, "keeper01", "boss01"):
            shown = scenario.cards(place, "keeper01")
            assert any("NEAR" in card.title + card.markdown for card in shown), place
            assert any("NEAR" not in card.title + card.markdown for card in shown), "of others the kind is told"
