"""A write whose answer got lost: looked for, and never simply repeated."""

from __future__ import annotations

from datetime import timedelta

from bot.approvals import writeback
from bot.approvals.case import CaseState, ExternalDecision
from bot.erp.errors import Unavailable
from bot.erp.model import DecisionOutcome, DecisionResult, ReviewState
from tests.approvals.env import MINUTE, REJECT, ApprovalEnv, cards, decision
from tests.approvals.fake_erp import WriteFault
from tests.bare_records import with_review


async def test_it_was_done(env: ApprovalEnv) -> None:
    await env.wang_approves(WriteFault.ANSWER_LOST)
    await env.work()
    assert await env.state() is CaseState.UNKNOWN
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED
    assert len(env.erp.told) == 1
    assert "found" in await env.audit_actions()


async def test_it_was_not_done(env: ApprovalEnv) -> None:
    await env.wang_approves(WriteFault.LOST)
    started = env.clock.time
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED
    assert len(env.erp.told) == 1
    assert env.clock.time - started >= timedelta(seconds=90)
    assert "not_found" in await env.audit_actions()


async def test_somebody_else_did_it(env: ApprovalEnv) -> None:
    await env.wang_approves(WriteFault.LOST)
    await env.work()
    env.erp.apply(decision("v1", "erp-sun"))
    at = env.clock.time
    await env.run_until_idle()
    final = await env.newest()
    assert (final.state, final.elsewhere) == (
        CaseState.DECIDED_ELSEWHERE,
        ExternalDecision(status=ReviewState.APPROVED, by="erp-sun", at=at),
    )


async def test_the_opposite_was_done(env: ApprovalEnv) -> None:
    await env.submit()
    env.erp.faults.append(WriteFault.LOST)
    await env.cast_vote("wang", REJECT)
    await env.work()
    env.erp.apply(decision("v1", "erp-wang"))
    await env.run_until_idle()
    assert await env.state() is CaseState.DECIDED_ELSEWHERE


async def test_it_was_done_and_nobody_is_named(env: ApprovalEnv) -> None:
    env.erp.names_nobody = True
    await env.wang_approves(WriteFault.ANSWER_LOST)
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED


async def test_a_level_of_the_erp_was_passed(env: ApprovalEnv) -> None:
    env.erp.levels["PO-1"] = (("erp-wang",), ("erp-qian",))
    await env.wang_approves(WriteFault.ANSWER_LOST)
    await env.run_until_idle()
    states = [case.state for case, _ in await env.service.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.APPROVED]
    assert len(env.erp.told) == 1


async def test_somebody_else_passed_the_level(env: ApprovalEnv) -> None:
    env.erp.levels["PO-1"] = (("erp-wang", "erp-sun"), ("erp-qian",))
    await env.wang_approves(WriteFault.LOST)
    await env.work()
    env.erp.apply(decision("v1", "erp-sun"))
    await env.run_until_idle()
    states = [case.state for case, _ in await env.service.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.SUPERSEDED]


async def test_a_level_that_the_erp_keeps_quiet_about_is_never_passed_twice(env: ApprovalEnv) -> None:
    """Told again on the new version it would have passed the second level in the name of the first."""
    env.erp.levels["PO-1"] = ((), ())
    env.erp.names_nobody = True
    await env.wang_approves(WriteFault.ANSWER_LOST)
    await env.run_until_idle()
    assert len(env.erp.written) == 1
    states = [case.state for case, _ in await env.service.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.SUPERSEDED]


async def test_a_comment_while_it_is_unknown_asks_anew_even_if_the_erp_still_waits_for_them(env: ApprovalEnv) -> None:
    env.erp.levels["PO-1"] = (("erp-wang",),)
    await env.wang_approves(WriteFault.LOST)
    await env.work()
    env.erp.edit("PO-1")
    await env.run_until_idle()
    assert await env.state() is CaseState.OPEN
    assert env.erp.written == []


async def test_what_was_decided_and_submitted_anew_while_it_is_unknown_is_not_decided_twice(env: ApprovalEnv) -> None:
    """Our word passed a level of the ERP's own, unheard; then the order was cancelled and submitted again as it was."""
    env.erp.levels["PO-1"] = (("erp-wang", "erp-qian"), ("erp-sun",))
    await env.submit()
    order = env.erp.orders["PO-1"]
    env.erp.faults.append(WriteFault.ANSWER_LOST)
    await env.cast_vote("wang")
    await env.work()
    env.erp.edit("PO-1", state=ReviewState.CANCELLED)
    env.erp.submit(with_review(order, version="v9"))
    await env.run_until_idle()
    assert [(one.by, one.version) for one in env.erp.written] == [("erp-wang", "v1")]
    assert await env.state() is CaseState.OPEN


async def test_changed_while_it_is_unknown(env: ApprovalEnv) -> None:
    await env.wang_approves(WriteFault.LOST)
    await env.work()
    env.erp.edit("PO-1", vendor="OTHER")
    await env.run_until_idle()
    assert (await env.newest()).summary.partner == "OTHER"
    assert env.erp.written == []


