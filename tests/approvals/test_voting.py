"""Whose word counts, and what it comes to."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.approvals.case import CaseState
from bot.approvals.unit_of_work import ApprovalOptions
from bot.approvals.voting import VoteOutcome
from bot.erp.model import Money
from tests.approvals.company import waiting_order
from tests.approvals.env import APPROVE, REJECT, ApprovalEnv, cards, rules
from tests.approvals.policy.test_planner import all_of, any_of
from tests.bare_records import with_review


@pytest.mark.parametrize(("verdict", "state"), [(APPROVE, CaseState.APPROVED), (REJECT, CaseState.REJECTED)])
async def test_one_word_is_enough(env: ApprovalEnv, verdict: object, state: CaseState) -> None:
    case = await env.submit()
    vote_result = await env.cast_vote("wang", verdict)  # type: ignore[arg-type]
    assert vote_result.outcome is VoteOutcome.DECIDED
    assert vote_result.case is not None
    assert vote_result.case.state is CaseState.WRITING
    await env.run_until_idle()
    assert await env.state() is state
    (written,) = env.erp.written
    assert (written.by, written.verdict, written.reason) == (
        "erp-wang",
        verdict,
        "价格过高" if verdict is REJECT else "",
    )
    assert await env.audit_actions() == ["opened", "vote", "decided", "writing", "outcome", state.value]
    final = await env.newest()
    owed = cards(env, case.id)
    assert set(owed.values()) == {final.revision}
    assert "approval_told:person:wu" in owed


async def test_a_rejection_needs_a_reason(env: ApprovalEnv) -> None:
    await env.submit()
    assert (await env.cast_vote("wang", REJECT, reason="  ")).outcome is VoteOutcome.NEED_REASON
    assert await env.audit_actions() == ["opened"]


async def test_a_large_amount_is_confirmed() -> None:
    env = ApprovalEnv(rules=rules(confirm_from=Money(Decimal(3000), "CNY")))
    await env.submit()
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.CONFIRM
    assert (await env.cast_vote("wang", confirmed=True)).outcome is VoteOutcome.DECIDED


async def test_late_clickers_learn_who_decided(env: ApprovalEnv) -> None:
    await env.wang_approves()
    reads = env.erp.reads
    late = await env.cast_vote("qian", REJECT)
    assert late.outcome is VoteOutcome.LATE
    assert late.case is not None
    assert late.case.decision is not None
    assert (late.case.decision.by, late.case.decision.name) == ("wang", "Wang")
    assert env.erp.reads == reads


async def test_nobody_who_is_not_named(env: ApprovalEnv) -> None:
    await env.submit()
    refused = await env.cast_vote("zheng")
    assert refused.outcome is VoteOutcome.REFUSED
    assert str(refused.reasons[0]) == "You are not an approver of this document."
    assert refused.ask == ("li", "qian", "wang")
    assert await env.audit_actions() == ["opened", "refused"]


async def test_nobody_without_an_account(env: ApprovalEnv) -> None:
    del env.accounts["wang"]
    env.start()
    await env.submit()
    refused = await env.cast_vote("wang")
    assert refused.outcome is VoteOutcome.REFUSED
    assert str(refused.reasons[0]) == "You have no account in “main”."


@pytest.mark.parametrize("account", ["erp-wang", "ERP-Wang"])
async def test_never_the_requester(env: ApprovalEnv, account: str) -> None:
    order = with_review(waiting_order(requester="wang"), requester=account)
    case = await env.submit(order)
    assert "approval:person:wang" not in cards(env, case.id)
    refused = await env.cast_vote("wang")
    assert refused.outcome is VoteOutcome.REFUSED
    assert str(refused.reasons[0]) == "Nobody decides what they requested themselves."


async def test_under_the_bots_account_nobody_decides_where_the_requester_may_be_themselves() -> None:
    env = ApprovalEnv(terms=ApprovalOptions(technical_account=True, own_account="bot"))
    del env.accounts["wang"], env.accounts["wu"]
    env.start()
    await env.submit()
    refused = await env.cast_vote("wang")
    assert refused.outcome is VoteOutcome.REFUSED
    assert str(refused.reasons[0]).startswith("It cannot be told whether you requested it: “erp-wu”")
    assert (await env.cast_vote("qian")).outcome is VoteOutcome.DECIDED


async def test_under_the_bots_account_the_reason_names_the_decider() -> None:
    env = ApprovalEnv(terms=ApprovalOptions(technical_account=True, own_account="bot"))
    del env.accounts["wang"]
    env.start()
    await env.submit()
    await env.cast_vote("wang", REJECT)
    await env.run_until_idle()
    assert [(one.by, one.reason) for one in env.erp.written] == [("bot", "Wang: 价格过高")]


async def test_two_levels() -> None:
    env = ApprovalEnv(rules=rules(any_of("role:purchasing"), any_of("role:finance")))
    case = await env.submit()
    assert "approval:person:qian" not in cards(env, case.id)
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.RECORDED
    assert "approval:person:qian" in cards(env, case.id)
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.REFUSED
    assert (await env.cast_vote("qian")).outcome is VoteOutcome.DECIDED
    await env.run_until_idle()
    assert await env.state() is CaseState.APPROVED
    assert [one.by for one in env.erp.written] == ["erp-qian"]


async def test_all_of_a_level() -> None:
    env = ApprovalEnv(rules=rules(all_of("role:board")))
    await env.submit()
    assert (await env.cast_vote("sun")).outcome is VoteOutcome.RECORDED
    assert await env.state() is CaseState.OPEN
    assert (await env.cast_vote("zhou")).outcome is VoteOutcome.DECIDED


async def test_one_rejection_of_all_is_enough() -> None:
    env = ApprovalEnv(rules=rules(all_of("role:board")))
    await env.submit()
    await env.cast_vote("sun")
    assert (await env.cast_vote("zhou", REJECT)).outcome is VoteOutcome.DECIDED
    await env.run_until_idle()
    assert await env.state() is CaseState.REJECTED


async def test_a_limit_per_day_counts_open_decisions_too() -> None:
    env = ApprovalEnv(rules=rules(daily_limits=(Money(Decimal(5000), "CNY"),)))
    await env.submit()
    await env.submit(replace(waiting_order(requester="wu"), number="PO-2"))
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.DECIDED
    second = await env.newest("PO-2")
    refused = await env.cast_vote("wang", case=second)
    assert refused.outcome is VoteOutcome.REFUSED
    assert "in one day" in str(refused.reasons[0])
    assert (await env.cast_vote("wang", REJECT, second)).outcome is VoteOutcome.DECIDED


async def test_a_day_begins_in_the_companys_zone() -> None:
    env = ApprovalEnv(rules=rules(daily_limits=(Money(Decimal(5000), "CNY"),)))
    env.clock.time = env.clock.time.replace(hour=7, minute=50)  # still the day before in UTC
    await env.submit()
    await env.submit(replace(waiting_order(requester="wu"), number="PO-2"))
    await env.cast_vote("wang")
    env.clock.move(minutes=20)
    assert (await env.cast_vote("wang", case=await env.newest("PO-2"))).outcome is VoteOutcome.REFUSED
    env.clock.move(days=1)
    assert (await env.cast_vote("wang", case=await env.newest("PO-2"))).outcome is VoteOutcome.DECIDED
