"""Whose word counts, and what it comes to."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.approvals.case import CaseState
from bot.approvals.unit import Terms
from bot.approvals.voting import Said
from bot.erp.model import Money
from tests.approvals.parts import document
from tests.approvals.policy.test_planning import all_of, any_of
from tests.approvals.world import APPROVE, REJECT, World, cards, rules


@pytest.mark.parametrize(("verdict", "state"), [(APPROVE, CaseState.APPROVED), (REJECT, CaseState.REJECTED)])
async def test_one_word_is_enough(world: World, verdict: object, state: CaseState) -> None:
    case = await world.submit()
    voted = await world.say("wang", verdict)  # type: ignore[arg-type]
    assert voted.said is Said.DECIDED
    assert voted.case is not None
    assert voted.case.state is CaseState.WRITING
    await world.rest()
    assert await world.state() is state
    (written,) = world.erp.written
    assert (written.by, written.verdict, written.reason) == (
        "erp-wang",
        verdict,
        "价格过高" if verdict is REJECT else "",
    )
    assert await world.story() == ["opened", "vote", "decided", "writing", "outcome", state.value]
    final = await world.newest()
    owed = cards(world, case.id)
    assert set(owed.values()) == {final.revision}
    assert "approval_told:person:wu" in owed


async def test_a_rejection_needs_a_reason(world: World) -> None:
    await world.submit()
    assert (await world.say("wang", REJECT, reason="  ")).said is Said.NEED_REASON
    assert await world.story() == ["opened"]


async def test_a_large_amount_is_confirmed() -> None:
    world = World(rules=rules(confirm_from=Money(Decimal(3000), "CNY")))
    await world.submit()
    assert (await world.say("wang")).said is Said.CONFIRM
    assert (await world.say("wang", confirmed=True)).said is Said.DECIDED


async def test_late_clickers_learn_who_decided(world: World) -> None:
    case = await world.submit()
    await world.say("wang")
    reads = world.erp.reads
    late = await world.say("qian", REJECT, case)
    assert late.said is Said.LATE
    assert late.case is not None
    assert late.case.decision is not None
    assert (late.case.decision.by, late.case.decision.name) == ("wang", "Wang")
    assert world.erp.reads == reads


async def test_nobody_who_is_not_named(world: World) -> None:
    await world.submit()
    refused = await world.say("zheng")
    assert refused.said is Said.REFUSED
    assert str(refused.reasons[0]) == "“rule” does not name you."
    assert refused.ask == ("li", "qian", "wang")
    assert await world.story() == ["opened", "refused"]


async def test_nobody_without_an_account(world: World) -> None:
    del world.accounts["wang"]
    world.start()
    await world.submit()
    refused = await world.say("wang")
    assert refused.said is Said.REFUSED
    assert str(refused.reasons[0]) == "You have no account in “main”."


@pytest.mark.parametrize("account", ["erp-wang", "ERP-Wang"])
async def test_never_the_requester(world: World, account: str) -> None:
    order = replace(document(requester="wang").order, requester=account)
    case = await world.submit(order)
    assert "approval:person:wang" not in cards(world, case.id)
    refused = await world.say("wang")
    assert refused.said is Said.REFUSED
    assert str(refused.reasons[0]) == "Nobody decides what they requested themselves."


async def test_under_the_bots_account_nobody_decides_where_the_requester_may_be_themselves() -> None:
    world = World(terms=Terms(technical_account=True, own_account="bot"))
    del world.accounts["wang"], world.accounts["wu"]
    world.start()
    await world.submit()
    refused = await world.say("wang")
    assert refused.said is Said.REFUSED
    assert str(refused.reasons[0]).startswith("It cannot be told whether you requested it: “erp-wu”")
    assert (await world.say("qian")).said is Said.DECIDED


async def test_under_the_bots_account_the_reason_names_the_decider() -> None:
    world = World(terms=Terms(technical_account=True, own_account="bot"))
    del world.accounts["wang"]
    world.start()
    await world.submit()
    await world.say("wang", REJECT)
    await world.rest()
    assert [(one.by, one.reason) for one in world.erp.written] == [("bot", "Wang: 价格过高")]


async def test_two_levels() -> None:
    world = World(rules=rules(any_of("role:purchasing"), any_of("role:finance")))
    case = await world.submit()
    assert "approval:person:qian" not in cards(world, case.id)
    assert (await world.say("wang")).said is Said.RECORDED
    assert "approval:person:qian" in cards(world, case.id)
    assert (await world.say("wang")).said is Said.REFUSED
    assert (await world.say("qian")).said is Said.DECIDED
    await world.rest()
    assert await world.state() is CaseState.APPROVED
    assert [one.by for one in world.erp.written] == ["erp-qian"]


async def test_all_of_a_level() -> None:
    world = World(rules=rules(all_of("role:board")))
    await world.submit()
    assert (await world.say("sun")).said is Said.RECORDED
    assert await world.state() is CaseState.OPEN
    assert (await world.say("zhou")).said is Said.DECIDED


async def test_one_rejection_of_all_is_enough() -> None:
    world = World(rules=rules(all_of("role:board")))
    await world.submit()
    await world.say("sun")
    assert (await world.say("zhou", REJECT)).said is Said.DECIDED
    await world.rest()
    assert await world.state() is CaseState.REJECTED


async def test_a_limit_per_day_counts_open_decisions_too() -> None:
    world = World(rules=rules(daily_limits=(Money(Decimal(5000), "CNY"),)))
    await world.submit()
    await world.submit(replace(document(requester="wu").order, number="PO-2"))
    assert (await world.say("wang")).said is Said.DECIDED
    second = await world.newest("PO-2")
    refused = await world.say("wang", case=second)
    assert refused.said is Said.REFUSED
    assert "in one day" in str(refused.reasons[0])
    assert (await world.say("wang", REJECT, second)).said is Said.DECIDED


async def test_a_day_begins_in_the_companys_zone() -> None:
    world = World(rules=rules(daily_limits=(Money(Decimal(5000), "CNY"),)))
    world.clock.time = world.clock.time.replace(hour=7, minute=50)  # still the day before in UTC
    await world.submit()
    await world.submit(replace(document(requester="wu").order, number="PO-2"))
    await world.say("wang")
    world.clock.move(minutes=20)
    assert (await world.say("wang", case=await world.newest("PO-2"))).said is Said.REFUSED
    world.clock.move(days=1)
    assert (await world.say("wang", case=await world.newest("PO-2"))).said is Said.DECIDED
