"""To-dos on people's lists, over the wire: done wherever it is decided, gone when it is withdrawn, deciding nothing."""

from __future__ import annotations

from bot.approvals.case import CaseState
from bot.kit.simulator.todos import SimTodo
from tests.scenario.approvals.scenario import (
    BOSS,
    MANAGER,
    SMALL,
    YES,
    DemoApprovalScenario,
    OpenApprovalScenario,
    open_approval_scenario,
)
from tests.scenario.approvals.test_decisions import rule

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

NOTIFY = {"todo": True}
TWO = rule(f'{{any = ["person:{MANAGER}"]}}, {{any = ["person:{BOSS}"]}}')


def on_list(scenario: DemoApprovalScenario, user_id: str) -> list[tuple[str, bool]]:
    """Return what stands on a person's list: its number, and whether it is done for them."""
    union = scenario.system.engine.person(user_id).union_id
    return [(number_of(todo), union in todo.done) for todo in scenario.system.engine.todos.of(union)]


def number_of(todo: SimTodo) -> str:
    return next(word for word in todo.subject.split() if word.startswith("PO-"))


def calls(scenario: DemoApprovalScenario) -> int:
    return sum(count for name, count in scenario.system.engine.calls.items() if "/todo/" in name)


async def test_it_is_done_for_all_when_one_decides_and_costs_two_calls(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    async with open_approval_scenario(SMALL, notify=NOTIFY) as scenario:
        assert on_list(scenario, BOSS) == on_list(scenario, MANAGER) == [(SMALL, False)]
        [todo] = scenario.system.engine.todos
        assert todo.subject.startswith(f"采购单 {SMALL} 待您审批 · 河北永年")
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert on_list(scenario, BOSS) == on_list(scenario, MANAGER) == [(SMALL, True)]
        assert calls(scenario) == 2
        used = scenario.system.engine.flow.used
        assert used == 5 + 2, "the group's card and the deciders', the end of both, the note; and those of the to-do"
        assert scenario.system.count("api_calls_month") == 5 + 2


async def test_it_is_done_when_it_is_decided_by_words(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, notify=NOTIFY) as scenario:
        await scenario.ask(f"/reject {SMALL} 价格过高", BOSS)
        await scenario.assert_ended(SMALL, CaseState.REJECTED)
        assert on_list(scenario, MANAGER) == [(SMALL, True)]


async def test_ticking_it_off_decides_nothing(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, notify=NOTIFY) as scenario:
        engine = scenario.system.engine
        [todo] = engine.todos
        engine.todos.tick(todo.id, {engine.person(user_id).union_id: True for user_id in (BOSS, MANAGER)})
        engine.emit_event("todo_task_update", {"taskId": todo.id})
        await scenario.settle()
        await scenario.poll_pending()
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        assert scenario.erp.told == []
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)


async def test_it_is_gone_when_the_order_is_withdrawn(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, notify=NOTIFY) as scenario:
        await scenario.erp.only([])
        await scenario.poll_pending()
        assert (await scenario.case(SMALL)).state is CaseState.WITHDRAWN
        assert on_list(scenario, BOSS) == on_list(scenario, MANAGER) == []


async def test_a_further_level_gets_its_own(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, rules=TWO, notify=NOTIFY) as scenario:
        assert (on_list(scenario, MANAGER), on_list(scenario, BOSS)) == ([(SMALL, False)], [])
        await scenario.ask(f"/approve {SMALL}", MANAGER)
        assert (on_list(scenario, MANAGER), on_list(scenario, BOSS)) == ([(SMALL, True)], [(SMALL, False)])
        [todo] = scenario.system.engine.todos.of(scenario.system.engine.person(BOSS).union_id)
        robot = "dingtalk://dingtalkclient/action/jumprobot?dingtalkid=%24%3A"
        assert todo.detail_url["appUrl"].startswith(robot), "a message has told the bot who it is"


async def test_where_dingtalk_refuses_them_cards_work_as_ever(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, rules=TWO, notify=NOTIFY) as scenario:
        scenario.system.engine.faults.set("refused", on=True, api="/todo/", code="param.invalid")
        await scenario.ask(f"/approve {SMALL}", MANAGER)
        await scenario.press(scenario.card(SMALL, BOSS), YES, BOSS)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert (on_list(scenario, MANAGER), on_list(scenario, BOSS)) == ([(SMALL, False)], [])


async def test_nobody_gets_one_by_default(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL) as scenario:
        assert list(scenario.system.engine.todos) == []
