"""A collector sees what a question, a click and an event did, and nothing of what they were about."""

from __future__ import annotations

from bot.mechanisms.tracing import read_reference
from bot.settings import OtelSettings
from tests.scenario.alerts.scenario import WAREHOUSE, OpenAlertScenario, open_alert_scenario
from tests.scenario.conftest import ENGLISH
from tests.scenario.traffic import eventually
from tests.span_collector import ReceivedSpan, SpanCollector, collecting, parents

__all__ = ["open_alert_scenario"]

_TOKEN = "hunter2"


async def _root(collector: SpanCollector, name: str) -> ReceivedSpan:
    await eventually(lambda: collector.roots(name), hint=lambda: [span.name for span in collector.spans])
    return collector.roots(name)[0]


async def test_one_question_one_click_and_one_event(open_alert_scenario: OpenAlertScenario) -> None:
    async with collecting() as collector:
        wanted = OtelSettings.model_validate({"endpoint": collector.url, "headers": {"Authorization": _TOKEN}})
        async with open_alert_scenario(otel=wanted, trace={"on_cards": "all"}) as scenario:
            system = scenario.system
            card = await system.ask("/stock SKU123", who=ENGLISH)
            await system.settle()
            question = await _root(collector, "question")
            assert read_reference(card.tips[-8:]) == question.reference
            assert question.attributes["dingerp.command"] == "stock"
            assert question.attributes["dingerp.outcome"] == "answered"
            tree = parents(collector.of(question))
            assert {("answer", "question"), ("erp stock", "answer"), ("card", "question")} <= set(tree), tree

            await system.press(card, card.buttons[0].id, who=ENGLISH)
            click = await _root(collector, "click")
            assert click.trace != question.trace
            assert all(parent for name, parent in parents(collector.of(click)) if name != "click")

            await scenario.post(scenario.low("SKU123", available="3.4567"))
            await scenario.at("1m")
            event, delivery = await _root(collector, "event"), await _root(collector, "delivery")
            assert event.attributes["dingerp.command"] == "stock.low"
            assert delivery.parent == event.id
            tree = parents(collector.of(event))
            assert {("process", "event"), ("compose", "delivery"), ("card", "delivery")} <= set(tree), tree
            settings, title = system.app.settings, scenario.titles(WAREHOUSE)[0]
        sent = b"".join(collector.bodies).decode("utf-8", "replace")
    said = ["SKU123", "3.4567", title, card.title, ENGLISH, system.group, WAREHOUSE]
    secrets = [settings.dingtalk.client_secret, settings.hooks["erp"].secret]
    hidden = [*said, _TOKEN, *(secret.get_secret_value() for secret in secrets)]
    assert [word for word in hidden if word in sent] == []
    assert "stock.low" in sent, "it is read as it was sent"
