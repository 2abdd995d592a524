"""What the ERP answers about a document that others decided, and how long a lost write is looked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.approvals import settling
from bot.approvals.case import CaseState
from bot.erp.errors import Conflict, Invalid
from bot.erp.model import Approval, DecisionResult, Outcome, PurchaseStatus
from tests.approvals.small_erp import Fault
from tests.approvals.test_due import do, set_case
from tests.approvals.test_record import record
from tests.approvals.world import HOUR, World, rules


@pytest.mark.parametrize("by", ["erp-sun", ""])
@pytest.mark.parametrize("outcome", [Outcome.CHANGED_SINCE_SHOWN, Outcome.ALREADY_DECIDED])
async def test_a_decision_that_was_there_before_ours_is_that_of_others(world: World, outcome: Outcome, by: str) -> None:
    await world.submit()
    order = replace(
        world.erp.orders["PO-1"], version="v2", status=PurchaseStatus.APPROVED, approval=Approval(decided_by=by)
    )
    world.erp.faults.append(DecisionResult(outcome=outcome, order=order))
    await world.say("wang")
    await world.work()
    ended = await world.newest()
    assert (ended.state, ended.version) == (CaseState.DECIDED_ELSEWHERE, "v2")
    assert ended.elsewhere is not None
    assert ended.elsewhere.by == by


async def test_an_erp_that_does_not_tell_how_it_was_decided(world: World) -> None:
    await world.submit()
    world.erp.faults.append(DecisionResult(outcome=Outcome.ALREADY_DECIDED, order=None))
    await world.say("wang")
    await world.work()
    assert (await record(world))[-1] == ("decided_elsewhere", "", "in the ERP, which does not tell how", "")


async def test_decided_by_a_first_attempt_whose_answer_was_an_error(world: World) -> None:
    """Told a second time, an ERP that names nobody means our own first attempt."""
    case = await world.submit()
    await world.say("wang")
    await set_case(world, attempts=2, attempted_at=world.clock.time)
    order = replace(world.erp.orders["PO-1"], status=PurchaseStatus.APPROVED, approval=None)
    decided = DecisionResult(outcome=Outcome.ALREADY_DECIDED, order=order)
    ended = await do(world, lambda unit: settling.settle(unit, case.id, decided))
    assert ended.state is CaseState.APPROVED


@pytest.mark.parametrize("error", [Invalid("no"), Conflict("locked")])
async def test_an_error_about_a_document_that_others_decided(world: World, error: Invalid | Conflict) -> None:
    case = await world.submit()
    await world.say("wang")
    await set_case(world, attempts=1, attempted_at=world.clock.time)
    order = replace(world.erp.orders["PO-1"], status=PurchaseStatus.APPROVED, approval=None)
    ended = await do(world, lambda unit: settling.not_written(unit, case.id, error, 1, order))
    assert ended.state is CaseState.DECIDED_ELSEWHERE


@pytest.mark.parametrize(("seconds", "state"), [(89, CaseState.UNKNOWN), (90, CaseState.WRITING)])
async def test_a_write_that_is_nowhere_to_be_found_is_repeated_after_ninety_seconds(
    world: World, seconds: int, state: CaseState
) -> None:
    case = await world.submit()
    world.erp.faults.append(Fault.LOST)
    await world.say("wang")
    await world.work()
    world.clock.move(seconds=seconds)
    looked = await do(world, lambda unit: settling.look(unit, case.id, world.erp.orders["PO-1"]))
    assert looked.state is state
    assert looked.due_at > world.clock.time - timedelta(seconds=1)


async def test_a_case_that_is_not_doubtful_is_not_looked_at(world: World) -> None:
    case = await world.submit()
    order = world.erp.orders["PO-1"]
    for case_id in (case.id, "nothing-1"):
        assert await do(world, lambda unit, one=case_id: settling.look(unit, one, order)) is None


async def test_refused_by_the_erp_a_case_is_free_to_be_told_and_reminded_of_again() -> None:
    world = World(rules=rules(remind_after=(HOUR,)))
    await world.submit()
    world.erp.forbidden.add("erp-wang")
    await world.say("wang")
    await world.work()
    opened = await world.newest()
    assert (opened.attempted_at, opened.due_at) == (None, world.clock.time + HOUR)
