"""Nobody decides what they changed: the ERP tells who changed an order last, and a click reads it afresh."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.approvals.case import CaseState
from bot.approvals.document import PASSED
from bot.approvals.document_reader import build_document
from bot.approvals.policy.rules import Substitute
from bot.approvals.unit_of_work import ApprovalOptions
from bot.approvals.voting import VoteOutcome
from bot.erp.model import Approval, PurchaseOrder, Verdict
from tests.approvals.company import NOW, po_key, waiting_order
from tests.approvals.env import REJECT, ApprovalEnv, cards, rules
from tests.approvals.policy.test_planner import any_of
from tests.bare_records import with_review

DAY = timedelta(days=1)
CHANGED = "Nobody decides what they changed themselves."


def order(changed_by: str) -> PurchaseOrder:
    return with_review(waiting_order(requester="wu"), changed_by=changed_by)


@pytest.mark.parametrize(
    ("account", "editors"), [("erp-wang", {"wang"}), ("ERP-Wang", {"wang"}), ("bot", set()), ("", set())]
)
async def test_an_account_is_resolved_to_a_person_or_to_nobody(
    env: ApprovalEnv, account: str, editors: set[str]
) -> None:
    company = env.process.service._transactions.reader.company()
    assert build_document(order(account), company).editors == editors


@pytest.mark.parametrize("verdict", list(Verdict))
async def test_who_changed_it_is_refused_and_the_other_approver_decides(env: ApprovalEnv, verdict: Verdict) -> None:
    case = await env.submit(order("erp-wang"))
    assert {"approval:person:qian", "approval:person:li"} <= cards(env, case.id).keys()
    assert "approval:person:wang" not in cards(env, case.id)
    refused = await env.cast_vote("wang", verdict)
    assert (refused.outcome, str(refused.reasons[0])) == (VoteOutcome.REFUSED, CHANGED)
    assert (await env.cast_vote("qian", verdict)).outcome is VoteOutcome.DECIDED
    await env.run_until_idle()
    assert [one.by for one in env.erp.written] == ["erp-qian"]
    assert await env.audit_actions() == [
        "opened",
        "refused",
        "vote",
        "decided",
        "writing",
        "outcome",
        (await env.state()).value,
    ]


@pytest.mark.parametrize("account", ["erp-wang", "ERP-Wang"])
async def test_who_approved_the_level_before_is_told_so(env: ApprovalEnv, account: str) -> None:
    waiting = Approval(pending_for=("erp-qian", "erp-gone"), level=2, levels=2, decided_by=account)
    env.erp.orders["PO-1"] = with_review(order(account), approval=waiting, people={"erp-qian": "老钱"})
    case = await env.service.sync_document(po_key("main", "PO-1"))
    assert case is not None
    refused = await env.cast_vote("wang")
    said = "You have approved it already, at an earlier level in the ERP; now it waits for 老钱, erp-gone."
    assert (refused.outcome, str(refused.reasons[0])) == (VoteOutcome.REFUSED, said)
    passed = await env.service.forward(case, "wang", "qian")
    assert str(passed.reasons[0]) == "They have approved it already, at an earlier level in the ERP."
    (level,) = case.plan.levels
    assert str(level.excluded["wang"]) == "They have approved it already, at an earlier level in the ERP."


async def test_who_changed_it_after_another_approved_the_level_before_is_told_that(env: ApprovalEnv) -> None:
    waiting = Approval(level=2, levels=2, decided_by="erp-qian")
    env.erp.orders["PO-1"] = with_review(order("erp-wang"), approval=waiting)
    await env.service.sync_document(po_key("main", "PO-1"))
    assert str((await env.cast_vote("wang")).reasons[0]) == CHANGED


async def test_who_saves_it_while_it_waits_is_refused_in_the_same_case(env: ApprovalEnv) -> None:
    case = await env.submit(order("erp-wu"))
    assert await env.service.pending("wang")
    env.erp.edit("PO-1", changed_by="erp-wang")
    again = await env.service.sync_document(po_key("main", "PO-1"))
    assert again is not None
    assert (again.id, again.state) == (case.id, CaseState.OPEN)
    refused = await env.cast_vote("wang")
    assert (refused.outcome, str(refused.reasons[0])) == (VoteOutcome.REFUSED, CHANGED)
    assert (await env.cast_vote("qian")).outcome is VoteOutcome.DECIDED
    assert (await env.newest()).id == case.id


async def test_who_changed_what_is_asked_about_does_not_come_in_by_somebody_elses_saving() -> None:
    stands_in = Substitute(person="qian", by="wang", begins=NOW - DAY, ends=NOW + DAY)
    names_wang = rules(any_of("person:wang person:qian"), substitutes=(stands_in,))
    env = ApprovalEnv(rules=names_wang)
    case = await env.submit(order("erp-wang"))
    env.erp.edit("PO-1", changed_by="erp-wu")
    refused = await env.cast_vote("wang")
    assert (refused.outcome, str(refused.reasons[0])) == (VoteOutcome.REFUSED, CHANGED)
    passed = await env.service.forward(case, "wang", "qian")
    assert (passed.outcome, str(passed.reasons[0])) == (VoteOutcome.REFUSED, "They changed it.")


async def test_nobody_passes_their_turn_on_to_who_changed_it_just_now(env: ApprovalEnv) -> None:
    case = await env.submit(order("erp-wu"))
    env.erp.edit("PO-1", changed_by="erp-zhao")
    passed = await env.service.forward(case, "zhao", "wang")
    assert (passed.outcome, str(passed.reasons[0])) == (VoteOutcome.REFUSED, "They changed it.")


async def test_two_people_with_one_account_are_both_held_to_what_it_changed() -> None:
    env = ApprovalEnv()
    env.accounts["qian"] = {"main": "erp-wang"}
    env.start()
    await env.submit(order("erp-wang"))
    for one in ("wang", "qian"):
        refused = await env.cast_vote(one)
        assert (refused.outcome, str(refused.reasons[0])) == (VoteOutcome.REFUSED, CHANGED), one
    assert (await env.cast_vote("li")).outcome is VoteOutcome.DECIDED


async def test_what_the_bot_wrote_under_its_own_account_is_nobodys_change() -> None:
    env = ApprovalEnv(terms=ApprovalOptions(technical_account=True, own_account="bot"))
    del env.accounts["qian"]
    env.start()
    await env.submit(order("bot"))
    assert (await env.cast_vote("qian")).outcome is VoteOutcome.DECIDED


async def test_who_gave_the_erps_first_approval_is_not_the_second(env: ApprovalEnv) -> None:
    """By deciding they became the last who changed the order, which waits for one more."""
    env.erp.levels["PO-1"] = ((), ())
    first = await env.submit(order("erp-wu"))
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.DECIDED
    await env.run_until_idle()
    second = await env.newest()
    assert second.id != first.id
    refused = await env.cast_vote("wang", REJECT)
    assert (refused.outcome, refused.reasons) == (VoteOutcome.REFUSED, (PASSED.own,))
    assert (await env.cast_vote("qian")).outcome is VoteOutcome.DECIDED
    await env.run_until_idle()
    assert [one.by for one in env.erp.written] == ["erp-wang", "erp-qian"]


async def test_another_change_by_somebody_else_is_another_case(env: ApprovalEnv) -> None:
    case = await env.submit(order("erp-wang"))
    env.erp.edit("PO-1", vendor="OTHER", changed_by="erp-wu")
    fresh = await env.service.sync_document(po_key("main", "PO-1"))
    assert fresh is not None
    assert fresh.id != case.id
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.DECIDED
