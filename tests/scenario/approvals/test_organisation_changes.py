"""An order waits for the requester's manager, and DingTalk tells that they have another one, or that one left."""

from __future__ import annotations

from dataclasses import replace

from bot.approvals.case import CaseState
from tests.scenario.approvals.scenario import BOSS, MANAGER, SMALL, YES, OpenApprovalScenario, open_approval_scenario
from tests.scenario.notice_checks import Notice
from tests.scenario.test_attacks import tell
from tests.scenario.traffic import eventually

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

REQUESTER = "buyer01"
BY_MANAGER = '[[rules]]\nname = "the manager"\nlevels = [{any = ["manager:1"]}]\n'


async def test_the_new_manager_gets_the_card_and_decides(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, rules=BY_MANAGER) as scenario:
        await scenario.at("30s")
        people = scenario.system.engine.enterprise.people
        old = scenario.card(SMALL, MANAGER)
        people[REQUESTER] = replace(people[REQUESTER], manager=BOSS)
        await tell(scenario.system, "user_modify_org", {"userId": [REQUESTER]})
        await eventually(lambda: BOSS in scenario.places(SMALL), hint=lambda: scenario.places(SMALL))
        await scenario.settle()
        await scenario.press(old, YES, MANAGER)
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert await scenario.erp.decisions(SMALL) == [(BOSS, "approve", "")]


async def test_the_successor_of_a_manager_who_left_decides(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, rules=BY_MANAGER) as scenario:
        await scenario.at("30s")
        people = scenario.system.engine.enterprise.people
        old = scenario.card(SMALL, MANAGER)
        people[REQUESTER] = replace(people[REQUESTER], manager=BOSS)
        scenario.system.engine.dismiss(MANAGER)
        await tell(scenario.system, "user_modify_org", {"userId": [REQUESTER]})
        await eventually(lambda: BOSS in scenario.places(SMALL), hint=lambda: scenario.places(SMALL))
        await scenario.settle()
        assert (await scenario.press(old, YES, MANAGER)).title == Notice.EXTERNAL
        assert (await scenario.case(SMALL)).plan.levels[0].approvers == (BOSS,)
