"""Somebody whose turn it is asks the requester; no vote counts meanwhile, unless the voter insists."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.approvals.asking_back import CaseMessage
from bot.approvals.case import Case, CaseState, Inquiry, InquiryEnd
from bot.approvals.lifecycle import FOLLOWS_WITHIN
from bot.approvals.plan import ExpiryAction
from bot.approvals.unit_of_work import ApprovalOptions
from bot.approvals.voting import VoteOutcome, VoteResult
from bot.erp.model import ReviewState
from bot.store.approvals.repository import StoredCaseTransactions
from bot.store.database import Database
from tests.approvals.company import waiting_order
from tests.approvals.env import APPROVE, HOUR, MINUTE, REJECT, ApprovalEnv, cards, rules
from tests.approvals.memory_repository import MemoryCaseStore
from tests.approvals.policy.test_planner import all_of, any_of
from tests.approvals.test_deadlines import due_in

WHY, BECAUSE = "为什么这么贵", "铜价涨了"
PLACES = [f"approval:{place}" for place in ("group:cidBuyers==", "person:li", "person:qian", "person:wang")]


def due_cards(env: ApprovalEnv, case: Case) -> dict[timedelta, list[str]]:
    """Return the cards that the newest revision of a case is owed to, by how long from now they wait."""
    assert isinstance(env.store, MemoryCaseStore)
    owed = env.store.repository.deliveries
    newest = {one.card: one.due_at for one in owed if one.revision == max(each.revision for each in owed)}
    due: dict[timedelta, list[str]] = {}
    for card, at in sorted(newest.items()):
        due.setdefault(at - env.clock.time, []).append(card.replace(f":{case.id}:", ":"))
    return due


async def ask(env: ApprovalEnv, case: Case, by: str = "wang", text: str = WHY) -> VoteResult:
    said = CaseMessage(case=case.id, user_id=by, name=by.title(), text=text)
    return await env.service.ask_back(case, said)


async def answer(
    env: ApprovalEnv, case: Case, by: str = "wu", text: str = BECAUSE, inquiry: int = 1, *, prompted: bool = True
) -> VoteResult:
    said = CaseMessage(case=case.id, user_id=by, name=by.title(), text=text, inquiry=inquiry, prompted=prompted)
    return await env.service.answer_inquiry(said)


async def test_a_question_goes_to_the_requester_and_the_answer_to_all_copies(env: ApprovalEnv) -> None:
    case = await env.submit()
    asked = await ask(env, case)
    assert (asked.outcome, asked.case) == (VoteOutcome.RECORDED, await env.newest())
    owed = cards(env, case.id)
    assert owed["approval_asked:person:wu:1"] == 2
    assert set(owed.values()) == {2}
    env.clock.move(minutes=5)
    answered = await answer(env, case)
    assert (answered.outcome, answered.case) == (VoteOutcome.RECORDED, await env.newest())
    now = env.clock.time
    assert (await env.newest()).inquiries == (
        Inquiry(
            by="wang",
            name="Wang",
            text=WHY,
            at=now - 5 * MINUTE,
            until=now - 5 * MINUTE + timedelta(days=1),
            ended=InquiryEnd.ANSWERED,
            ended_at=now,
            answer=BECAUSE,
        ),
    )
    owed = cards(env, case.id)
    assert owed.pop("approval_asked:person:wu:1") == 2, "they know what they answered"
    assert set(owed.values()) == {3}
    ((_, rows),) = await env.service.history("PO-1")
    told = [(row.what, row.user_id, row.detail) for row in rows[1:]]
    assert told == [("asked_back", "wang", WHY), ("answered", "wu", BECAUSE)]
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.DECIDED


async def test_the_requester_is_asked_at_once_and_the_other_cards_wait_for_the_answer(env: ApprovalEnv) -> None:
    case = await env.submit()
    await ask(env, case)
    wu = ["approval_asked:person:wu:1"]
    assert due_cards(env, case) == {timedelta(0): wu, FOLLOWS_WITHIN: PLACES}
    env.clock.move(minutes=5)
    await answer(env, case)
    assert due_cards(env, case) == {timedelta(0): PLACES}


async def test_the_card_of_a_question_that_was_answered_by_a_typed_line_offers_no_answer(env: ApprovalEnv) -> None:
    case = await env.submit()
    await ask(env, case)
    await answer(env, case, prompted=False)
    assert cards(env, case.id)["approval_asked:person:wu:1"] == 3


async def test_the_card_of_an_answered_question_is_not_sent_again(env: ApprovalEnv) -> None:
    case = await env.submit()
    for at in (1, 2):
        await ask(env, case, text=f"{WHY}{at}")
        await answer(env, case, inquiry=at)
    await env.cast_vote("wang")
    await env.run_until_idle()
    owed = cards(env, case.id)
    assert [owed.pop(f"approval_asked:person:wu:{at}") for at in (1, 2)] == [2, 4]
    assert set(owed.values()) == {(await env.newest()).revision}


@pytest.mark.parametrize("verdict", [APPROVE, REJECT])
async def test_no_vote_counts_while_a_question_is_open_unless_the_voter_insists(verdict: object) -> None:
    env = ApprovalEnv(rules=rules(all_of("person:wang person:qian")))
    case = await env.submit()
    await ask(env, case)
    for despite in (0, 2):
        result = await env.cast_vote("qian", verdict, despite=despite, confirmed=True)  # type: ignore[arg-type]
        assert result.outcome is VoteOutcome.INSIST
    assert (await env.newest()).votes == ()
    assert (await env.cast_vote("qian", verdict, despite=1)).outcome in (VoteOutcome.RECORDED, VoteOutcome.DECIDED)  # type: ignore[arg-type]
    assert (await env.audit_actions())[1:4] == ["asked_back", "insisted", "vote"]


async def test_insisting_on_one_question_is_not_insisting_on_the_next() -> None:
    env = ApprovalEnv(rules=rules(all_of("person:wang person:qian")))
    case = await env.submit()
    await ask(env, case)
    await answer(env, case)
    await ask(env, case, by="qian", text="何时到货")
    assert (await env.cast_vote("wang", despite=1)).outcome is VoteOutcome.INSIST
    assert (await env.cast_vote("wang", despite=2)).outcome is VoteOutcome.RECORDED
    assert (await env.newest()).inquiry is not None, "the others still wait for the answer"


async def test_who_may_not_vote_hears_why_and_not_that_a_question_is_open(env: ApprovalEnv) -> None:
    await ask(env, await env.submit())
    assert (await env.cast_vote("zheng")).outcome is VoteOutcome.REFUSED


@pytest.mark.parametrize(
    ("by", "text", "said", "reason"),
    [
        ("zheng", WHY, VoteOutcome.REFUSED, "You are not an approver of this document."),
        ("wu", WHY, VoteOutcome.REFUSED, "Nobody decides what they requested themselves."),
        ("wang", "", VoteOutcome.NEED_REASON, ""),
        ("zheng", "", VoteOutcome.REFUSED, "You are not an approver of this document."),
    ],
)
async def test_who_may_ask(env: ApprovalEnv, by: str, text: str, said: VoteOutcome, reason: str) -> None:
    case = await env.submit()
    result = await ask(env, case, by, text)
    assert (result.outcome, [str(one) for one in result.reasons]) == (said, [reason] if reason else [])
    assert (await env.newest()).inquiries == ()


@pytest.mark.parametrize(
    ("requester", "reason"),
    [
        ("stranger", "“erp-stranger” requested it, who is nobody known here"),
        ("", "The ERP does not tell who requested it"),
    ],
)
async def test_a_question_to_nobody_is_refused(env: ApprovalEnv, requester: str, reason: str) -> None:
    case = await env.submit(waiting_order(requester=requester))
    result = await ask(env, case)
    assert result.outcome is VoteOutcome.REFUSED
    assert str(result.reasons[0]).startswith(reason)


async def test_one_question_at_a_time_and_the_same_one_once() -> None:
    env = ApprovalEnv(rules=rules(all_of("person:wang person:qian")))
    case = await env.submit()
    first = await ask(env, case)
    assert await ask(env, case) == VoteResult(outcome=VoteOutcome.RECORDED, case=first.case)
    for by, text in (("wang", "另一个问题"), ("qian", WHY)):
        other = await ask(env, case, by, text)
        assert str(other.reasons[0]) == "Wang has asked already: one question at a time."
    assert await env.newest() == first.case


async def test_only_the_requester_answers_and_only_what_is_open(env: ApprovalEnv) -> None:
    case = await env.submit()
    assert (await answer(env, case)).outcome is VoteOutcome.REFUSED
    asked = (await ask(env, case)).case
    assert str((await answer(env, case, by="wang")).reasons[0]) == "Only the requester can answer."
    for inquiry in (0, 2):
        assert (await answer(env, case, inquiry=inquiry)).outcome is VoteOutcome.REFUSED
    assert (await answer(env, case, text="")).outcome is VoteOutcome.NEED_REASON
    assert await env.newest() == asked
    answered = (await answer(env, case)).case
    assert await answer(env, case) == VoteResult(outcome=VoteOutcome.RECORDED, case=answered)
    assert str((await answer(env, case, text="还有")).reasons[0]) == "No question is open."
    unknown = replace(case, id="nothing-1")
    assert (await answer(env, unknown)).outcome is VoteOutcome.NO_CASE


async def test_only_the_asker_takes_a_question_back(env: ApprovalEnv) -> None:
    case = await env.submit()
    assert (await env.service.withdraw_inquiry(case, "wang")).outcome is VoteOutcome.REFUSED
    await ask(env, case)
    assert (await env.service.withdraw_inquiry(case, "qian")).outcome is VoteOutcome.REFUSED
    assert (await env.service.withdraw_inquiry(case, "wang")).outcome is VoteOutcome.RECORDED
    (inquiry,) = (await env.newest()).inquiries
    assert (inquiry.ended, inquiry.answer) == (InquiryEnd.WITHDRAWN, "")
    assert "approval:person:wang:1" not in cards(env, case.id)
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.DECIDED
    unknown = replace(case, id="nothing-1")
    assert (await env.service.withdraw_inquiry(unknown, "wang")).outcome is VoteOutcome.NO_CASE


async def test_reminders_and_the_deadline_wait_for_the_answer() -> None:
    env = ApprovalEnv(rules=rules(remind_after=(HOUR,), deadline=3 * HOUR, on_expiry=ExpiryAction.CLOSE))
    case = await env.submit()
    env.clock.move(minutes=30)
    await ask(env, case)
    assert await due_in(env) == timedelta(days=1)
    env.clock.move(hours=5)
    await env.work()
    assert await env.audit_actions() == ["opened", "asked_back"]
    await answer(env, case)
    assert await due_in(env) == 30 * MINUTE
    await env.run_until_idle(within=HOUR)
    assert (await env.audit_actions())[-1] == "reminded"
    assert await due_in(env) == 2 * HOUR
    await env.run_until_idle(within=3 * HOUR)
    assert await env.state() is CaseState.EXPIRED


async def test_a_question_that_nobody_answers_ends_and_its_asker_is_told() -> None:
    env = ApprovalEnv(rules=rules(deadline=HOUR), terms=ApprovalOptions(answer_within=2 * HOUR))
    case = await env.submit()
    await ask(env, case)
    await env.run_until_idle(within=2 * HOUR)
    (inquiry,) = (await env.newest()).inquiries
    assert (inquiry.ended, (await env.newest()).inquiry) == (InquiryEnd.LAPSED, None)
    assert "approval:person:wang:1" in cards(env, case.id)
    assert await due_in(env) == HOUR
    assert (await env.audit_actions())[1:] == ["asked_back", "question_lapsed"]
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.DECIDED


async def test_the_end_of_the_case_ends_the_question_and_taking_back_opens_both() -> None:
    env = ApprovalEnv(terms=ApprovalOptions(undo=timedelta(seconds=30)))
    case = await env.submit()
    await ask(env, case)
    await env.cast_vote("qian", despite=1)
    assert (await env.newest()).inquiry is None
    assert (await answer(env, case)).outcome is VoteOutcome.LATE
    await env.service.take_back(case, "qian")
    assert (await env.newest()).inquiry is not None
    assert await due_in(env) == timedelta(days=1)
    env.erp.edit("PO-1", state=ReviewState.CANCELLED)
    await env.service.sync_document(env.key)
    final = await env.newest()
    assert (final.state, final.inquiry) == (CaseState.WITHDRAWN, None)
    assert cards(env, case.id)["approval_asked:person:wu:1"] == final.revision, "its button is gone"


async def test_a_question_about_what_changed_is_not_asked(env: ApprovalEnv) -> None:
    case = await env.submit()
    env.erp.edit("PO-1", vendor="OTHER")
    assert (await ask(env, case)).outcome is VoteOutcome.CHANGED
    env.erp.edit("PO-1", state=ReviewState.CANCELLED)
    assert (await ask(env, await env.newest())).outcome is VoteOutcome.ELSEWHERE


async def test_many_clicks_ask_and_answer_once(two: tuple[Database, Database]) -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang person:qian")))
    processes = []
    for database in two:
        env.store = StoredCaseTransactions(database, env.clock)
        processes.append(env.start())
    case = await env.submit()
    words = [CaseMessage(case=case.id, user_id=by, name=by, text=WHY) for by in ("wang", "qian")] * 5
    said = await asyncio.gather(*(processes[at % 2].service.ask_back(case, word) for at, word in enumerate(words)))
    assert Counter(one.outcome for one in said) == {VoteOutcome.RECORDED: 5, VoteOutcome.REFUSED: 5}
    reply = CaseMessage(case=case.id, user_id="wu", name="wu", text=BECAUSE, inquiry=1)
    answered = await asyncio.gather(*(processes[at % 2].service.answer_inquiry(reply) for at in range(10)))
    assert {one.outcome for one in answered} == {VoteOutcome.RECORDED}
    assert Counter(await env.audit_actions()) == {"opened": 1, "asked_back": 1, "answered": 1}
    assert len((await env.newest()).inquiries) == 1
