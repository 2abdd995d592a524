"""The record tells who did what, when, of what they were shown, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.approvals import settling
from bot.approvals.case import Case
from bot.approvals.ruling import Expiry
from bot.approvals.unit import Terms
from bot.erp.errors import AuthFailed, Unavailable
from bot.erp.model import DecisionResult, Outcome, PurchaseStatus
from tests.approvals.policy.test_judging import stands_in
from tests.approvals.policy.test_planning import any_of, who
from tests.approvals.small_erp import Fault
from tests.approvals.world import HOUR, REJECT, World, decision, rules

Line = tuple[str, str, str, str]

SHOWN = "what was shown"


async def record(world: World, case: Case | None = None) -> list[Line]:
    """Return what the record says of a case: word, person, detail, and what was shown to them."""
    case = case or await world.newest()
    rows = await world.books.within(lambda book: list(book.rows_of(case.id)))
    return [(row.what, row.user_id, row.detail, SHOWN if row.seen == case.fingerprint else row.seen) for row in rows]


OPENED: Line = ("opened", "", "rule", SHOWN)
VOTE: Line = ("vote", "wang", "approve at level 1", SHOWN)
DECIDED: Line = ("decided", "wang", "approve", "")
WRITING: Line = ("writing", "wang", "approve, version v1", "")


async def test_a_decision_from_the_document_to_the_erp(world: World) -> None:
    await world.submit()
    await world.say("wang")
    await world.rest()
    assert await record(world) == [
        OPENED,
        VOTE,
        DECIDED,
        WRITING,
        ("outcome", "", "applied applied", ""),
        ("approved", "", "applied", ""),
    ]


async def test_each_line_has_its_time(world: World) -> None:
    await world.submit()
    began = world.clock.time
    world.clock.move(minutes=1)
    await world.say("wang")
    rows = await world.books.within(lambda book: [row for case in book.named("PO-1") for row in book.rows_of(case.id)])
    assert [row.at - began for row in rows] == [timedelta(0), timedelta(minutes=1), timedelta(minutes=1)]


async def test_a_rejection_with_its_reason(world: World) -> None:
    await world.submit()
    await world.say("wang", REJECT)
    assert (await record(world))[1:3] == [
        ("vote", "wang", "reject at level 1: 价格过高", SHOWN),
        ("decided", "wang", "reject", ""),
    ]


async def test_for_whom_a_substitute_decides() -> None:
    world = World(rules=rules(any_of("person:wang"), substitutes=(stands_in("zhao", "wang"),)))
    await world.submit()
    await world.say("zhao")
    assert (await record(world))[1] == ("vote", "zhao", "approve at level 1 for wang", SHOWN)


async def test_who_was_refused_and_why(world: World) -> None:
    case = await world.submit()
    await world.say("zheng")
    await world.desk.forward(case.id, "zhao", "zheng")
    await world.desk.forward(case.id, "wu", "wang")
    assert (await record(world))[1:] == [
        ("refused", "zheng", "“rule” does not name you.", SHOWN),
        ("refused", "zheng", "forwarding: “rule” does not name you.", ""),
        ("refused", "wang", "forwarding to wu: They requested it.", ""),
    ]


async def test_who_clicked_at_something_else_than_the_document_is_now(world: World) -> None:
    case = await world.submit()
    await world.say("wang", case=replace(case, fingerprint="old"))
    world.erp.edit("PO-1", vendor="OTHER")
    await world.say("qian", case=case)
    fresh = await world.newest()
    assert (await record(world, case))[1:] == [
        ("changed", "wang", "", "old"),
        ("changed", "qian", fresh.fingerprint, SHOWN),
        ("superseded", "", "changed in the ERP", ""),
    ]


async def test_who_took_it_back() -> None:
    world = World(terms=Terms(undo=timedelta(seconds=30)))
    case = await world.submit()
    await world.say("wang")
    await world.desk.take_back(case.id, "wang")
    assert (await record(world))[-1] == ("taken_back", "wang", "", "")


async def test_what_time_brought() -> None:
    world = World(
        rules=rules(
            remind_after=(HOUR,),
            deadline=2 * HOUR,
            on_expiry=Expiry.ESCALATE,
            escalate_to=who("person:sun person:zhou"),
        )
    )
    await world.submit()
    await world.rest(within=3 * HOUR)
    assert (await record(world))[1:] == [
        ("reminded", "", "1", ""),
        ("expired", "", "escalate", ""),
        ("escalated", "", "sun, zhou", ""),
    ]


async def test_the_end_of_the_time() -> None:
    world = World(rules=rules(deadline=HOUR, on_expiry=Expiry.CLOSE))
    await world.submit()
    await world.rest(within=2 * HOUR)
    assert await record(world) == [
        OPENED,
        ("expired", "", "close", ""),
        ("expired", "", "nobody decided in time", ""),
    ]


async def test_a_write_that_got_lost_and_was_repeated(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    await world.rest()
    assert (await record(world))[3:8] == [
        WRITING,
        ("outcome", "", "unknown_after_timeout no answer", ""),
        ("unknown", "", "no answer", ""),
        ("not_found", "", "it did not happen; the ERP is told again", ""),
        WRITING,
    ]


async def test_a_write_that_got_lost_and_was_found(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Fault.DONE_IN_SILENCE)
    await world.say("wang")
    await world.rest()
    assert (await record(world))[-2:] == [("found", "", "approved", ""), ("approved", "", "found in the ERP", "")]


async def test_a_write_that_was_broken_off(world: World) -> None:
    case = await world.submit()
    await world.say("wang")
    office = world.process.writer._office
    await office.do(lambda unit: settling.begin_write(unit, case.id))
    world.clock.move(seconds=60)
    await office.do(lambda unit: settling.begin_write(unit, case.id))
    assert (await record(world))[-1] == ("unknown", "", "interrupted", "")


async def test_an_answer_that_came_too_late(world: World) -> None:
    case = await world.submit()
    await world.say("wang")
    office = world.process.writer._office
    await office.do(lambda unit: settling.begin_write(unit, case.id))
    await office.do(lambda unit: settling.not_written(unit, case.id, Unavailable("away"), 1))
    world.clock.move(seconds=2)
    await office.do(lambda unit: settling.begin_write(unit, case.id))
    refused = DecisionResult(outcome=Outcome.NOT_PERMITTED, order=None)
    await office.do(lambda unit: settling.settle(unit, case.id, refused, 1))
    assert (await record(world))[4:] == [
        ("not_written", "", "Unavailable away", ""),
        WRITING,
        ("late_answer", "", "to attempt 1, while 2 is under way", ""),
    ]


@pytest.mark.parametrize(
    ("befalls", "ends"),
    [
        (
            lambda world: world.erp.faults.append(AuthFailed("no key")),
            [("not_written", "", "AuthFailed no key", ""), ("failed", "", "AuthFailed", "")],
        ),
        (
            lambda world: world.erp.faults.append(DecisionResult(outcome=Outcome.UNSUPPORTED, order=None)),
            [("outcome", "", "unsupported", ""), ("failed", "", "unsupported", "")],
        ),
        (
            lambda world: world.erp.forbidden.add("erp-wang"),
            [("outcome", "", "not_permitted not_permitted", ""), ("erp_refused", "wang", "not_permitted", "")],
        ),
        (
            lambda world: world.erp.orders.clear(),
            [("not_written", "", "NotFound not found: PO-1", ""), ("withdrawn", "", "not in the ERP any more", "")],
        ),
    ],
    ids=["no key", "not offered", "not permitted", "deleted"],
)
async def test_what_the_erp_did_not_do(world: World, befalls: Callable[[World], None], ends: list[Line]) -> None:
    await world.submit()
    await world.say("wang")
    befalls(world)
    await world.rest()
    assert (await record(world))[4:] == ends


async def test_a_change_before_the_erp_was_told(world: World) -> None:
    case = await world.submit()
    await world.say("wang")
    world.erp.edit("PO-1", vendor="OTHER")
    await world.rest()
    assert (await record(world, case))[-1] == ("superseded", "", "changed before the ERP was told", "")


async def test_a_version_that_came_before_the_erp_was_told(world: World) -> None:
    await world.submit()
    await world.say("wang")
    world.erp.edit("PO-1")
    await world.rest()
    assert (await record(world))[5:7] == [
        ("version", "", "v2", ""),
        ("writing", "wang", "approve, version v2", ""),
    ]


async def test_a_level_that_somebody_else_passed(world: World) -> None:
    world.erp.levels["PO-1"] = (("erp-wang", "erp-sun"), ("erp-qian",))
    case = await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    await world.work()
    world.erp.apply(decision("v1", "erp-sun"))
    await world.rest()
    assert (await record(world, case))[-1] == ("superseded", "", "passed on in the ERP by erp-sun", "")


async def test_a_level_of_ours_that_was_found(world: World) -> None:
    world.erp.levels["PO-1"] = (("erp-wang",), ("erp-qian",))
    case = await world.submit()
    world.erp.faults.append(Fault.DONE_IN_SILENCE)
    await world.say("wang")
    await world.rest()
    ended = await world.desk.case(case.id)
    assert ended is not None
    assert ended.outcome is Outcome.MORE_APPROVALS_NEEDED
    assert (await record(world, case))[-2:] == [("found", "", "waiting", ""), ("approved", "", "found in the ERP", "")]


async def test_a_change_that_may_be_ours_or_not(world: World) -> None:
    world.erp.levels["PO-1"] = ((), ())
    world.erp.names_nobody = True
    case = await world.submit()
    world.erp.faults.append(Fault.DONE_IN_SILENCE)
    await world.say("wang")
    await world.rest()
    assert (await record(world, case))[-1] == ("superseded", "", "changed while the outcome was unknown", "")


async def test_a_document_that_was_taken_back(world: World) -> None:
    await world.submit()
    world.erp.edit("PO-1", status=PurchaseStatus.CANCELLED)
    await world.desk.submitted("main", "PO-1")
    assert await record(world) == [OPENED, ("withdrawn", "", "cancelled", "")]


async def test_a_level_of_ours_after_which_the_erp_asks_others(world: World) -> None:
    world.erp.levels["PO-1"] = (("erp-wang",), ("erp-qian",))
    case = await world.submit()
    await world.say("wang")
    await world.rest()
    assert (await record(world, case))[4:] == [
        ("outcome", "", "recorded_more_approvals_needed recorded_more_approvals_needed", ""),
        ("approved", "", "recorded_more_approvals_needed", ""),
    ]
