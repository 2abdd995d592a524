"""From the reference on a card to what happened: which rule, which calls, and how long each took."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from bot.admin.traces import show_trace
from bot.kit.simulator.cards import SimCardView
from bot.settings import ErpSettings, RuleSettings, Settings
from tests.scenario.conftest import ENGLISH, BotSystem, OpenSystem

_REFERENCE = re.compile(r"Reference: ([0-9A-Z]{8})$")


async def told_of(settings: Settings, card: SimCardView) -> str:
    """Return what ``dingerp trace`` tells of a card's reference, as somebody types it from a picture."""
    found = _REFERENCE.search(card.tips)
    assert found, card.tips
    typed = found[1].lower().replace("1", "l").replace("0", "o")
    return "\n".join(await show_trace(settings, typed, zone=ZoneInfo(settings.zone), form="text"))


async def test_a_failure_leads_to_the_call_that_failed(open_system: OpenSystem) -> None:
    erp = ErpSettings.model_validate({"vendor": "demo", "latency": 30, "timeout": 0.3})
    async with open_system(erp={"demo": erp}) as system:
        card = await system.ask("/po PO-1001", who=ENGLISH)
        assert card.title == "No answer from the ERP"
    told = await told_of(system.app.settings, card)
    assert "command po, erp_down" in told
    assert re.search(r"erp \w+ +demo +timeout +\d+ ms", told), told


async def test_any_card_tells_its_rule_its_calls_and_who_was_shown_what(open_system: OpenSystem) -> None:
    rule = RuleSettings.model_validate({"name": "orders for all", "commands": {"order"}, "roles": {"*"}})
    async with open_system(trace={"on_cards": "all"}, access={"rules": (rule,)}) as system:
        card = await system.ask("/order SO-1001", who=ENGLISH)
        await system.settle()
    told = await told_of(system.app.settings, card)
    assert "command order, answered; rule: orders for all" in told
    assert f"asked by {ENGLISH} in {system.group}: SO-1001" in told
    assert re.search(r"erp order +demo +ok +\d+ ms", told), told
    assert re.search(r"card +ok +\d+ ms", told), told


async def test_a_card_that_answers_is_as_quiet_as_before(system: BotSystem) -> None:
    card = await system.ask("/order SO-1001", who=ENGLISH)
    assert "Reference" not in card.tips


async def test_an_answer_of_a_moment_ago_is_told_as_one(open_system: OpenSystem) -> None:
    async with open_system(trace={"on_cards": "all"}) as system:
        await system.ask("/order SO-1001", who=ENGLISH)
        card = await system.ask("/order SO-1001", who=ENGLISH)
        await system.settle()
    told = await told_of(system.app.settings, card)
    assert re.search(r"erp order +demo +recent +0 ms", told), told
