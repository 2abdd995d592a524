"""The document is not what was shown, or no longer waits."""

from __future__ import annotations

from dataclasses import replace

from bot.approvals.case import CaseState
from bot.approvals.elsewhere import Elsewhere
from bot.approvals.voting import Said
from bot.erp.errors import Unavailable
from bot.erp.model import PurchaseStatus
from tests.approvals.world import World


async def test_changed_since_shown(world: World) -> None:
    case = await world.submit()
    world.erp.edit("PO-1", vendor="OTHER")
    voted = await world.say("wang", case=case)
    assert voted.said is Said.CHANGED
    assert voted.case is not None
    assert voted.case.state is CaseState.SUPERSEDED
    assert voted.fresh is not None
    assert voted.fresh.state is CaseState.OPEN
    assert voted.fresh.brief.vendor == "OTHER"
    assert world.erp.told == []
    await world.rest()
    assert (await world.say("wang", case=voted.fresh)).said is Said.DECIDED


async def test_on_a_superseded_card(world: World) -> None:
    case = await world.submit()
    world.erp.edit("PO-1", vendor="OTHER")
    await world.desk.submitted("main", "PO-1")
    assert (await world.say("wang", case=case)).said is Said.CHANGED


async def test_shown_something_else_than_the_case_is_about(world: World) -> None:
    case = await world.submit()
    voted = await world.say("wang", case=replace(case, fingerprint="old"))
    assert voted.said is Said.CHANGED
    assert await world.state() is CaseState.OPEN
    assert await world.story() == ["opened", "changed"]


async def test_the_fresh_card_comes_when_the_erp_is_back(world: World) -> None:
    case = await world.submit()
    world.erp.edit("PO-1", vendor="OTHER")
    reread, reads = world.erp.reread, 0

    async def once(source: str, number: str) -> object:
        nonlocal reads
        reads += 1
        if reads in (2, 3):
            raise Unavailable("away")
        return await reread(source, number)

    world.erp.reread = once  # type: ignore[method-assign,assignment]
    voted = await world.say("wang", case=case)
    assert (voted.said, voted.fresh) == (Said.CHANGED, None)
    await world.rest()
    assert (await world.newest()).brief.vendor == "OTHER"
    assert await world.state() is CaseState.OPEN


async def test_decided_in_the_erp_meanwhile(world: World) -> None:
    await world.submit()
    order = world.erp.orders["PO-1"]
    world.erp.orders["PO-1"] = replace(
        order,
        version="v2",
        status=PurchaseStatus.APPROVED,
        approval=replace(order.approval, decided_by="erp-sun"),  # type: ignore[type-var]
        people={"erp-sun": "孙"},
    )
    voted = await world.say("wang")
    assert voted.said is Said.ELSEWHERE
    assert voted.case is not None
    there = Elsewhere(status=PurchaseStatus.APPROVED, by="孙")
    assert (voted.case.state, voted.case.elsewhere) == (CaseState.DECIDED_ELSEWHERE, there)
    await world.rest()
    assert world.erp.told == []


async def test_deleted_meanwhile(world: World) -> None:
    await world.submit()
    world.erp.orders.clear()
    voted = await world.say("wang")
    assert voted.said is Said.ELSEWHERE
    assert voted.case is not None
    assert voted.case.state is CaseState.WITHDRAWN


async def test_no_case(world: World) -> None:
    case = await world.submit()
    assert (await world.say("wang", case=replace(case, id="nothing-1"))).said is Said.NO_CASE
    assert (await world.desk.take_back("nothing-1", "wang")).said is Said.NO_CASE
    assert (await world.desk.forward("nothing-1", "qian", "wang")).said is Said.NO_CASE
