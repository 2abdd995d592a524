"""What the ERP answers about a document that others decided, and how long a lost write is looked for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.approvals import writeback
from bot.approvals.case import CaseState
from bot.erp.errors import Conflict, Invalid
from bot.erp.model import Approval, DecisionOutcome, DecisionResult, ReviewState
from tests.approvals.env import HOUR, ApprovalEnv, rules
from tests.approvals.fake_erp import WriteFault
from tests.approvals.test_audit import record
from tests.approvals.test_deadlines import do, set_case
from tests.bare_records import with_review


@pytest.mark.parametrize("by", ["erp-sun", ""])
@pytest.mark.parametrize("outcome", [DecisionOutcome.CHANGED_SINCE_SHOWN, DecisionOutcome.ALREADY_DECIDED])
async def test_a_decision_that_was_there_before_ours_is_that_of_others(
    env: ApprovalEnv, outcome: DecisionOutcome, by: str
) -> None:
    await env.submit()
    order = with_review(
        env.erp.orders["PO-1"], version="v2", state=ReviewState.APPROVED, approval=Approval(decided_by=by)
    )
    env.erp.faults.append(DecisionResult(outcome=outcome, document=order))
    await env.cast_vote("wang")
    await env.work()
    ended = await env.newest()
    assert (ended.state, ended.version) == (CaseState.DECIDED_ELSEWHERE, "v2")
    assert ended.elsewhere is not None
    assert ended.elsewhere.by == by


async def test_an_erp_that_does_not_tell_how_it_was_decided(env: ApprovalEnv) -> None:
    await env.submit()
    env.erp.faults.append(DecisionResult(outcome=DecisionOutcome.ALREADY_DECIDED, document=None))
    await env.cast_vote("wang")
    await env.work()
    assert (await record(env))[-1] == ("decided_elsewhere", "", "in the ERP, which does not tell how", "")


async def test_decided_by_a_first_attempt_whose_answer_was_an_error(env: ApprovalEnv) -> None:
    """Told a second time, an ERP that names nobody means our own first attempt."""
    case = await env.wang_approves()
    await set_case(env, attempts=2, attempted_at=env.clock.time)
    order = with_review(env.erp.orders["PO-1"], state=ReviewState.APPROVED, approval=None)
    decided = DecisionResult(outcome=DecisionOutcome.ALREADY_DECIDED, document=order)
    ended = await do(env, lambda unit: writeback.record_result(unit, case.id, decided))
    assert ended.state is CaseState.APPROVED


@pytest.mark.parametrize("error", [Invalid("no"), Conflict("locked")])
async def test_an_error_about_a_document_that_others_decided(env: ApprovalEnv, error: Invalid | Conflict) -> None:
    case = await env.wang_approves()
    await set_case(env, attempts=1, attempted_at=env.clock.time)
    order = with_review(env.erp.orders["PO-1"], state=ReviewState.APPROVED, approval=None)
    ended = await do(env, lambda unit: writeback.record_failure(unit, case.id, error, 1, order))
    assert ended.state is CaseState.DECIDED_ELSEWHERE


@pytest.mark.parametrize(("seconds", "state"), [(89, CaseState.UNKNOWN), (90, CaseState.WRITING)])
async def test_a_write_that_is_nowhere_to_be_found_is_repeated_after_ninety_seconds(
    env: ApprovalEnv, seconds: int, state: CaseState
) -> None:
    case = await env.wang_approves(WriteFault.LOST)
    await env.work()
    env.clock.move(seconds=seconds)
    looked = await do(env, lambda unit: writeback.record_check(unit, case.id, env.erp.orders["PO-1"]))
    assert looked.state is state
    assert looked.due_at > env.clock.time - timedelta(seconds=1)


async def test_a_case_that_is_not_doubtful_is_not_looked_at(env: ApprovalEnv) -> None:
    case = await env.submit()
    order = env.erp.orders["PO-1"]
    for case_id in (case.id, "nothing-1"):
        assert await do(env, lambda unit, one=case_id: writeback.record_check(unit, one, order)) is None


async def test_refused_by_the_erp_a_case_is_free_to_be_told_and_reminded_of_again() -> None:
    env = ApprovalEnv(rules=rules(remind_after=(HOUR,)))
    await env.submit()
    env.erp.forbidden.add("erp-wang")
    await env.cast_vote("wang")
    await env.work()
    opened = await env.newest()
    assert (opened.attempted_at, opened.due_at) == (None, env.clock.time + HOUR)
