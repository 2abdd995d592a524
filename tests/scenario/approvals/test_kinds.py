"""Documents of every kind that the demo company decides: one list, one card, one decision, exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.approvals.case import CaseState
from bot.erp.kinds import DECIDED, Kind, review_of
from bot.erp.model import DecisionOutcome, ErpRecord, ReviewState
from bot.erp.port import Filter, ListQuery
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import (
    BOSS,
    FINANCE,
    MANAGER,
    YES,
    DemoApprovalScenario,
    OpenApprovalScenario,
    find_button,
    open_approval_scenario,
    plain_text,
)
from tests.scenario.approvals.unreliable_erp import WriteFault

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

SALES = "salesmanager01"
EVERY_KIND = """
[[rules]]
name = "all"
kinds = ["po", "order", "bill", "quote"]
levels = [{any = ["person:boss01", "person:buymanager01", "person:salesmanager01", "person:finance01"]}]
"""
DECIDERS = {"po": MANAGER, "order": SALES, "quote": SALES, "bill": FINANCE}
"""The command of a kind → who decides it in the ERP, besides the boss."""

each_kind = pytest.mark.parametrize("kind", DECIDED, ids=lambda kind: kind.command)


@asynccontextmanager
async def waiting(
    open_approval_scenario: OpenApprovalScenario, kind: Kind[Any], **changes: Any
) -> AsyncIterator[tuple[DemoApprovalScenario, str]]:
    """Open the demo company, and name a document of a kind that waits for one approval."""
    people = (BOSS, MANAGER, FINANCE, SALES, "buyer01", "planner01", "sales01", "finance02")
    changes = {"rules": EVERY_KIND, "accounts": people, **changes}
    async with open_approval_scenario("PO-1001", "PO-1012", **changes) as scenario:
        there = await scenario.erp.inner.documents(kind, ListQuery(filter=Filter.PENDING, limit=50))
        fitting = (each for each in there.items if review_of(each).progress.levels == 1)
        number = next(each.number for each in fitting if len(review_of(each).progress.pending_for) > 1)
        yield scenario, number


async def told_by_erp(scenario: DemoApprovalScenario, kind: Kind[Any], number: str) -> ErpRecord:
    """Return the document as the ERP itself has it."""
    document: ErpRecord = await scenario.erp.inner.document(kind, number)
    return document


async def test_one_list_mixes_all_kinds(open_approval_scenario: OpenApprovalScenario) -> None:
    async with waiting(open_approval_scenario, DECIDED[0]) as (scenario, _):
        waits = await scenario.system.app.approvals.service.pending(BOSS)
        assert {case.kind for case in waits} == set(DECIDED)
        every = [plain_text(await scenario.ask("/pending", BOSS))]
        assert f"({len(waits)})" in every[0]
        for case in waits:
            own = plain_text(await scenario.ask(f"/pending {case.number}", BOSS))
            assert case.number in own
            why = plain_text(await scenario.ask(f"/why {case.number}", BOSS))
            assert "all" in why, "the rule by which it is decided"


async def test_a_rule_without_kinds_is_for_purchase_orders_alone(open_approval_scenario: OpenApprovalScenario) -> None:
    rules = """[[rules]]\nname = "all"\nlevels = [{any = ["person:boss01"]}]\n"""
    async with waiting(open_approval_scenario, DECIDED[1], rules=rules) as (scenario, number):
        assert {case.kind.command for case in await scenario.system.app.approvals.service.open_cases()} == {"po"}
        refused = plain_text(await scenario.ask(f"/approve {number}", BOSS))
        assert number in refused
        assert scenario.erp.told == []
        assert review_of(await told_by_erp(scenario, DECIDED[1], number)).waits


@each_kind
async def test_approved_by_a_button(open_approval_scenario: OpenApprovalScenario, kind: Kind[Any]) -> None:
    async with waiting(open_approval_scenario, kind) as (scenario, number):
        await scenario.press(scenario.card(number, BUYING), YES, BOSS)
        await scenario.assert_ended(number, CaseState.APPROVED, "已同意", "林明川")
        there = await told_by_erp(scenario, kind, number)
        assert review_of(there).state is ReviewState.APPROVED
        assert await scenario.erp.decisions(number) == [(BOSS, "approve", "")]
        late = await scenario.ask(f"/reject {number} 价格过高", DECIDERS[kind.command])
        assert "林明川" in plain_text(late)
        assert await told_by_erp(scenario, kind, number) == there


@each_kind
async def test_rejected_in_words(open_approval_scenario: OpenApprovalScenario, kind: Kind[Any]) -> None:
    async with waiting(open_approval_scenario, kind) as (scenario, number):
        who = DECIDERS[kind.command]
        await scenario.ask(f"/reject {number} 价格过高", who)
        await scenario.assert_ended(number, CaseState.REJECTED, "已拒绝", "价格过高")
        assert review_of(await told_by_erp(scenario, kind, number)).state is ReviewState.REJECTED
        assert await scenario.erp.decisions(number) == [(who, "reject", "价格过高")]


@each_kind
async def test_of_many_at_once_one_decides(open_approval_scenario: OpenApprovalScenario, kind: Kind[Any]) -> None:
    async with waiting(open_approval_scenario, kind) as (scenario, number):
        cards = {who: scenario.card(number, who) for who in (BOSS, DECIDERS[kind.command])}
        taps = [(card.out_track_id, who, find_button(card, YES).id) for who, card in cards.items()] * 12
        click = scenario.system.engine.click
        await asyncio.gather(*(click(card, who, params={"id": yes}) for card, who, yes in taps))
        await scenario.settle()
        await scenario.assert_ended(number, CaseState.APPROVED, "已同意")
        assert len(scenario.erp.told) == 1
        assert len(await scenario.erp.decisions(number)) == 1


@each_kind
@pytest.mark.parametrize("fault", WriteFault)
async def test_without_an_answer_the_erp_is_read_and_told_once(
    open_approval_scenario: OpenApprovalScenario, kind: Kind[Any], fault: WriteFault
) -> None:
    async with waiting(open_approval_scenario, kind) as (scenario, number):
        scenario.erp.write_faults.append(fault)
        await scenario.press(scenario.card(number, BOSS), YES, BOSS)
        await scenario.at("10m")
        await scenario.assert_ended(number, CaseState.APPROVED, "已同意")
        assert await scenario.erp.decisions(number) == [(BOSS, "approve", "")]


@each_kind
async def test_changed_in_between_nothing_is_decided(
    open_approval_scenario: OpenApprovalScenario, kind: Kind[Any]
) -> None:
    async with waiting(open_approval_scenario, kind) as (scenario, number):
        shown = scenario.card(number, BOSS)
        await scenario.erp.raise_total(kind, number)
        seen = await scenario.press(shown, YES, BOSS)
        assert "77,777.77" in plain_text(seen)
        assert scenario.erp.told == []
        assert (await scenario.case(number)).state is CaseState.OPEN
        assert review_of(await told_by_erp(scenario, kind, number)).waits


@each_kind
async def test_refused_by_the_erp_others_decide(open_approval_scenario: OpenApprovalScenario, kind: Kind[Any]) -> None:
    async with waiting(open_approval_scenario, kind) as (scenario, number):

        async def nothing() -> None:
            """Change nothing there."""

        scenario.erp.outcomes.append((DecisionOutcome.NOT_PERMITTED, "没有权限", nothing))
        await scenario.press(scenario.card(number, BOSS), YES, BOSS)
        assert "没有权限" in scenario.card(number, DECIDERS[kind.command]).markdown
        await scenario.press(scenario.card(number, DECIDERS[kind.command]), YES, DECIDERS[kind.command])
        await scenario.assert_ended(number, CaseState.APPROVED, "已同意")
        assert await scenario.erp.decisions(number) == [(DECIDERS[kind.command], "approve", "")]


@each_kind
async def test_the_requester_decides_nothing(open_approval_scenario: OpenApprovalScenario, kind: Kind[Any]) -> None:
    async with waiting(open_approval_scenario, kind) as (scenario, number):
        requester = review_of(await told_by_erp(scenario, kind, number)).requester
        await scenario.ask(f"/approve {number}", requester)
        await scenario.ask(f"/reject {number} 价格过高", requester)
        assert (scenario.erp.told, (await scenario.case(number)).state) == ([], CaseState.OPEN)
