"""What an approval's cards tell a group and the people who decide, and that the alert beside them tells no more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from bot.kit.simulator.chat import SimDelivery
from bot.settings import RuleSettings
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import (
    ACCOUNTS,
    APPROVERS,
    BOSS,
    MANAGER,
    SMALL,
    YES,
    OpenApprovalScenario,
    open_approval_scenario,
)
from tests.scenario.test_least_disclosure import assert_nothing_overheard, own_cards
from tests.scenario.traffic import eventually
from tests.scenario.wire import WireRecorder

__all__ = ["open_approval_scenario"]

MONEY = re.compile(r"[¥￥$€]\s?\d")


def access(**more: Any) -> Mapping[str, Any]:
    return {
        "directory": True,
        "roles": {"approver": frozenset(APPROVERS)},
        "accounts": {account: {"demo": account} for account in ACCOUNTS},
        **more,
    }


CLOSED: Mapping[str, Any] = {
    "rules": (RuleSettings.model_validate({"commands": ["po"], "people": [BOSS, MANAGER]}),),
}


@pytest.mark.parametrize("settings", [{"outsider_groups": (BUYING,)}, CLOSED], ids=["outsiders", "closed to some"])
async def test_a_group_that_may_not_see_an_order_is_told_that_there_is_one(
    open_approval_scenario: OpenApprovalScenario, settings: Mapping[str, Any]
) -> None:
    async with open_approval_scenario(SMALL, access=access(**settings)) as scenario:
        vendor, engine = (await scenario.order(SMALL)).vendor, scenario.system.engine
        items = engine.chat.items(engine.conversation(BUYING), "", 0)
        *_, card = [item.card for item in items if isinstance(item, SimDelivery)]
        told = card.view_for("keeper01")
        assert told.title == "采购单待审批"
        wire = WireRecorder(engine)
        own = scenario.card(SMALL, BOSS)
        assert SMALL in own.title
        assert MONEY.search(own.markdown)
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        assert card.view_for("keeper01").title != told.title, "it follows the order"
        for text in (repr(card.view_for("keeper01")), *in_group(wire)):
            assert not MONEY.search(text), text
            assert [word for word in (SMALL, vendor) if word in text] == []


@pytest.mark.parametrize("is_open", [True, False])
async def test_no_button_on_a_decider_s_card_leads_to_what_is_closed_to_them(
    open_approval_scenario: OpenApprovalScenario, *, is_open: bool
) -> None:
    finance = RuleSettings.model_validate({"commands": ["po"], "roles": ["finance"]})
    async with open_approval_scenario(SMALL, access=access(rules=() if is_open else (finance,))) as scenario:
        card = scenario.card(SMALL, BOSS)
        assert SMALL in card.title
        asked = [button.id for button in card.buttons if f"/po {SMALL}" in button.id]
        assert bool(asked) is is_open
        assert any(button.id.startswith(YES) for button in card.buttons)


def in_group(wire: WireRecorder) -> list[str]:
    return [call.shared_text for call in wire.take() if call.place.group == BUYING]


@pytest.mark.parametrize("fields", [("quantity",), ("quantity", "cost", "partner")], ids=["bare", "priced"])
async def test_a_groups_rule_holds_for_the_approval_and_for_the_answer(
    open_approval_scenario: OpenApprovalScenario,
    fields: tuple[str, ...],
) -> None:
    shown = {"commands": ["po"], "shared": True, "conversations": [BUYING], "fields": [*fields]}
    rule = RuleSettings.model_validate(shown)
    async with open_approval_scenario(SMALL, access=access(rules=(rule,))) as scenario:
        assert bool(MONEY.search(scenario.card(SMALL, BUYING).markdown)) is ("cost" in fields)
        answer = await scenario.ask(f"/po {SMALL}", BOSS, where=BUYING)
        card = scenario.system.engine.cards.get(answer.out_track_id)
        assert card is not None
        [copy] = scenario.system.engine.chat.copies(card)
        assert copy.recipients == (None if "cost" in fields else {BOSS})


@pytest.mark.parametrize("mild", [False, True], ids=["harsh", "confirmed"])
async def test_whatever_is_tapped_on_it_the_groups_card_shows_nobody_a_price(
    open_approval_scenario: OpenApprovalScenario, request: pytest.FixtureRequest, mild: bool
) -> None:
    """Each decider sees prices on their own card and on what their own taps show, and all others see none of it."""
    if mild:
        request.getfixturevalue("confirmed")
    async with open_approval_scenario(SMALL) as scenario:
        system = scenario.system
        system.engine.readings.answers_public, system.engine.readings.private_values = not mild, mild
        for decider in (BOSS, MANAGER):
            assert MONEY.search(scenario.card(SMALL, decider).markdown)
        group = scenario.card(SMALL, BUYING)
        for token in [button.id for button in group.buttons if button.request and not button.id.startswith(YES)]:
            for who in (BOSS, MANAGER):
                if system.see(group, who).button(token) is not None:
                    assert (await system.engine.click(group.out_track_id, who, token, conversation_id=BUYING)).ok
                for viewer in ("", *({*system.engine.enterprise.people} - {BOSS, MANAGER})):
                    assert not MONEY.search(str(system.see(group, viewer).render())), (token, who, viewer)
                if not mild:
                    assert_nothing_overheard(system)
        if mild:
            return
        for who in (BOSS, MANAGER):
            await eventually(
                lambda who=who: any(MONEY.search(card.markdown) for card in own_cards(system, who)),  # type: ignore[misc]
                hint=lambda who=who: own_cards(system, who),  # type: ignore[misc]
            )
