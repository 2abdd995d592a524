"""A write whose answer got lost: looked for, and never simply repeated."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.approvals import settling
from bot.approvals.case import CaseState
from bot.approvals.elsewhere import Elsewhere
from bot.erp.errors import Unavailable
from bot.erp.model import DecisionResult, Outcome, PurchaseStatus
from tests.approvals.small_erp import Fault
from tests.approvals.world import MINUTE, REJECT, World, cards, decision


async def test_it_was_done(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Fault.DONE_IN_SILENCE)
    await world.say("wang")
    await world.work()
    assert await world.state() is CaseState.UNKNOWN
    await world.rest()
    assert await world.state() is CaseState.APPROVED
    assert len(world.erp.told) == 1
    assert "found" in await world.story()


async def test_it_was_not_done(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    started = world.clock.time
    await world.rest()
    assert await world.state() is CaseState.APPROVED
    assert len(world.erp.told) == 1
    assert world.clock.time - started >= timedelta(seconds=90)
    assert "not_found" in await world.story()


async def test_somebody_else_did_it(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    await world.work()
    world.erp.apply(decision("v1", "erp-sun"))
    at = world.clock.time
    await world.rest()
    final = await world.newest()
    assert (final.state, final.elsewhere) == (
        CaseState.DECIDED_ELSEWHERE,
        Elsewhere(status=PurchaseStatus.APPROVED, by="erp-sun", at=at),
    )


async def test_the_opposite_was_done(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang", REJECT)
    await world.work()
    world.erp.apply(decision("v1", "erp-wang"))
    await world.rest()
    assert await world.state() is CaseState.DECIDED_ELSEWHERE


async def test_it_was_done_and_nobody_is_named(world: World) -> None:
    world.erp.names_nobody = True
    await world.submit()
    world.erp.faults.append(Fault.DONE_IN_SILENCE)
    await world.say("wang")
    await world.rest()
    assert await world.state() is CaseState.APPROVED


async def test_a_level_of_the_erp_was_passed(world: World) -> None:
    world.erp.levels["PO-1"] = (("erp-wang",), ("erp-qian",))
    await world.submit()
    world.erp.faults.append(Fault.DONE_IN_SILENCE)
    await world.say("wang")
    await world.rest()
    states = [case.state for case, _ in await world.desk.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.APPROVED]
    assert len(world.erp.told) == 1


async def test_somebody_else_passed_the_level(world: World) -> None:
    world.erp.levels["PO-1"] = (("erp-wang", "erp-sun"), ("erp-qian",))
    await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    await world.work()
    world.erp.apply(decision("v1", "erp-sun"))
    await world.rest()
    states = [case.state for case, _ in await world.desk.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.SUPERSEDED]


async def test_a_level_that_the_erp_keeps_quiet_about_is_never_passed_twice(world: World) -> None:
    """Told again on the new version it would have passed the second level in the name of the first."""
    world.erp.levels["PO-1"] = ((), ())
    world.erp.names_nobody = True
    await world.submit()
    world.erp.faults.append(Fault.DONE_IN_SILENCE)
    await world.say("wang")
    await world.rest()
    assert len(world.erp.written) == 1
    states = [case.state for case, _ in await world.desk.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.SUPERSEDED]


async def test_a_comment_while_it_is_unknown_asks_anew_even_if_the_erp_still_waits_for_them(world: World) -> None:
    world.erp.levels["PO-1"] = (("erp-wang",),)
    await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    await world.work()
    world.erp.edit("PO-1")
    await world.rest()
    assert await world.state() is CaseState.OPEN
    assert world.erp.written == []


async def test_what_was_decided_and_submitted_anew_while_it_is_unknown_is_not_decided_twice(world: World) -> None:
    """Our word passed a level of the ERP's own, unheard; then the order was cancelled and submitted again as it was."""
    world.erp.levels["PO-1"] = (("erp-wang", "erp-qian"), ("erp-sun",))
    await world.submit()
    order = world.erp.orders["PO-1"]
    world.erp.faults.append(Fault.DONE_IN_SILENCE)
    await world.say("wang")
    await world.work()
    world.erp.edit("PO-1", status=PurchaseStatus.CANCELLED)
    world.erp.submit(replace(order, version="v9"))
    await world.rest()
    assert [(one.by, one.version) for one in world.erp.written] == [("erp-wang", "v1")]
    assert await world.state() is CaseState.OPEN