async def test_deleted_while_it_is_unknown(env: ApprovalEnv) -> None:
    await env.wang_approves(WriteFault.LOST)
    await env.work()
    env.erp.orders.clear()
    await env.run_until_idle()
    assert await env.state() is CaseState.WITHDRAWN


async def test_the_erp_stays_away_and_is_looked_at_ever_less_often(env: ApprovalEnv) -> None:
    await env.wang_approves(WriteFault.ANSWER_LOST)
    await env.work()
    env.erp.away = True
    reads = env.erp.reads
    await env.run_until_idle(within=10 * MINUTE)
    assert await env.state() is CaseState.UNKNOWN
    assert 15 <= env.erp.reads - reads <= 30
    env.erp.away = False
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED


async def test_an_adapter_that_breaks_after_the_write(env: ApprovalEnv) -> None:
    await env.wang_approves(WriteFault.DEFECT)
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED
    assert len(env.erp.told) == 1


async def test_an_answer_that_comes_after_the_doubt_counts(env: ApprovalEnv) -> None:
    """A write that takes longer than anybody expects, with another process looking meanwhile."""
    await env.wang_approves()
    transactions = env.process.writer._transactions
    case = await env.newest()
    telling = await transactions.transact(lambda unit: writeback.begin_write(unit, case.id))
    assert telling is not None
    env.clock.move(seconds=60)
    assert await transactions.transact(lambda unit: writeback.begin_write(unit, case.id)) is None
    assert await env.state() is CaseState.UNKNOWN
    result = env.erp.apply(telling.decision)
    await transactions.transact(lambda unit: writeback.record_result(unit, case.id, result, telling.attempt))
    assert await env.state() is CaseState.APPROVED


async def test_an_answer_to_an_earlier_attempt_does_not_count(env: ApprovalEnv) -> None:
    await env.wang_approves()
    transactions = env.process.writer._transactions
    case = await env.newest()
    first = await transactions.transact(lambda unit: writeback.begin_write(unit, case.id))
    await transactions.transact(lambda unit: writeback.record_failure(unit, case.id, Unavailable("x"), 1))
    env.clock.move(seconds=5)
    second = await transactions.transact(lambda unit: writeback.begin_write(unit, case.id))
    assert first is not None
    assert second is not None
    refused = DecisionResult(outcome=DecisionOutcome.NOT_PERMITTED, document=None)
    assert (
        await transactions.transact(lambda unit: writeback.record_result(unit, case.id, refused, first.attempt)) is None
    )
    assert await env.state() is CaseState.WRITING
    assert (await env.audit_actions())[-1] == "late_answer"


async def test_a_process_that_slept_after_its_note_does_not_write(env: ApprovalEnv) -> None:
    await env.wang_approves()

    def sleep(result: object) -> None:
        if isinstance(result, writeback.WriteAttempt):
            env.clock.move(seconds=200)

    env.before_commit = sleep
    await env.process.writer.run_once()
    await env.process.writer.wait_idle()
    assert env.erp.told == []
    env.before_commit = lambda result: None
    await env.run_until_idle()
    assert len(env.erp.told) == 1


async def test_a_level_counts_where_the_erp_does_not_say_for_whom_it_waits(env: ApprovalEnv) -> None:
    env.erp.levels["PO-1"] = ((), ())
    await env.wang_approves(WriteFault.ANSWER_LOST)
    await env.run_until_idle()
    states = [case.state for case, _ in await env.service.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.APPROVED]
    assert len(env.erp.told) == 1


async def test_the_cards_follow_through_doubt_and_back(env: ApprovalEnv) -> None:
    case = await env.submit()
    env.erp.faults += [WriteFault.LOST, WriteFault.AWAY]
    await env.cast_vote("wang")
    seen = [(await env.newest()).revision]
    while (await env.newest()).state is not CaseState.APPROVED:
        await env.process.writer.run_once()
        await env.process.writer.wait_idle()
        now = await env.newest()
        assert set(cards(env, case.id).values()) == {now.revision}
        seen.append(now.revision)
        env.clock.move(seconds=1)
    assert seen == sorted(seen)
    assert sorted(set(seen)) == [2, 3, 4, 5, 6]


async def test_a_look_belongs_to_one_process_for_a_while(env: ApprovalEnv) -> None:
    await env.wang_approves(WriteFault.LOST)
    await env.work()
    case, transactions = await env.newest(), env.process.writer._transactions
    assert await transactions.transact(lambda unit: writeback.begin_check(unit, case.id)) is None
    env.clock.move(seconds=2)
    assert await transactions.transact(lambda unit: writeback.begin_check(unit, case.id)) is not None
    env.clock.move(seconds=29)
    assert await transactions.transact(lambda unit: writeback.begin_check(unit, case.id)) is None
    env.clock.move(seconds=1)
    assert await transactions.transact(lambda unit: writeback.begin_check(unit, case.id)) is not None
