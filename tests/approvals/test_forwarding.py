"""An approver passes their turn on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.approvals.cards.view_builders import CardViewer, RevisionData, build_case_view, build_requester_notice
from bot.approvals.cards.views import Audience
from bot.approvals.case_context import CaseContext
from bot.approvals.policy.rules import ApprovalRuleSet, SingleLimit
from bot.approvals.voting import VoteOutcome
from bot.erp.model import ReviewState
from bot.store.approvals.rows import make_decision_entry
from tests.approvals.company import NOW, money, waiting_order
from tests.approvals.env import ApprovalEnv, cards, rules
from tests.approvals.policy.test_planner import any_of, who


async def test_somebody_else_decides_instead() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang")))
    case = await env.submit()
    assert (await env.cast_vote("zhao")).outcome is VoteOutcome.REFUSED
    passed = await env.service.forward(case, "zhao", "wang")
    assert passed.outcome is VoteOutcome.RECORDED
    assert "approval:person:zhao" in cards(env, case.id)
    assert [one.id for one in await env.service.pending("zhao")] == [case.id]
    assert (await env.cast_vote("zhao")).outcome is VoteOutcome.DECIDED
    await env.run_until_idle()
    final = await env.newest()
    assert [(vote.user_id, vote.on_behalf_of) for vote in final.votes] == [("zhao", "wang")]
    assert [one.by for one in env.erp.written] == ["erp-zhao"]
    assert (await env.audit_actions())[1:3] == ["refused", "forwarded"]


async def test_it_can_be_passed_on_once_more() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang")))
    case = await env.submit()
    await env.service.forward(case, "zhao", "wang")
    assert (await env.service.forward(case, "sun", "zhao")).outcome is VoteOutcome.RECORDED
    assert (await env.cast_vote("sun")).outcome is VoteOutcome.DECIDED
    assert [vote.on_behalf_of for vote in (await env.newest()).votes] == ["wang"]


async def test_it_holds_for_one_case() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang")))
    case = await env.submit()
    await env.service.forward(case, "zhao", "wang")
    await env.submit(replace(waiting_order(requester="wu"), number="PO-2"))
    assert (await env.cast_vote("zhao", case=await env.newest("PO-2"))).outcome is VoteOutcome.REFUSED


@pytest.mark.parametrize(
    ("to", "by", "reason"),
    [
        ("", "wang", "Name somebody else"),
        ("wang", "wang", "Name somebody else"),
        ("wu", "wang", "They requested it."),
        ("stranger", "wang", "They have no account in “main”."),
        ("qian", "wang", "It is their turn as well."),
        ("zhao", "zheng", "You are not an approver of this document."),
    ],
)
async def test_to_whom_and_by_whom_not(env: ApprovalEnv, to: str, by: str, reason: str) -> None:
    case = await env.submit()
    refused = await env.service.forward(case, to, by)
    assert refused.outcome is VoteOutcome.REFUSED
    assert str(refused.reasons[0]).startswith(reason)
    assert (await env.newest()).forwards == ()
    assert await env.audit_actions() == ["opened", "refused"]


async def test_not_to_somebody_who_has_spoken_or_whom_the_erp_refused() -> None:
    env = ApprovalEnv(rules=rules(any_of("role:purchasing"), any_of("role:finance")))
    case = await env.wang_approves()
    refused = await env.service.forward(case, "wang", "qian")
    assert str(refused.reasons[0]) == "They have agreed already."
    await env.cast_vote("qian")
    env.erp.forbidden.add("erp-qian")
    await env.run_until_idle()
    env.rules = rules(any_of("role:purchasing"), any_of("role:finance"))
    assert (await env.newest()).refused == ("qian",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"state": ReviewState.CANCELLED}, VoteOutcome.ELSEWHERE),
        ({"vendor": "OTHER"}, VoteOutcome.CHANGED),
    ],
)
async def test_of_a_document_that_is_another_now(
    env: ApprovalEnv, change: dict[str, object], said: VoteOutcome
) -> None:
    case = await env.submit()
    env.erp.edit("PO-1", **change)
    assert (await env.service.forward(case, "zhao", "wang")).outcome is said


async def test_when_it_is_decided(env: ApprovalEnv) -> None:
    case = await env.wang_approves()
    assert (await env.service.forward(case, "zhao", "qian")).outcome is VoteOutcome.LATE


async def test_the_record_says_to_whom_and_for_whom() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang")))
    case = await env.submit()
    await env.service.forward(case, "zhao", "wang")
    await env.service.forward(case, "sun", "zhao")
    ((_, rows),) = await env.service.history("PO-1")
    passed = [(row.user_id, row.detail) for row in rows if row.what == "forwarded"]
    assert passed == [("wang", "zhao"), ("zhao", "sun for wang")]


def limited(*, binds: bool) -> ApprovalRuleSet:
    """Wang decides, up to less than the order comes to; there is no limit for others."""
    limit = SingleLimit(approvers=who("person:wang"), amounts=(money("100 CNY"),), binds_stand_ins=binds)
    return replace(rules(any_of("person:wang")), limits=(limit,))


async def test_passing_on_does_not_get_around_a_limit() -> None:
    env = ApprovalEnv(rules=limited(binds=True))
    case = await env.submit()
    refused = await env.service.forward(case, "zhao", "wang")
    assert (refused.outcome, (await env.newest()).forwards) == (VoteOutcome.REFUSED, ())
    assert str(refused.reasons[0]) == "wang may not approve it, and that limit also binds who decides instead."


async def test_a_limit_that_is_ones_own_may_be_passed_on() -> None:
    env = ApprovalEnv(rules=limited(binds=False))
    case = await env.submit()
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.REFUSED
    assert (await env.service.forward(case, "zhao", "wang")).outcome is VoteOutcome.RECORDED
    assert (await env.newest()).plan.own_limits == ("wang",)
    assert (await env.cast_vote("zhao")).outcome is VoteOutcome.DECIDED


async def test_several_who_stand_in_share_the_day_of_one_person() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang"), daily_limits=(money("5000 CNY"),)))
    for number, to in (("PO-1", "zhao"), ("PO-2", "sun")):
        await env.submit(replace(waiting_order(requester="wu"), number=number))
        await env.service.forward(await env.newest(number), to, "wang")
    assert (await env.cast_vote("zhao", case=await env.newest("PO-1"))).outcome is VoteOutcome.DECIDED
    for voter in ("sun", "wang"):
        refused = await env.cast_vote(voter, case=await env.newest("PO-2"))
        assert refused.outcome is VoteOutcome.REFUSED
        assert "in one day" in str(refused.reasons[0])
    assert (await env.newest("PO-2")).votes == ()


async def test_the_final_card_and_the_requester_learn_for_whom() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang")))
    await env.service.forward(await env.submit(), "zhao", "wang")
    await env.cast_vote("zhao")
    await env.run_until_idle()
    case, names = await env.newest(), {"wang": "王总"}
    reader = CardViewer(audience=Audience.BARE, user_id="", now=NOW)
    for view in (
        build_case_view(CaseContext(case=case), RevisionData(names=names), reader),
        build_requester_notice(case, names),
    ):
        assert view.decision is not None
        assert (view.decision.name, view.decision.instead_of) == ("Zhao", "王总")
    ((_, rows),) = await env.service.history("PO-1")
    assert [row.detail for row in rows if row.what == "decided"] == ["approve for wang"]
    entries = [make_decision_entry(row, case) for row in rows if row.what in ("vote", "decided")]
    assert [entry and (entry.outcome, entry.detail) for entry in entries] == [("approve", "for wang")] * 2
