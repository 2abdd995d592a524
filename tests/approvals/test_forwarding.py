"""An approver passes their turn on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.approvals.voting import Said
from bot.erp.model import PurchaseStatus
from tests.approvals.parts import document
from tests.approvals.policy.test_planning import any_of
from tests.approvals.world import World, cards, rules


async def test_somebody_else_decides_instead() -> None:
    world = World(rules=rules(any_of("person:wang")))
    case = await world.submit()
    assert (await world.say("zhao")).said is Said.REFUSED
    passed = await world.desk.forward(case.id, "zhao", "wang")
    assert passed.said is Said.RECORDED
    assert "approval:person:zhao" in cards(world, case.id)
    assert [one.case.id for one in await world.desk.pending("zhao")] == [case.id]
    assert (await world.say("zhao")).said is Said.DECIDED
    await world.rest()
    final = await world.newest()
    assert [(vote.user_id, vote.on_behalf_of) for vote in final.votes] == [("zhao", "wang")]
    assert [one.by for one in world.erp.written] == ["erp-zhao"]
    assert (await world.story())[1:3] == ["refused", "forwarded"]


async def test_it_can_be_passed_on_once_more() -> None:
    world = World(rules=rules(any_of("person:wang")))
    case = await world.submit()
    await world.desk.forward(case.id, "zhao", "wang")
    assert (await world.desk.forward(case.id, "sun", "zhao")).said is Said.RECORDED
    assert (await world.say("sun")).said is Said.DECIDED
    assert [vote.on_behalf_of for vote in (await world.newest()).votes] == ["wang"]


async def test_it_holds_for_one_case() -> None:
    world = World(rules=rules(any_of("person:wang")))
    case = await world.submit()
    await world.desk.forward(case.id, "zhao", "wang")
    await world.submit(replace(document(requester="wu").order, number="PO-2"))
    assert (await world.say("zhao", case=await world.newest("PO-2"))).said is Said.REFUSED


@pytest.mark.parametrize(
    ("to", "by", "reason"),
    [
        ("", "wang", "Name somebody else"),
        ("wang", "wang", "Name somebody else"),
        ("wu", "wang", "They requested it."),
        ("stranger", "wang", "They have no account in “main”."),
        ("qian", "wang", "It is their turn as well."),
        ("zhao", "zheng", "“rule” does not name you."),
    ],
)
async def test_to_whom_and_by_whom_not(world: World, to: str, by: str, reason: str) -> None:
    case = await world.submit()
    refused = await world.desk.forward(case.id, to, by)
    assert refused.said is Said.REFUSED
    assert str(refused.reasons[0]).startswith(reason)
    assert (await world.newest()).forwards == ()
    assert await world.story() == ["opened", "refused"]


async def test_not_to_somebody_who_has_spoken_or_whom_the_erp_refused() -> None:
    world = World(rules=rules(any_of("role:purchasing"), any_of("role:finance")))
    case = await world.submit()
    await world.say("wang")
    refused = await world.desk.forward(case.id, "wang", "qian")
    assert str(refused.reasons[0]) == "They have agreed already."
    await world.say("qian")
    world.erp.forbidden.add("erp-qian")
    await world.rest()
    world.rules = rules(any_of("role:purchasing"), any_of("role:finance"))
    assert (await world.newest()).refused == ("qian",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": PurchaseStatus.CANCELLED}, Said.ELSEWHERE),
        ({"vendor": "OTHER"}, Said.CHANGED),
    ],
)
async def test_of_a_document_that_is_another_now(world: World, change: dict[str, object], said: Said) -> None:
    case = await world.submit()
    world.erp.edit("PO-1", **change)
    assert (await world.desk.forward(case.id, "zhao", "wang")).said is said


async def test_when_it_is_decided(world: World) -> None:
    case = await world.submit()
    await world.say("wang")
    assert (await world.desk.forward(case.id, "zhao", "qian")).said is Said.LATE


async def test_the_record_says_to_whom_and_for_whom() -> None:
    world = World(rules=rules(any_of("person:wang")))
    case = await world.submit()
    await world.desk.forward(case.id, "zhao", "wang")
    await world.desk.forward(case.id, "sun", "zhao")
    ((_, rows),) = await world.desk.history("PO-1")
    passed = [(row.user_id, row.detail) for row in rows if row.what == "forwarded"]
    assert passed == [("wang", "zhao"), ("zhao", "sun for wang")]
