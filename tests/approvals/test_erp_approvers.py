"""Whom the ERP itself waits for, and what is said where those who decide by the rules are not among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from bot.approvals.cards.view_builders import CardViewer, RevisionData, build_case_view, build_why_view
from bot.approvals.cards.views import Audience
from bot.approvals.case_context import CaseContext, DecisionExplanation
from bot.approvals.service import ApprovalService
from bot.approvals.unit_of_work import ApprovalOptions
from bot.approvals.voting import VoteOutcome
from bot.erp.model import Approval, ReviewState
from tests.approvals.company import po_key, waiting_order
from tests.approvals.env import GROUP, ApprovalEnv, cards, rules
from tests.approvals.policy.test_evaluation import stands_in
from tests.approvals.policy.test_planner import all_of, any_of
from tests.bare_records import with_review

NAMES: Mapping[str, str] = MappingProxyType({"sun": "孙总"})
ORDER = with_review(waiting_order(requester="wu"), people={"erp-guest": "客人"})


def approvals(env: ApprovalEnv) -> ApprovalService:
    return env.service


async def find(env: ApprovalEnv) -> CaseContext:
    found = await approvals(env).find("PO-1")
    assert found is not None
    return found


async def remark(env: ApprovalEnv, face: Audience = Audience.PRICED) -> tuple[str, ...]:
    """Return whom a card names for whom the ERP waits."""
    reader = CardViewer(audience=face, user_id="wang" if face is Audience.PRICED else "", now=env.clock())
    known = RevisionData(document=env.erp.orders["PO-1"], names=NAMES)
    return build_case_view(await find(env), known, reader).erp_waits


async def told(env: ApprovalEnv, user_id: str = "wang") -> list[str]:
    """Return what ``/why`` says of it."""
    why: DecisionExplanation = await approvals(env).why(po_key("main", "PO-1"), user_id)
    return [str(one) for one in build_why_view(why, NAMES, Audience.BARE).reasons if "ERP" in str(one)]


NOT_MET = "None of those who decide by the rule is among them: the ERP would not take their decision."


async def waiting(env: ApprovalEnv, *accounts: str) -> None:
    env.erp.levels["PO-1"] = (accounts,)
    await env.submit(ORDER)


async def test_it_is_said_where_they_do_not_meet_and_nobody_can_vote() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang")))
    await waiting(env, "erp-sun", "erp-guest", "erp-unknown")
    assert await remark(env) == ("孙总", "客人", "erp-unknown")
    assert await remark(env, Audience.BARE) == ()
    assert await told(env) == ["The ERP itself waits for 孙总, 客人, erp-unknown.", NOT_MET]
    refused = await env.cast_vote("wang")
    assert (refused.outcome, refused.ask) == (VoteOutcome.REFUSED, ())
    assert "would not take your decision" in str(refused.reasons[0])
    assert not env.erp.told


async def test_nothing_is_said_where_one_of_them_is_asked() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang person:qian")))
    await waiting(env, "erp-sun", "erp-qian")
    assert (await find(env)).erp_approvers.people == ()
    assert await remark(env) == ()
    assert await told(env) == ["The ERP itself waits for 孙总, erp-qian."]


async def test_where_the_erp_names_nobody_that_is_told(env: ApprovalEnv) -> None:
    await waiting(env)
    assert (await remark(env), await told(env)) == ((), ["The ERP does not tell for whom it waits."])


async def test_a_substitute_and_who_got_the_turn_decide_for_others() -> None:
    env = ApprovalEnv()
    env.rules = rules(any_of("person:wang"), substitutes=(stands_in("zhao", "wang"),))
    await waiting(env, "erp-zhao")
    assert await remark(env) == ()
    env.rules = rules(any_of("person:wang"))
    assert await remark(env) == ("erp-zhao",)
    assert (await env.service.forward(await env.newest(), "zhao", "wang")).outcome is VoteOutcome.RECORDED
    assert await remark(env) == ()


async def test_whoever_the_erp_refused_no_longer_counts() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang person:qian")))
    await waiting(env, "erp-wang")
    env.erp.forbidden.add("erp-wang")
    assert await remark(env) == ()
    await env.cast_vote("wang")
    await env.run_until_idle()
    assert await remark(env) == ("erp-wang",)


@pytest.mark.parametrize(("account", "met"), [("erp-qian", True), ("erp-wang", False)])
async def test_the_erp_is_told_by_the_last_level_alone(account: str, met: bool) -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang"), all_of("person:qian")))
    await waiting(env, account)
    assert await remark(env) == (() if met else ("erp-wang",))
    await env.cast_vote("wang")
    await env.cast_vote("qian")
    await env.run_until_idle()
    assert (env.erp.orders["PO-1"].status is ReviewState.APPROVED) is met


async def test_the_bots_own_account_is_whose_decision_the_erp_gets() -> None:
    env = ApprovalEnv(
        rules=rules(any_of("person:wang")), terms=ApprovalOptions(technical_account=True, own_account="bot")
    )
    del env.accounts["wang"]
    env.start()
    await waiting(env, "bot")
    assert await remark(env) == ()
    env.erp.orders["PO-1"] = with_review(env.erp.orders["PO-1"], approval=Approval(pending_for=("erp-wang",)))
    assert await told(env) == ["The ERP itself waits for erp-wang.", NOT_MET]


async def test_what_is_not_decided_from_chat_still_waits_for_somebody() -> None:
    env = ApprovalEnv(rules=replace(rules(), rules=()))
    env.erp.levels["PO-1"] = (("erp-sun",),)
    env.erp.submit(ORDER)
    assert await told(env) == [
        "No rule is for this document, so it is decided in the ERP.",
        "The ERP itself waits for 孙总.",
    ]


async def test_passed_on_in_the_erp_the_cards_say_so_once() -> None:
    """Its version is another then, and what was asked about is as it was."""
    env = ApprovalEnv(rules=rules(any_of("person:wang")))
    await waiting(env, "erp-wang")
    shown = await env.newest()
    env.erp.edit("PO-1", approval=Approval(pending_for=("erp-sun",)))
    for _ in range(3):
        await env.service.sync_document(po_key("main", "PO-1"))
    case = await env.newest()
    assert (case.id, case.waits_for, case.version, case.revision) == (shown.id, ("erp-sun",), "v2", 2)
    assert await remark(env) == ("孙总",)
    assert cards(env, case.id) == {f"approval:{GROUP}": 2, "approval:person:wang": 2}
    assert (await env.audit_actions()).count("erp_waits") == 1
    env.erp.edit("PO-1", approval=Approval(pending_for=("erp-wang",)))
    await env.service.sync_document(po_key("main", "PO-1"))
    assert (await remark(env), (await env.newest()).revision) == ((), 3)


async def test_passed_on_among_those_of_the_plan_the_card_goes_to_who_is_asked_now() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang person:qian")))
    await waiting(env, "erp-wang")
    env.erp.edit("PO-1", approval=Approval(pending_for=("erp-qian",)))
    await env.service.sync_document(po_key("main", "PO-1"))
    case = await env.newest()
    assert (case.waits_for, case.revision) == (("erp-qian",), 2)
    assert cards(env, case.id) == {f"approval:{GROUP}": 2, "approval:person:wang": 2, "approval:person:qian": 2}
    env.erp.edit("PO-1", approval=Approval(pending_for=("erp-qian", "erp-unknown")))
    await env.service.sync_document(po_key("main", "PO-1"))
    assert (await env.newest()).revision == 2, "what cards say is as it was"
