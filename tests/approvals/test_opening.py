"""When a document becomes a case, when it does so anew, and who is shown it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.approvals.case import CaseState
from bot.approvals.ruling import Expiry
from bot.approvals.voting import Said
from bot.erp.model import PurchaseStatus
from tests.approvals.parts import document
from tests.approvals.policy.test_judging import stands_in
from tests.approvals.policy.test_planning import any_of
from tests.approvals.world import GROUP, HOUR, REJECT, World, cards, rules, until


async def test_cards_go_to_the_group_and_to_those_who_may_decide(world: World) -> None:
    case = await world.submit()
    assert set(cards(world, case.id)) == {
        f"approval:{GROUP}",
        "approval:person:wang",
        "approval:person:qian",
        "approval:person:li",
    }
    assert (case.brief.vendor, case.brief.requester, case.brief.requested_by) == ("ACME", "wu", "erp-wu")
    assert await world.story() == ["opened"]


async def test_asked_for_again_and_in_other_letters_it_is_the_same_case(world: World) -> None:
    case = await world.submit()
    assert await world.desk.submitted("main", "po-1") == case
    assert len(await world.desk.history("po-1")) == 1


async def test_a_change_supersedes_and_a_change_back_is_a_third_case(world: World) -> None:
    first = await world.submit()
    world.erp.edit("PO-1", vendor="OTHER")
    second = await world.desk.submitted("main", "PO-1")
    world.erp.edit("PO-1", vendor="ACME")
    third = await world.desk.submitted("main", "PO-1")
    assert second is not None
    assert third is not None
    assert len({first.id, second.id, third.id}) == 3
    assert third.fingerprint == first.fingerprint
    states = [case.state for case, _ in await world.desk.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.SUPERSEDED, CaseState.SUPERSEDED]
    assert await world.story(first) == ["opened", "superseded"]
    # The place's first card is final, and the third is a card of its own.
    assert cards(world, third.id)["approval:person:wang"] == 1


async def test_a_comment_is_no_new_revision(world: World) -> None:
    case = await world.submit()
    world.erp.edit("PO-1")
    assert await world.desk.submitted("main", "PO-1") == case


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (PurchaseStatus.DRAFT, CaseState.WITHDRAWN),
        (PurchaseStatus.CANCELLED, CaseState.WITHDRAWN),
        (PurchaseStatus.APPROVED, CaseState.DECIDED_ELSEWHERE),
        (PurchaseStatus.DONE, CaseState.DECIDED_ELSEWHERE),
        (PurchaseStatus.REJECTED, CaseState.DECIDED_ELSEWHERE),
    ],
)
async def test_what_no_longer_waits_is_closed(world: World, status: PurchaseStatus, state: CaseState) -> None:
    await world.submit()
    world.erp.edit("PO-1", status=status)
    assert await world.desk.submitted("main", "PO-1") is None
    assert await world.state() is state
    assert await world.desk.submitted("main", "PO-1") is None
    assert len(await world.desk.history("PO-1")) == 1


async def test_a_deleted_one_is_withdrawn_and_waits_again_when_it_is_back(world: World) -> None:
    await world.submit()
    order = world.erp.orders.pop("PO-1")
    assert await world.desk.submitted("main", "PO-1") is None
    assert await world.state() is CaseState.WITHDRAWN
    world.erp.orders["PO-1"] = order
    assert (await world.submit()).state is CaseState.OPEN


async def test_it_waits_again_after_it_was_given_back_and_submitted_anew(world: World) -> None:
    case = await world.submit()
    await world.say("wang", REJECT)
    await world.rest()
    assert await world.desk.submitted("main", "PO-1") is None
    world.erp.edit("PO-1", status=PurchaseStatus.WAITING)
    again = await world.desk.submitted("main", "PO-1")
    assert again is not None
    assert again.id != case.id
    assert again.fingerprint == case.fingerprint


async def test_what_nobody_decided_in_time_is_not_asked_again_by_every_polling() -> None:
    world = World(rules=rules(deadline=HOUR, on_expiry=Expiry.CLOSE))
    await world.submit()
    await world.rest(within=2 * HOUR)
    assert await world.state() is CaseState.EXPIRED
    assert await world.desk.submitted("main", "PO-1") is None
    again = await world.desk.submitted("main", "PO-1", again=True)
    assert again is not None
    assert again.state is CaseState.OPEN


async def test_what_was_read_before_a_decision_opens_nothing_after_it(world: World) -> None:
    """The polling reads the order as it waits, and comes to the book when it is approved."""
    await world.submit()
    world.erp.gate = asyncio.Event()
    polling = asyncio.create_task(world.desk.submitted("main", "PO-1"))
    await until(lambda: not (world.erp.reads < 2))
    stale = world.erp.orders["PO-1"]
    gate, world.erp.gate = world.erp.gate, None
    await world.books.within(lambda one: one.put(replace(one.newest("main", "PO-1"), state=CaseState.APPROVED)))  # type: ignore[type-var]
    world.erp.orders["PO-1"] = replace(stale, version="v2", status=PurchaseStatus.APPROVED)
    gate.set()
    assert await polling is None
    assert len(await world.desk.history("PO-1")) == 1


async def test_no_rule_no_case() -> None:
    world = World(rules=replace(rules(), rules=()))
    world.erp.submit(document().order)
    assert await world.desk.submitted("main", "PO-1") is None
    assert await world.desk.newest("PO-1") is None


async def test_substitutes_get_the_card_too() -> None:
    world = World()
    world.rules = rules(any_of("person:wang"), substitutes=(stands_in("zhao", "wang"),))
    case = await world.submit()
    assert "approval:person:zhao" in cards(world, case.id)
    assert [one.case.id for one in await world.desk.pending("zhao")] == [case.id]
    assert (await world.say("zhao")).said is Said.DECIDED
