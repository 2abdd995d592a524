"""The record tells who did what, when, of what they were shown, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.approvals import writeback
from bot.approvals.case import Case
from bot.approvals.plan import ExpiryAction
from bot.approvals.unit_of_work import ApprovalOptions
from bot.erp.errors import AuthFailed, Unavailable
from bot.erp.model import DecisionOutcome, DecisionResult, ReviewState
from tests.approvals.company import po_key
from tests.approvals.env import HOUR, REJECT, ApprovalEnv, decision, rules
from tests.approvals.fake_erp import WriteFault
from tests.approvals.policy.test_evaluation import stands_in
from tests.approvals.policy.test_planner import any_of, who
from tests.approvals.test_asking_back import answer, ask

Line = tuple[str, str, str, str]

SHOWN = "what was shown"


async def record(env: ApprovalEnv, case: Case | None = None) -> list[Line]:
    """Return what the record says of a case: word, person, detail, and what was shown to them."""
    case = case or await env.newest()
    rows = await env.store.transact(lambda cases: list(cases.audit_rows_of(case.id)))
    return [(row.what, row.user_id, row.detail, SHOWN if row.seen == case.fingerprint else row.seen) for row in rows]


OPENED: Line = ("opened", "", "rule", SHOWN)
VOTE: Line = ("vote", "wang", "approve at level 1", SHOWN)
DECIDED: Line = ("decided", "wang", "approve", "")
WRITING: Line = ("writing", "wang", "approve, version v1", "")


async def test_a_decision_from_the_document_to_the_erp(env: ApprovalEnv) -> None:
    await env.wang_approves()
    await env.run_until_idle()
    assert await record(env) == [
        OPENED,
        VOTE,
        DECIDED,
        WRITING,
        ("outcome", "", "applied applied", ""),
        ("approved", "", "applied", ""),
    ]


async def test_what_a_person_may_not_do_about_a_question_or_another_persons_vote(env: ApprovalEnv) -> None:
    case = await env.submit()
    await ask(env, case)
    await answer(env, case, by="qian")
    await env.service.withdraw_inquiry(case, "qian")
    assert [(word, who_tried, detail) for word, who_tried, detail, _ in await record(env) if word == "refused"] == [
        ("refused", "qian", "answering: Only the requester can answer."),
        ("refused", "qian", "taking a question back: Only the person who asked can take the question back."),
    ]


async def test_taking_back_what_another_person_decided() -> None:
    env = ApprovalEnv(terms=ApprovalOptions(undo=timedelta(seconds=30)))
    case = await env.wang_approves()
    await env.service.take_back(case, "qian")
    refused = ("refused", "qian", "taking back: Only the person who decided can take it back.", "")
    assert (await record(env))[-1] == refused


async def test_each_line_has_its_time(env: ApprovalEnv) -> None:
    await env.submit()
    began = env.clock.time
    env.clock.move(minutes=1)
    await env.cast_vote("wang")
    rows = await env.store.transact(
        lambda cases: [row for case in cases.cases_of("PO-1") for row in cases.audit_rows_of(case.id)]
    )
    assert [row.at - began for row in rows] == [timedelta(0), timedelta(minutes=1), timedelta(minutes=1)]


async def test_a_rejection_with_its_reason(env: ApprovalEnv) -> None:
    await env.submit()
    await env.cast_vote("wang", REJECT)
    assert (await record(env))[1:3] == [
        ("vote", "wang", "reject at level 1: 价格过高", SHOWN),
        ("decided", "wang", "reject", ""),
    ]


async def test_for_whom_a_substitute_decides() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang"), substitutes=(stands_in("zhao", "wang"),)))
    await env.submit()
    await env.cast_vote("zhao")
    assert (await record(env))[1] == ("vote", "zhao", "approve at level 1 for wang", SHOWN)


async def test_who_was_refused_and_why(env: ApprovalEnv) -> None:
    case = await env.submit()
    await env.cast_vote("zheng")
    await env.service.forward(case, "zhao", "zheng")
    await env.service.forward(case, "wu", "wang")
    assert (await record(env))[1:] == [
        ("refused", "zheng", "You are not an approver of this document.", SHOWN),
        ("refused", "zheng", "forwarding: You are not an approver of this document.", ""),
        ("refused", "wang", "forwarding to wu: They requested it.", ""),
    ]


async def test_who_clicked_at_something_else_than_the_document_is_now(env: ApprovalEnv) -> None:
    case = await env.submit()
    await env.cast_vote("wang", case=replace(case, fingerprint="old"))
    env.erp.edit("PO-1", vendor="OTHER")
    await env.cast_vote("qian", case=case)
    fresh = await env.newest()
    assert (await record(env, case))[1:] == [
        ("changed", "wang", "", "old"),
        ("changed", "qian", fresh.fingerprint, SHOWN),
        ("superseded", "", "changed in the ERP", ""),
    ]


async def test_who_took_it_back() -> None:
    env = ApprovalEnv(terms=ApprovalOptions(undo=timedelta(seconds=30)))
    case = await env.wang_approves()
    await env.service.take_back(case, "wang")
    assert (await record(env))[-1] == ("taken_back", "wang", "", "")


async def test_what_time_brought() -> None:
    env = ApprovalEnv(
        rules=rules(
            remind_after=(HOUR,),
            deadline=2 * HOUR,
            on_expiry=ExpiryAction.ESCALATE,
            escalate_to=who("person:sun person:zhou"),
        )
    )
    await env.submit()
    await env.run_until_idle(within=3 * HOUR)
    assert (await record(env))[1:] == [
        ("reminded", "", "1", ""),
        ("expired", "", "escalate", ""),
        ("escalated", "", "sun, zhou", ""),
    ]


async def test_the_end_of_the_time() -> None:
    env = ApprovalEnv(rules=rules(deadline=HOUR, on_expiry=ExpiryAction.CLOSE))
    await env.submit()
    await env.run_until_idle(within=2 * HOUR)
    assert await record(env) == [
        OPENED,
        ("expired", "", "close", ""),
        ("expired", "", "nobody decided in time", ""),
    ]


async def test_a_write_that_got_lost_and_was_repeated(env: ApprovalEnv) -> None:
    await env.wang_approves(WriteFault.LOST)
    await env.run_until_idle()
    assert (await record(env))[3:8] == [
        WRITING,
        ("outcome", "", "unknown_after_timeout no answer", ""),
        ("unknown", "", "no answer", ""),
        ("not_found", "", "it did not happen; the ERP is told again", ""),
        WRITING,
    ]


async def test_a_write_that_got_lost_and_was_found(env: ApprovalEnv) -> None:
    await env.wang_approves(WriteFault.ANSWER_LOST)
    await env.run_until_idle()
    assert (await record(env))[-2:] == [("found", "", "approved", ""), ("approved", "", "found in the ERP", "")]


async def test_a_write_that_was_broken_off(env: ApprovalEnv) -> None:
    case = await env.wang_approves()
    transactions = env.process.writer._transactions
    await transactions.transact(lambda unit: writeback.begin_write(unit, case.id))
    env.clock.move(seconds=60)
    await transactions.transact(lambda unit: writeback.begin_write(unit, case.id))
    assert (await record(env))[-1] == ("unknown", "", "interrupted", "")


async def test_an_answer_that_came_too_late(env: ApprovalEnv) -> None:
    case = await env.wang_approves()
    transactions = env.process.writer._transactions
    await transactions.transact(lambda unit: writeback.begin_write(unit, case.id))
    await transactions.transact(lambda unit: writeback.record_failure(unit, case.id, Unavailable("away"), 1))
    env.clock.move(seconds=2)
    await transactions.transact(lambda unit: writeback.begin_write(unit, case.id))
    refused = DecisionResult(outcome=DecisionOutcome.NOT_PERMITTED, document=None)
    await transactions.transact(lambda unit: writeback.record_result(unit, case.id, refused, 1))
    assert (await record(env))[4:] == [
        ("not_written", "", "Unavailable away", ""),
        WRITING,
        ("late_answer", "", "to attempt 1, while 2 is under way", ""),
    ]


@pytest.mark.parametrize(
    ("befalls", "ends"),
    [
        (
            lambda env: env.erp.faults.append(AuthFailed("no key")),
            [("not_written", "", "AuthFailed no key", ""), ("failed", "", "AuthFailed", "")],
        ),
        (
            lambda env: env.erp.faults.append(DecisionResult(outcome=DecisionOutcome.UNSUPPORTED, document=None)),
            [("outcome", "", "unsupported", ""), ("failed", "", "unsupported", "")],
        ),
        (
            lambda env: env.erp.forbidden.add("erp-wang"),
            [("outcome", "", "not_permitted not_permitted", ""), ("erp_refused", "wang", "not_permitted", "")],
        ),
        (
            lambda env: env.erp.orders.clear(),
            [("not_written", "", "NotFound not found: PO-1", ""), ("withdrawn", "", "not in the ERP any more", "")],
        ),
    ],
    ids=["no key", "not offered", "not permitted", "deleted"],
)
async def test_what_the_erp_did_not_do(
    env: ApprovalEnv, befalls: Callable[[ApprovalEnv], None], ends: list[Line]
) -> None:
    await env.wang_approves()
    befalls(env)
    await env.run_until_idle()
    assert (await record(env))[4:] == ends


async def test_a_change_before_the_erp_was_told(env: ApprovalEnv) -> None:
    case = await env.wang_approves()
    env.erp.edit("PO-1", vendor="OTHER")
    await env.run_until_idle()
    assert (await record(env, case))[-1] == ("superseded", "", "changed before the ERP was told", "")


async def test_a_version_that_came_before_the_erp_was_told(env: ApprovalEnv) -> None:
    await env.wang_approves()
    env.erp.edit("PO-1")
    await env.run_until_idle()
    assert (await record(env))[5:7] == [
        ("version", "", "v2", ""),
        ("writing", "wang", "approve, version v2", ""),
    ]


async def test_a_level_that_somebody_else_passed(env: ApprovalEnv) -> None:
    env.erp.levels["PO-1"] = (("erp-wang", "erp-sun"), ("erp-qian",))
    case = await env.wang_approves(WriteFault.LOST)
    await env.work()
    env.erp.apply(decision("v1", "erp-sun"))
    await env.run_until_idle()
    assert (await record(env, case))[-1] == ("superseded", "", "passed on in the ERP by erp-sun", "")


async def test_a_level_of_ours_that_was_found(env: ApprovalEnv) -> None:
    env.erp.levels["PO-1"] = (("erp-wang",), ("erp-qian",))
    case = await env.wang_approves(WriteFault.ANSWER_LOST)
    await env.run_until_idle()
    ended = await env.service.case(case.id)
    assert ended is not None
    assert ended.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
    assert (await record(env, case))[-2:] == [("found", "", "waiting", ""), ("approved", "", "found in the ERP", "")]


async def test_a_change_that_may_be_ours_or_not(env: ApprovalEnv) -> None:
    env.erp.levels["PO-1"] = ((), ())
    env.erp.names_nobody = True
    case = await env.wang_approves(WriteFault.ANSWER_LOST)
    await env.run_until_idle()
    assert (await record(env, case))[-1] == ("superseded", "", "changed while the outcome was unknown", "")


async def test_a_document_that_was_taken_back(env: ApprovalEnv) -> None:
    await env.submit()
    env.erp.edit("PO-1", state=ReviewState.CANCELLED)
    await env.service.sync_document(po_key("main", "PO-1"))
    assert await record(env) == [OPENED, ("withdrawn", "", "cancelled", "")]


async def test_a_level_of_ours_after_which_the_erp_asks_others(env: ApprovalEnv) -> None:
    env.erp.levels["PO-1"] = (("erp-wang",), ("erp-qian",))
    case = await env.wang_approves()
    await env.run_until_idle()
    assert (await record(env, case))[4:] == [
        ("outcome", "", "recorded_more_approvals_needed recorded_more_approvals_needed", ""),
        ("approved", "", "recorded_more_approvals_needed", ""),
    ]
