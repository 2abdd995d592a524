"""When a document becomes a case, when it does so anew, and who is shown it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.approvals.case import CaseState
from bot.approvals.plan import ExpiryAction
from bot.approvals.voting import VoteOutcome
from bot.erp.model import ReviewState
from tests.approvals.company import po_key, waiting_order
from tests.approvals.env import GROUP, HOUR, REJECT, ApprovalEnv, cards, rules, until
from tests.approvals.policy.test_evaluation import stands_in
from tests.approvals.policy.test_planner import any_of
from tests.bare_records import with_review


async def test_cards_go_to_the_group_and_to_those_who_may_decide(env: ApprovalEnv) -> None:
    case = await env.submit()
    assert set(cards(env, case.id)) == {
        f"approval:{GROUP}",
        "approval:person:wang",
        "approval:person:qian",
        "approval:person:li",
    }
    assert (case.summary.partner, case.summary.requester, case.summary.requested_by) == ("ACME", "wu", "erp-wu")
    assert await env.audit_actions() == ["opened"]


async def test_asked_for_again_and_in_other_letters_it_is_the_same_case(env: ApprovalEnv) -> None:
    case = await env.submit()
    assert await env.service.sync_document(po_key("main", "po-1")) == case
    assert len(await env.service.history("po-1")) == 1


async def test_a_change_supersedes_and_a_change_back_is_a_third_case(env: ApprovalEnv) -> None:
    first = await env.submit()
    env.erp.edit("PO-1", vendor="OTHER")
    second = await env.service.sync_document(po_key("main", "PO-1"))
    env.erp.edit("PO-1", vendor="ACME")
    third = await env.service.sync_document(po_key("main", "PO-1"))
    assert second is not None
    assert third is not None
    assert len({first.id, second.id, third.id}) == 3
    assert third.fingerprint == first.fingerprint
    states = [case.state for case, _ in await env.service.history("PO-1")]
    assert states == [CaseState.OPEN, CaseState.SUPERSEDED, CaseState.SUPERSEDED]
    assert await env.audit_actions(first) == ["opened", "superseded"]
    # The place's first card is final, and the third is a card of its own.
    assert cards(env, third.id)["approval:person:wang"] == 1


async def test_a_comment_is_no_new_revision(env: ApprovalEnv) -> None:
    case = await env.submit()
    env.erp.edit("PO-1")
    assert await env.service.sync_document(po_key("main", "PO-1")) == case


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (ReviewState.DRAFT, CaseState.WITHDRAWN),
        (ReviewState.CANCELLED, CaseState.WITHDRAWN),
        (ReviewState.APPROVED, CaseState.DECIDED_ELSEWHERE),
        (ReviewState.DONE, CaseState.DECIDED_ELSEWHERE),
        (ReviewState.REJECTED, CaseState.DECIDED_ELSEWHERE),
    ],
)
async def test_what_no_longer_waits_is_closed(env: ApprovalEnv, status: ReviewState, state: CaseState) -> None:
    await env.submit()
    env.erp.edit("PO-1", state=status)
    assert await env.service.sync_document(po_key("main", "PO-1")) is None
    assert await env.state() is state
    assert await env.service.sync_document(po_key("main", "PO-1")) is None
    assert len(await env.service.history("PO-1")) == 1


async def test_a_deleted_one_is_withdrawn_and_waits_again_when_it_is_back(env: ApprovalEnv) -> None:
    await env.submit()
    order = env.erp.orders.pop("PO-1")
    assert await env.service.sync_document(po_key("main", "PO-1")) is None
    assert await env.state() is CaseState.WITHDRAWN
    env.erp.orders["PO-1"] = order
    assert (await env.submit()).state is CaseState.OPEN


async def test_it_waits_again_after_it_was_given_back_and_submitted_anew(env: ApprovalEnv) -> None:
    case = await env.submit()
    await env.cast_vote("wang", REJECT)
    await env.run_until_idle()
    assert await env.service.sync_document(po_key("main", "PO-1")) is None
    env.erp.edit("PO-1", state=ReviewState.WAITING)
    again = await env.service.sync_document(po_key("main", "PO-1"))
    assert again is not None
    assert again.id != case.id
    assert again.fingerprint == case.fingerprint


async def test_what_nobody_decided_in_time_is_not_asked_again_by_every_polling() -> None:
    env = ApprovalEnv(rules=rules(deadline=HOUR, on_expiry=ExpiryAction.CLOSE))
    await env.submit()
    await env.run_until_idle(within=2 * HOUR)
    assert await env.state() is CaseState.EXPIRED
    assert await env.service.sync_document(po_key("main", "PO-1")) is None
    again = await env.service.sync_document(po_key("main", "PO-1"), again=True)
    assert again is not None
    assert again.state is CaseState.OPEN


async def test_what_was_read_before_a_decision_opens_nothing_after_it(env: ApprovalEnv) -> None:
    """The polling reads the order as it waits, and comes to the cases when it is approved."""
    await env.submit()
    env.erp.gate = asyncio.Event()
    polling = asyncio.create_task(env.service.sync_document(po_key("main", "PO-1")))
    await until(lambda: not (env.erp.reads < 2))
    stale = env.erp.orders["PO-1"]
    gate, env.erp.gate = env.erp.gate, None
    await env.store.transact(lambda one: one.put(replace(one.newest(po_key("main", "PO-1")), state=CaseState.APPROVED)))  # type: ignore[type-var]
    env.erp.orders["PO-1"] = with_review(stale, version="v2", state=ReviewState.APPROVED)
    gate.set()
    assert await polling is None
    assert len(await env.service.history("PO-1")) == 1


async def test_no_rule_no_case() -> None:
    env = ApprovalEnv(rules=replace(rules(), rules=()))
    env.erp.submit(waiting_order())
    assert await env.service.sync_document(po_key("main", "PO-1")) is None
    assert await env.service.newest("PO-1") is None


async def test_substitutes_get_the_card_too() -> None:
    env = ApprovalEnv()
    env.rules = rules(any_of("person:wang"), substitutes=(stands_in("zhao", "wang"),))
    case = await env.submit()
    assert "approval:person:zhao" in cards(env, case.id)
    assert [waiting.id for waiting in await env.service.pending("zhao")] == [case.id]
    assert (await env.cast_vote("zhao")).outcome is VoteOutcome.DECIDED
