"""Whom the ERP itself waits for, and what is said where those who decide by the rules are not among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from bot.approvals.asking import Folder, OfficeApprovals, Reasons
from bot.approvals.changing import Known
from bot.approvals.drawing import Reader, draw_case, draw_why
from bot.approvals.unit import Terms
from bot.approvals.views import Face
from bot.approvals.voting import Said
from bot.erp.model import Approval, PurchaseStatus
from tests.approvals.parts import document
from tests.approvals.policy.test_judging import stands_in
from tests.approvals.policy.test_planning import all_of, any_of
from tests.approvals.world import GROUP, World, cards, rules

NAMES: Mapping[str, str] = MappingProxyType({"sun": "孙总"})
ORDER = replace(document(requester="wu").order, people={"erp-guest": "客人"})


def approvals(world: World) -> OfficeApprovals:
    return OfficeApprovals(world.desk, world.desk._office)


async def folder(world: World) -> Folder:
    found = await approvals(world).find("PO-1")
    assert found is not None
    return found


async def remark(world: World, face: Face = Face.PRICED) -> tuple[str, ...]:
    """Return whom a card names for whom the ERP waits."""
    reader = Reader(face=face, user_id="wang" if face is Face.PRICED else "", now=world.clock())
    known = Known(order=world.erp.orders["PO-1"], names=NAMES)
    return draw_case(await folder(world), known, reader).erp_waits


async def told(world: World, user_id: str = "wang") -> list[str]:
    """Return what ``/why`` says of it."""
    why: Reasons = await approvals(world).why("main", "PO-1", user_id)
    return [str(one) for one in draw_why(why, NAMES, Face.BARE).reasons if "ERP" in str(one)]


NOT_MET = "None of those who decide by the rule is among them: the ERP would not take their decision."


async def waiting(world: World, *accounts: str) -> None:
    world.erp.levels["PO-1"] = (accounts,)
    await world.submit(ORDER)


async def test_it_is_said_where_they_do_not_meet_and_the_write_is_refused() -> None:
    world = World(rules=rules(any_of("person:wang")))
    await waiting(world, "erp-sun", "erp-guest", "erp-unknown")
    assert await remark(world) == ("孙总", "客人", "erp-unknown")
    assert await remark(world, Face.BARE) == ()
    assert await told(world) == ["The ERP itself waits for 孙总, 客人, erp-unknown.", NOT_MET]
    assert (await world.say("wang")).said is Said.DECIDED
    await world.rest()
    assert "erp_refused" in await world.story()
    assert await remark(world) == ("孙总", "客人", "erp-unknown")


async def test_nothing_is_said_where_one_of_them_is_asked() -> None:
    world = World(rules=rules(any_of("person:wang person:qian")))
    await waiting(world, "erp-sun", "erp-qian")
    assert (await folder(world)).expected.people == ()
    assert await remark(world) == ()
    assert await told(world) == ["The ERP itself waits for 孙总, erp-qian."]


async def test_nothing_is_said_where_the_erp_names_nobody(world: World) -> None:
    await waiting(world)
    assert (await remark(world), await told(world)) == ((), [])


async def test_a_substitute_and_who_got_the_turn_decide_for_others() -> None:
    world = World()
    world.rules = rules(any_of("person:wang"), substitutes=(stands_in("zhao", "wang"),))
    await waiting(world, "erp-zhao")
    assert await remark(world) == ()
    world.rules = rules(any_of("person:wang"))
    assert await remark(world) == ("erp-zhao",)
    assert (await world.desk.forward((await world.newest()).id, "zhao", "wang")).said is Said.RECORDED
    assert await remark(world) == ()


async def test_whoever_the_erp_refused_no_longer_counts() -> None:
    world = World(rules=rules(any_of("person:wang person:qian")))
    await waiting(world, "erp-wang")
    world.erp.forbidden.add("erp-wang")
    assert await remark(world) == ()
    await world.say("wang")
    await world.rest()
    assert await remark(world) == ("erp-wang",)


@pytest.mark.parametrize(("account", "met"), [("erp-qian", True), ("erp-wang", False)])
async def test_the_erp_is_told_by_the_last_level_alone(account: str, met: bool) -> None:
    world = World(rules=rules(any_of("person:wang"), all_of("person:qian")))
    await waiting(world, account)
    assert await remark(world) == (() if met else ("erp-wang",))
    await world.say("wang")
    await world.say("qian")
    await world.rest()
    assert (world.erp.orders["PO-1"].status is PurchaseStatus.APPROVED) is met


async def test_the_bots_own_account_is_whose_decision_the_erp_gets() -> None:
    world = World(rules=rules(any_of("person:wang")), terms=Terms(technical_account=True, own_account="bot"))
    del world.accounts["wang"]
    world.start()
    await waiting(world, "bot")
    assert await remark(world) == ()
    world.erp.orders["PO-1"] = replace(world.erp.orders["PO-1"], approval=Approval(pending_for=("erp-wang",)))
    assert await told(world) == ["The ERP itself waits for erp-wang.", NOT_MET]


async def test_what_is_not_decided_from_chat_still_waits_for_somebody() -> None:
    world = World(rules=replace(rules(), rules=()))
    world.erp.levels["PO-1"] = (("erp-sun",),)
    world.erp.submit(ORDER)
    assert await told(world) == [
        "No rule is for this document, so it is decided in the ERP.",
        "The ERP itself waits for 孙总.",
    ]


async def test_passed_on_in_the_erp_the_cards_say_so_once() -> None:
    """Its version is another then, and what was asked about is as it was."""
    world = World(rules=rules(any_of("person:wang")))
    await waiting(world, "erp-wang")
    shown = await world.newest()
    world.erp.edit("PO-1", approval=Approval(pending_for=("erp-sun",)))
    for _ in range(3):
        await world.desk.submitted("main", "PO-1")
    case = await world.newest()
    assert (case.id, case.waits_for, case.version, case.revision) == (shown.id, ("erp-sun",), "v2", 2)
    assert await remark(world) == ("孙总",)
    assert cards(world, case.id) == {f"approval:{GROUP}": 2, "approval:person:wang": 2}
    assert (await world.story()).count("erp_waits") == 1
    world.erp.edit("PO-1", approval=Approval(pending_for=("erp-wang",)))
    await world.desk.submitted("main", "PO-1")
    assert (await remark(world), (await world.newest()).revision) == ((), 3)


async def test_passed_on_among_those_who_are_asked_no_card_changes() -> None:
    world = World(rules=rules(any_of("person:wang person:qian")))
    await waiting(world, "erp-wang")
    world.erp.edit("PO-1", approval=Approval(pending_for=("erp-qian",)))
    await world.desk.submitted("main", "PO-1")
    case = await world.newest()
    assert (case.waits_for, case.revision) == (("erp-qian",), 1)
