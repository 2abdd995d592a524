"""What commands ask: whose turn, why, and the record."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from bot.approvals.case import CaseState
from bot.erp.model import Money
from tests.approvals.parts import document
from tests.approvals.policy.test_planning import any_of
from tests.approvals.world import World, rules


async def test_pending_is_whose_turn_it_is() -> None:
    world = World(rules=rules(any_of("role:purchasing"), any_of("role:finance")))
    case = await world.submit()
    second = await world.submit(replace(document(requester="zhao").order, number="PO-2"))
    assert [one.case.number for one in await world.desk.pending("wang")] == ["PO-1", "PO-2"]
    assert [one.case.number for one in await world.desk.pending("zhao")] == ["PO-1"]
    assert await world.desk.pending("qian") == ()
    await world.say("wang", case=second)
    assert [one.case.number for one in await world.desk.pending("qian")] == ["PO-2"]
    reads = world.erp.reads
    await world.desk.pending("wang")
    assert world.erp.reads == reads
    assert case.number == "PO-1"


async def test_pending_tells_of_a_limit() -> None:
    world = World(rules=rules(daily_limits=(Money(Decimal(100), "CNY"),)))
    await world.submit()
    (one,) = await world.desk.pending("wang")
    assert not one.ruling.allowed
    assert "in one day" in str(one.ruling.reasons[0])


async def test_why(world: World) -> None:
    await world.submit()
    mine = await world.desk.why("main", "PO-1", "wang")
    assert mine.ruling is not None
    assert mine.ruling.allowed
    assert [str(one) for one in mine.planning.reasons] == ["“rule” decides."]
    theirs = await world.desk.why("main", "PO-1", "zheng")
    assert theirs.ruling is not None
    assert not theirs.ruling.allowed
    await world.say("wang")
    await world.rest()
    assert (await world.desk.why("main", "PO-1", "wang")).ruling is None


async def test_history(world: World) -> None:
    await world.submit()
    await world.say("wang")
    await world.rest()
    ((case, rows),) = await world.desk.history("po-1")
    assert case.state is CaseState.APPROVED
    vote = next(row for row in rows if row.what == "vote")
    assert (vote.user_id, vote.seen, vote.detail) == ("wang", case.fingerprint, "approve at level 1")