async def test_changed_while_it_is_unknown(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    await world.work()
    world.erp.edit("PO-1", vendor="OTHER")
    await world.rest()
    assert (await world.newest()).brief.vendor == "OTHER"
    assert world.erp.written == []


async def test_deleted_while_it_is_unknown(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    await world.work()
    world.erp.orders.clear()
    await world.rest()
    assert await world.state() is CaseState.WITHDRAWN


async def test_the_erp_stays_away_and_is_looked_at_ever_less_often(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Fault.DONE_IN_SILENCE)
    await world.say("wang")
    await world.work()
    world.erp.away = True
    reads = world.erp.reads
    await world.rest(within=10 * MINUTE)
    assert await world.state() is CaseState.UNKNOWN
    assert 15 <= world.erp.reads - reads <= 30
    world.erp.away = False
    await world.rest()
    assert await world.state() is CaseState.APPROVED


async def test_an_adapter_that_breaks_after_the_write(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Fault.DEFECT)
    await world.say("wang")
    await world.rest()
    assert await world.state() is CaseState.APPROVED
    assert len(world.erp.told) == 1


async def test_an_answer_that_comes_after_the_doubt_counts(world: World) -> None:
    """A write that takes longer than anybody expects, with another process looking meanwhile."""
    await world.submit()
    await world.say("wang")
    office = world.process.writer._office
    case = await world.newest()
    telling = await office.do(lambda unit: settling.begin_write(unit, case.id))
    assert telling is not None
    world.clock.move(seconds=60)
    assert await office.do(lambda unit: settling.begin_write(unit, case.id)) is None
    assert await world.state() is CaseState.UNKNOWN
    result = world.erp.apply(telling.decision)
    await office.do(lambda unit: settling.settle(unit, case.id, result, telling.attempt))
    assert await world.state() is CaseState.APPROVED


async def test_an_answer_to_an_earlier_attempt_does_not_count(world: World) -> None:
    await world.submit()
    await world.say("wang")
    office = world.process.writer._office
    case = await world.newest()
    first = await office.do(lambda unit: settling.begin_write(unit, case.id))
    await office.do(lambda unit: settling.not_written(unit, case.id, Unavailable("x"), 1))
    world.clock.move(seconds=5)
    second = await office.do(lambda unit: settling.begin_write(unit, case.id))
    assert first is not None
    assert second is not None
    refused = DecisionResult(outcome=Outcome.NOT_PERMITTED, order=None)
    assert await office.do(lambda unit: settling.settle(unit, case.id, refused, first.attempt)) is None
    assert await world.state() is CaseState.WRITING
    assert (await world.story())[-1] == "late_answer"


async def test_a_process_that_slept_after_its_note_does_not_write(world: World) -> None:
    await world.submit()
    await world.say("wang")
    within = world.books.within

    async def sleepy(work: object) -> object:
        result = await within(work)  # type: ignore[arg-type]
        if type(result).__name__ == "Telling":
            world.clock.move(seconds=200)
        return result

    world.process.writer._office.books._books.within = sleepy  # type: ignore[attr-defined]
    await world.process.writer.round()
    await world.process.writer.settled()
    assert world.erp.told == []
    del world.books.within  # type: ignore[method-assign]  # the class's own again
    await world.rest()
    assert len(world.erp.told) == 1


async def test_a_level_counts_where_the_erp_does_not_say_for_whom_it_waits(world: World) -> None:
    world.erp.levels["PO-1"] = ((), ())
    await world.submit()
    world.erp.faults.append(Fault.DONE_IN_SILENCE)
    await world.say("wang")
    await world.rest()
    states = [case.state for case, _ in await world.desk.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.APPROVED]
    assert len(world.erp.told) == 1


async def test_the_cards_follow_through_doubt_and_back(world: World) -> None:
    case = await world.submit()
    world.erp.faults += [Fault.LOST, Fault.AWAY]
    await world.say("wang")
    seen = [(await world.newest()).revision]
    while (await world.newest()).state is not CaseState.APPROVED:
        await world.process.writer.round()
        await world.process.writer.settled()
        now = await world.newest()
        assert set(cards(world, case.id).values()) == {now.revision}
        seen.append(now.revision)
        world.clock.move(seconds=1)
    assert seen == sorted(seen)
    assert sorted(set(seen)) == [2, 3, 4, 5, 6]


async def test_a_look_belongs_to_one_process_for_a_while(world: World) -> None:
    await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    await world.work()
    case, office = await world.newest(), world.process.writer._office
    assert await office.do(lambda unit: settling.begin_look(unit, case.id)) is None
    world.clock.move(seconds=2)
    assert await office.do(lambda unit: settling.begin_look(unit, case.id)) is not None
    world.clock.move(seconds=29)
    assert await office.do(lambda unit: settling.begin_look(unit, case.id)) is None
    world.clock.move(seconds=1)
    assert await office.do(lambda unit: settling.begin_look(unit, case.id)) is not None
