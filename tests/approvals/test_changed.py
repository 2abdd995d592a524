"""The document is not what was shown, or no longer waits."""

from __future__ import annotations

from dataclasses import replace

from bot.approvals.case import CaseState, ExternalDecision
from bot.approvals.voting import VoteOutcome
from bot.erp.errors import Unavailable
from bot.erp.kinds import Kind
from bot.erp.model import PurchaseOrder, ReviewState
from tests.approvals.company import po_key
from tests.approvals.env import ApprovalEnv
from tests.bare_records import with_review


async def test_changed_since_shown(env: ApprovalEnv) -> None:
    case = await env.submit()
    env.erp.edit("PO-1", vendor="OTHER")
    vote_result = await env.cast_vote("wang", case=case)
    assert vote_result.outcome is VoteOutcome.CHANGED
    assert vote_result.case is not None
    assert vote_result.case.state is CaseState.SUPERSEDED
    assert vote_result.newer_case is not None
    assert vote_result.newer_case.state is CaseState.OPEN
    assert vote_result.newer_case.summary.partner == "OTHER"
    assert env.erp.told == []
    await env.run_until_idle()
    assert (await env.cast_vote("wang", case=vote_result.newer_case)).outcome is VoteOutcome.DECIDED


async def test_on_a_superseded_card(env: ApprovalEnv) -> None:
    case = await env.submit()
    env.erp.edit("PO-1", vendor="OTHER")
    await env.service.sync_document(po_key("main", "PO-1"))
    assert (await env.cast_vote("wang", case=case)).outcome is VoteOutcome.CHANGED


async def test_shown_something_else_than_the_case_is_about(env: ApprovalEnv) -> None:
    case = await env.submit()
    vote_result = await env.cast_vote("wang", case=replace(case, fingerprint="old"))
    assert vote_result.outcome is VoteOutcome.CHANGED
    assert await env.state() is CaseState.OPEN
    assert await env.audit_actions() == ["opened", "changed"]


async def test_the_fresh_card_comes_when_the_erp_is_back(env: ApprovalEnv) -> None:
    case = await env.submit()
    env.erp.edit("PO-1", vendor="OTHER")
    reread, reads = env.erp.reread, 0

    async def once(source: str, kind: Kind[PurchaseOrder], number: str) -> object:
        nonlocal reads
        reads += 1
        if reads in (2, 3):
            raise Unavailable("away")
        return await reread(source, kind, number)

    env.erp.reread = once  # type: ignore[method-assign,assignment]
    vote_result = await env.cast_vote("wang", case=case)
    assert (vote_result.outcome, vote_result.newer_case) == (VoteOutcome.CHANGED, None)
    await env.run_until_idle()
    assert (await env.newest()).summary.partner == "OTHER"
    assert await env.state() is CaseState.OPEN


async def test_decided_in_the_erp_meanwhile(env: ApprovalEnv) -> None:
    await env.submit()
    order = env.erp.orders["PO-1"]
    env.erp.orders["PO-1"] = with_review(
        order,
        version="v2",
        state=ReviewState.APPROVED,
        approval=replace(order.review.progress, decided_by="erp-sun"),
        people={"erp-sun": "孙"},
    )
    vote_result = await env.cast_vote("wang")
    assert vote_result.outcome is VoteOutcome.ELSEWHERE
    assert vote_result.case is not None
    there = ExternalDecision(status=ReviewState.APPROVED, by="孙")
    assert (vote_result.case.state, vote_result.case.elsewhere) == (CaseState.DECIDED_ELSEWHERE, there)
    await env.run_until_idle()
    assert env.erp.told == []


async def test_deleted_meanwhile(env: ApprovalEnv) -> None:
    await env.submit()
    env.erp.orders.clear()
    vote_result = await env.cast_vote("wang")
    assert vote_result.outcome is VoteOutcome.ELSEWHERE
    assert vote_result.case is not None
    assert vote_result.case.state is CaseState.WITHDRAWN


async def test_no_case(env: ApprovalEnv) -> None:
    case = await env.submit()
    nothing = replace(case, id="nothing-1")
    assert (await env.cast_vote("wang", case=nothing)).outcome is VoteOutcome.NO_CASE
    assert (await env.service.take_back(nothing, "wang")).outcome is VoteOutcome.NO_CASE
    assert (await env.service.forward(nothing, "qian", "wang")).outcome is VoteOutcome.NO_CASE
