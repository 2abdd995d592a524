"""Nobody decides what they changed: the ERP tells who changed an order last, and a click reads it afresh."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.approvals.case import CaseState
from bot.approvals.policy.rule import Substitute
from bot.approvals.reading import document_of
from bot.approvals.unit import Terms
from bot.approvals.voting import Said
from bot.erp.model import PurchaseOrder, Verdict
from tests.approvals.parts import NOW, document
from tests.approvals.policy.test_planning import any_of
from tests.approvals.world import REJECT, World, cards, rules

DAY = timedelta(days=1)
CHANGED = "Nobody decides what they changed themselves."


def order(changed_by: str) -> PurchaseOrder:
    return replace(document(requester="wu").order, changed_by=changed_by)


@pytest.mark.parametrize(
    ("account", "editors"), [("erp-wang", {"wang"}), ("ERP-Wang", {"wang"}), ("bot", set()), ("", set())]
)
async def test_an_account_is_resolved_to_a_person_or_to_nobody(world: World, account: str, editors: set[str]) -> None:
    company = world.process.desk._office.reader.company()
    assert document_of(order(account), company).editors == editors


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_who_changed_it_is_refused_and_the_other_approver_decides(world: World, verdict: Verdict) -> None:
    case = await world.submit(order("erp-wang"))
    assert {"approval:person:qian", "approval:person:li"} <= cards(world, case.id).keys()
    assert "approval:person:wang" not in cards(world, case.id)
    refused = await world.say("wang", verdict)
    assert (refused.said, str(refused.reasons[0])) == (Said.REFUSED, CHANGED)
    assert (await world.say("qian", verdict)).said is Said.DECIDED
    await world.rest()
    assert [one.by for one in world.erp.written] == ["erp-qian"]
    assert await world.story() == [
        "opened",
        "refused",
        "vote",
        "decided",
        "writing",
        "outcome",
        (await world.state()).value,
    ]


async def test_who_saves_it_while_it_waits_is_refused_in_the_same_case(world: World) -> None:
    case = await world.submit(order("erp-wu"))
    assert await world.desk.pending("wang")
    world.erp.edit("PO-1", changed_by="erp-wang")
    again = await world.desk.submitted("main", "PO-1")
    assert again is not None
    assert (again.id, again.state) == (case.id, CaseState.OPEN)
    refused = await world.say("wang")
    assert (refused.said, str(refused.reasons[0])) == (Said.REFUSED, CHANGED)
    assert (await world.say("qian")).said is Said.DECIDED
    assert (await world.newest()).id == case.id


async def test_who_changed_what_is_asked_about_does_not_come_in_by_somebody_elses_saving() -> None:
    stands_in = Substitute(person="qian", by="wang", begins=NOW - DAY, ends=NOW + DAY)
    names_wang = rules(any_of("person:wang person:qian"), substitutes=(stands_in,))
    world = World(rules=names_wang)
    case = await world.submit(order("erp-wang"))
    world.erp.edit("PO-1", changed_by="erp-wu")
    refused = await world.say("wang")
    assert (refused.said, str(refused.reasons[0])) == (Said.REFUSED, CHANGED)
    passed = await world.desk.forward(case.id, "wang", "qian")
    assert (passed.said, str(passed.reasons[0])) == (Said.REFUSED, "They changed it.")


async def test_nobody_passes_their_turn_on_to_who_changed_it_just_now(world: World) -> None:
    case = await world.submit(order("erp-wu"))
    world.erp.edit("PO-1", changed_by="erp-zhao")
    passed = await world.desk.forward(case.id, "zhao", "wang")
    assert (passed.said, str(passed.reasons[0])) == (Said.REFUSED, "They changed it.")


async def test_two_people_with_one_account_are_both_held_to_what_it_changed() -> None:
    world = World()
    world.accounts["qian"] = {"main": "erp-wang"}
    world.start()
    await world.submit(order("erp-wang"))
    for one in ("wang", "qian"):
        refused = await world.say(one)
        assert (refused.said, str(refused.reasons[0])) == (Said.REFUSED, CHANGED), one
    assert (await world.say("li")).said is Said.DECIDED


async def test_what_the_bot_wrote_under_its_own_account_is_nobodys_change() -> None:
    world = World(terms=Terms(technical_account=True, own_account="bot"))
    del world.accounts["qian"]
    world.start()
    await world.submit(order("bot"))
    assert (await world.say("qian")).said is Said.DECIDED


async def test_who_gave_the_erps_first_approval_is_not_the_second(world: World) -> None:
    """By deciding they became the last who changed the order, which waits for one more."""
    world.erp.levels["PO-1"] = ((), ())
    first = await world.submit(order("erp-wu"))
    assert (await world.say("wang")).said is Said.DECIDED
    await world.rest()
    second = await world.newest()
    assert second.id != first.id
    refused = await world.say("wang", REJECT)
    assert (refused.said, str(refused.reasons[0])) == (Said.REFUSED, CHANGED)
    assert (await world.say("qian")).said is Said.DECIDED
    await world.rest()
    assert [one.by for one in world.erp.written] == ["erp-wang", "erp-qian"]


async def test_another_change_by_somebody_else_is_another_case(world: World) -> None:
    case = await world.submit(order("erp-wang"))
    world.erp.edit("PO-1", vendor="OTHER", changed_by="erp-wu")
    fresh = await world.desk.submitted("main", "PO-1")
    assert fresh is not None
    assert fresh.id != case.id
    assert (await world.say("wang")).said is Said.DECIDED
