"""What the ERP may answer to a write (docs: platform/erp/records.md#outcomes), and what follows."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from bot.approvals.case import CaseState, ExternalDecision
from bot.approvals.voting import VoteOutcome
from bot.erp.errors import AuthFailed, Conflict, ErpError, Invalid, NotPermitted, RateLimited
from bot.erp.model import DecisionOutcome, DecisionResult, ReviewState
from tests.approvals.company import po_key
from tests.approvals.env import MINUTE, ApprovalEnv, decision, rules
from tests.approvals.policy.test_planner import all_of, any_of


def test_the_guide_says_what_each_outcome_shows() -> None:
    guide = Path(__file__).parents[2] / "docs" / "explanation" / "approvals.md"
    told = re.findall(r"^\| `(\w+)` \|(?: [^|]+\|){3}$", guide.read_text("utf-8"), re.MULTILINE)
    assert told == [outcome.value for outcome in DecisionOutcome]


async def test_more_approvals_needed(env: ApprovalEnv) -> None:
    env.erp.levels["PO-1"] = (("erp-wang",), ("erp-qian",))
    first = await env.wang_approves()
    await env.run_until_idle()
    cases = [case for case, _ in await env.service.history("PO-1")]
    assert [case.state for case in cases] == [CaseState.OPEN, CaseState.APPROVED]
    assert cases[1].outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
    assert cases[1].id == first.id
    await env.cast_vote("qian")
    await env.run_until_idle()
    assert env.erp.orders["PO-1"].status is ReviewState.APPROVED
    assert [one.by for one in env.erp.written] == ["erp-wang", "erp-qian"]


async def test_already_decided_by_somebody_else(env: ApprovalEnv) -> None:
    await env.wang_approves()
    order = env.erp.orders["PO-1"]
    env.erp.apply(decision(order.review.version, "erp-sun"))
    at = env.clock.time
    env.erp.written.clear()
    await env.run_until_idle()
    final = await env.newest()
    assert (final.state, final.elsewhere) == (
        CaseState.DECIDED_ELSEWHERE,
        ExternalDecision(status=ReviewState.APPROVED, by="erp-sun", at=at),
    )
    assert env.erp.written == []


async def test_already_decided_by_nobody_knows_whom_is_not_ours(env: ApprovalEnv) -> None:
    env.erp.names_nobody = True
    await env.wang_approves()
    env.erp.apply(decision(env.erp.orders["PO-1"].review.version, "erp-sun"))
    await env.run_until_idle()
    assert await env.state() is CaseState.DECIDED_ELSEWHERE


async def test_not_permitted_opens_it_for_the_others(env: ApprovalEnv) -> None:
    case = await env.submit()
    env.erp.forbidden.add("erp-wang")
    await env.cast_vote("wang")
    await env.run_until_idle()
    opened = await env.newest()
    assert (opened.state, opened.votes, opened.refused) == (CaseState.OPEN, (), ("wang",))
    assert opened.decision is None
    again = await env.cast_vote("wang", case=case)
    assert again.outcome is VoteOutcome.REFUSED
    assert str(again.reasons[0]) == "The ERP does not allow it for your account there."
    await env.cast_vote("qian")
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED
    assert [one.by for one in env.erp.written] == ["erp-qian"]


async def test_a_level_that_was_passed_stays_passed_when_the_erp_refuses_the_last() -> None:
    env = ApprovalEnv(rules=rules(any_of("role:purchasing"), all_of("role:board")))
    await env.submit()
    for one in ("wang", "sun", "zhou"):
        await env.cast_vote(one)
    env.erp.forbidden.add("erp-zhou")
    await env.run_until_idle()
    opened = await env.newest()
    assert [vote.user_id for vote in opened.votes] == ["wang", "sun"]


async def test_changed_between_the_decision_and_the_write(env: ApprovalEnv) -> None:
    await env.wang_approves()
    env.erp.edit("PO-1", vendor="OTHER")
    await env.run_until_idle()
    states = [case.state for case, _ in await env.service.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.SUPERSEDED]
    assert env.erp.written == []


async def test_a_comment_between_the_decision_and_the_write_changes_nothing(env: ApprovalEnv) -> None:
    await env.wang_approves()
    env.erp.edit("PO-1")
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED
    assert [one.version for one in env.erp.written] == ["v2"]


async def test_an_erp_that_says_changed_again_and_again_is_asked_more_and_more_slowly(env: ApprovalEnv) -> None:
    await env.submit()
    order = env.erp.orders["PO-1"]
    env.erp.faults += [DecisionResult(outcome=DecisionOutcome.CHANGED_SINCE_SHOWN, document=order)] * 4
    await env.cast_vote("wang")
    started = env.clock.time
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED
    assert env.clock.time - started == timedelta(seconds=2 + 4 + 8)


async def test_unsupported(env: ApprovalEnv) -> None:
    await env.submit()
    env.erp.faults.append(DecisionResult(outcome=DecisionOutcome.UNSUPPORTED, document=None))
    await env.cast_vote("wang")
    await env.run_until_idle()
    assert await env.state() is CaseState.FAILED
    assert await env.service.sync_document(po_key("main", "PO-1")) is None


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (Invalid("预算不足"), CaseState.FAILED, "预算不足"),
        (AuthFailed("no"), CaseState.FAILED, "The ERP does not accept the bot's account."),
        (NotPermitted("no"), CaseState.OPEN, "The ERP does not allow this"),
    ],
)
async def test_errors_that_trying_again_does_not_help(
    env: ApprovalEnv, error: ErpError, state: CaseState, said: str
) -> None:
    await env.submit()
    env.erp.faults.append(error)
    await env.cast_vote("wang")
    await env.run_until_idle()
    case = await env.newest()
    assert case.state is state
    assert case.erp_text.startswith(said)
    assert env.erp.written == []


async def test_a_conflict_is_read_again_and_asked_anew(env: ApprovalEnv) -> None:
    await env.submit()
    env.erp.faults.append(Conflict("locked"))
    await env.cast_vote("wang")
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED
    assert len(env.erp.written) == 1


async def test_given_back_to_its_author_between_the_decision_and_the_write(env: ApprovalEnv) -> None:
    await env.wang_approves()
    env.erp.faults.append(Invalid("never submitted"))
    env.erp.edit("PO-1", state=ReviewState.DRAFT)
    await env.run_until_idle()
    assert await env.state() is CaseState.WITHDRAWN


async def test_deleted_between_the_decision_and_the_write(env: ApprovalEnv) -> None:
    await env.wang_approves()
    env.erp.orders.clear()
    await env.run_until_idle()
    assert await env.state() is CaseState.WITHDRAWN


async def test_away_and_back(env: ApprovalEnv) -> None:
    await env.wang_approves()
    env.erp.away = True
    await env.run_until_idle(within=10 * MINUTE)
    waiting = await env.newest()
    assert waiting.state is CaseState.WRITING
    assert waiting.attempts > 10
    env.erp.away = False
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED
    assert len(env.erp.written) == 1
    assert env.erp.written[0].by == "erp-wang"


async def test_the_erp_says_how_long_to_wait(env: ApprovalEnv) -> None:
    await env.submit()
    env.erp.faults.append(RateLimited("busy", retry_after=77))
    await env.cast_vote("wang")
    await env.work()
    due = (await env.newest()).due_at
    assert due == env.clock.time + timedelta(seconds=77)
