"""Whoever says something about a case is answered with the case as it is now, and with the reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.approvals import lifecycle, voting, writeback
from bot.approvals.case import ApprovalCardKind, Case, CaseCard, CaseState, DocumentSummary
from bot.approvals.case import CaseDecision as Decided
from bot.approvals.deciders import awaited_voters
from bot.approvals.lifecycle import card_key, open_case
from bot.approvals.plan import Forward, Vote
from bot.approvals.unit_of_work import ApprovalOptions
from bot.approvals.voting import VoteOutcome, VoteRequest, VoteResult, forward
from bot.erp.errors import NotPermitted
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import DecisionOutcome, DecisionResult, Money, PurchaseOrder, ReviewState
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind
from tests.approvals.company import document, document_of, waiting_order
from tests.approvals.env import APPROVE, GROUP, HOUR, REJECT, ApprovalEnv, rules
from tests.approvals.memory_repository import MemoryCaseStore
from tests.approvals.policy.test_evaluation import stands_in
from tests.approvals.policy.test_planner import all_of, any_of
from tests.approvals.test_deadlines import do, set_case
from tests.bare_records import with_review
from tests.rows import each_row

DOCUMENT = document(requester="wu")


def word(case: Case, user: str = "wang", **fields: object) -> VoteRequest:
    values: dict[str, object] = {"verdict": APPROVE, "seen": case.fingerprint} | fields
    return VoteRequest(case=case, user_id=user, name=user.title(), **values)  # type: ignore[arg-type]  # fields of a word


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (CaseState.SUPERSEDED, VoteOutcome.CHANGED),
        (CaseState.WRITING, VoteOutcome.LATE),
        (CaseState.APPROVED, VoteOutcome.LATE),
    ],
)
async def test_who_comes_between_the_look_and_the_lock_is_too_late(
    env: ApprovalEnv, state: CaseState, said: VoteOutcome
) -> None:
    await env.submit()
    case = await set_case(env, state=state)
    assert await do(env, lambda unit: voting.vote(unit, word(case), DOCUMENT)) == VoteResult(outcome=said, case=case)
    passed = await do(env, lambda unit: forward(unit, case.id, "zhao", "wang", DOCUMENT))
    assert passed == VoteResult(outcome=said, case=case)
    assert await env.audit_actions() == ["opened"]


async def test_a_case_that_nobody_knows(env: ApprovalEnv) -> None:
    case = replace(await env.submit(), id="nothing-1")
    nothing = VoteResult(outcome=VoteOutcome.NO_CASE, case=None)
    assert await do(env, lambda unit: voting.vote(unit, word(case), DOCUMENT)) == nothing
    assert await do(env, lambda unit: forward(unit, case.id, "zhao", "wang", DOCUMENT)) == nothing
    assert await do(env, lambda unit: voting.take_back(unit, case.id, "wang")) == nothing


async def test_what_is_asked_for_comes_with_the_case_as_it_was() -> None:
    env = ApprovalEnv(rules=rules(confirm_from=Money(Decimal(3000), "CNY")))
    case = await env.submit()
    assert await env.cast_vote("wang", REJECT, reason=" ") == VoteResult(outcome=VoteOutcome.NEED_REASON, case=case)
    assert await env.cast_vote("wang") == VoteResult(outcome=VoteOutcome.CONFIRM, case=case)


async def test_a_refusal_names_whom_to_ask(env: ApprovalEnv) -> None:
    case = await env.submit()
    for refused in (await env.cast_vote("zheng"), await env.service.forward(case, "zhao", "zheng")):
        assert (refused.outcome, refused.case, refused.ask) == (VoteOutcome.REFUSED, case, ("li", "qian", "wang"))
    unfit = await env.service.forward(case, "wu", "wang")
    assert (unfit.outcome, unfit.case) == (VoteOutcome.REFUSED, case)


async def test_a_word_that_counts_comes_with_its_reasons_and_the_new_case() -> None:
    env = ApprovalEnv(rules=rules(any_of("role:purchasing"), any_of("role:finance")))
    await env.submit()
    first = await env.cast_vote("wang")
    assert (first.outcome, first.case) == (VoteOutcome.RECORDED, await env.newest())
    assert first.reasons
    last = await env.cast_vote("qian", reason=" 好 ")
    assert (last.outcome, last.case) == (VoteOutcome.DECIDED, await env.newest())
    assert last.reasons
    decided = await env.newest()
    assert decided.votes[1] == Vote(
        user_id="qian", name="Qian", level=2, verdict=APPROVE, at=env.clock.time, reason="好"
    )
    assert decided.decision == Decided(
        verdict=APPROVE, by="qian", name="Qian", account="erp-qian", reason="好", at=env.clock.time
    )


async def test_taking_back_is_answered_with_the_case() -> None:
    env = ApprovalEnv(terms=ApprovalOptions(undo=timedelta(seconds=30)))
    case = await env.submit()
    assert await env.service.take_back(case, "wang") == VoteResult(outcome=VoteOutcome.NOTHING, case=case)
    decided = (await env.cast_vote("wang")).case
    refused = await env.service.take_back(case, "qian")
    assert (refused.outcome, refused.case) == (VoteOutcome.REFUSED, decided)
    assert (await env.service.take_back(case, "wang")).case == await env.newest()


async def test_once_the_erp_is_being_told_nothing_is_taken_back() -> None:
    env = ApprovalEnv(terms=ApprovalOptions(undo=timedelta(seconds=30)))
    case = await env.wang_approves()
    began = await set_case(env, attempted_at=env.clock.time)
    assert await env.service.take_back(case, "wang") == VoteResult(outcome=VoteOutcome.LATE, case=began)
    doubtful = await set_case(env, attempted_at=None, state=CaseState.UNKNOWN)
    assert await env.service.take_back(case, "wang") == VoteResult(outcome=VoteOutcome.LATE, case=doubtful)


async def test_a_click_at_something_else_leaves_the_case(env: ApprovalEnv) -> None:
    case = await env.submit()
    vote_result = await do(env, lambda unit: voting.vote(unit, word(case, seen="old"), DOCUMENT))
    assert vote_result == VoteResult(outcome=VoteOutcome.CHANGED, case=case)


async def test_passing_on_a_document_that_changed_ends_its_case_and_follows_it(env: ApprovalEnv) -> None:
    case = await env.submit()
    other = document(requester="wu", supplier="OTHER")
    vote_result = await do(env, lambda unit: forward(unit, case.id, "zhao", "wang", other))
    assert (vote_result.outcome, vote_result.case) == (VoteOutcome.CHANGED, await env.newest())
    assert (vote_result.case.state, vote_result.case.due_at) == (CaseState.SUPERSEDED, env.clock.time)


async def test_passing_on_a_document_that_no_longer_waits_ends_its_case(env: ApprovalEnv) -> None:
    case = await env.submit()
    gone = document_of(with_review(DOCUMENT.read, state=ReviewState.CANCELLED))
    vote_result = await do(env, lambda unit: forward(unit, case.id, "zhao", "wang", gone))
    assert (vote_result.outcome, vote_result.case) == (VoteOutcome.ELSEWHERE, await env.newest())
    assert vote_result.case.state is CaseState.WITHDRAWN


async def test_turns_that_were_passed_on_are_kept_and_one_is_passed_to_a_person_once() -> None:
    env = ApprovalEnv(rules=rules(any_of("person:wang person:qian")))
    case = await env.submit()
    began = env.clock.time
    await env.service.forward(case, "zhao", "wang")
    env.clock.move(minutes=1)
    await env.service.forward(case, "sun", "qian")
    vote_result = await env.service.forward(case, "zhao", "wang")
    assert vote_result.case == await env.newest()
    assert (await env.newest()).forwards == (
        Forward(person="qian", to="sun", at=env.clock.time),
        Forward(person="wang", to="zhao", at=env.clock.time),
    )
    assert env.clock.time > began


async def test_a_turn_is_not_passed_to_whom_the_erp_refused_nor_to_who_changed_or_requested_it(
    env: ApprovalEnv,
) -> None:
    case = await env.submit()
    await set_case(env, refused=("zhao",))
    assert str((await env.service.forward(case, "zhao", "wang")).reasons[0]) == (
        "The ERP does not allow it for their account there."
    )
    edited = replace(DOCUMENT, editors=frozenset({"sun"}))
    unfit = await do(env, lambda unit: forward(unit, case.id, "sun", "wang", edited))
    assert str(unfit.reasons[0]) == "They changed it."
    nameless = replace(
        document_of(with_review(waiting_order(), requester="ERP-Zhou")),
        requester="",
    )
    await set_case(env, fingerprint=nameless.fingerprint)
    unfit = await do(env, lambda unit: forward(unit, case.id, "zhou", "wang", nameless))
    assert str(unfit.reasons[0]) == "They requested it."


@each_row(
    ("fields", "people"),
    [
        ({}, ("wang", "qian", "zhao")),
        ({"forwards": (Forward(person="wang", to="sun", at=HOUR),)}, ("wang", "qian", "zhao", "sun")),
        ({"forwards": (Forward(person="wang", to="zhao", at=HOUR),)}, ("wang", "qian", "zhao")),
        ({"forwards": (Forward(person="li", to="sun", at=HOUR),)}, ("wang", "qian", "zhao")),
        ({"refused": ("wang",)}, ("qian", "zhao")),
        ({"summary": DocumentSummary(requester="zhao")}, ("wang", "qian")),
        ({"summary": DocumentSummary(editors=frozenset({"qian"}))}, ("wang", "zhao")),
        ({"votes": (Vote(user_id="wang", name="W", level=1, verdict=APPROVE, at=HOUR),)}, ("qian",)),  # type: ignore[arg-type]
        ({"votes": (Vote(user_id="wang", name="W", level=1, verdict=REJECT, at=HOUR),)}, ()),  # type: ignore[arg-type]
    ],
)
async def test_who_is_waited_for(fields: dict[str, object], people: tuple[str, ...]) -> None:
    env = ApprovalEnv(rules=rules(all_of("person:wang person:qian"), substitutes=(stands_in("zhao", "wang"),)))
    case = replace(await env.submit(), **fields)  # type: ignore[arg-type]  # fields of a case
    assert await do(env, lambda unit: awaited_voters(unit, case)) == people


async def test_a_case_remembers_the_document_and_the_rules_it_was_opened_by() -> None:
    env = ApprovalEnv(rules=rules(remind_after=(HOUR,)))
    env.erp.levels["PO-1"] = (("erp-wang",),)
    case = await env.submit()
    order = DOCUMENT.read
    assert isinstance(order, PurchaseOrder)
    assert case == Case(
        id=case.id,
        source="main",
        kind=PURCHASE_ORDERS,
        number="PO-1",
        fingerprint=DOCUMENT.fingerprint,
        version="v1",
        level=1,
        waits_for=("erp-wang",),
        summary=DocumentSummary(
            partner="ACME",
            total=order.total,
            day=order.ordered_on,
            due_on=order.due_on,
            requester="wu",
            requested_by="erp-wu",
        ),
        state=CaseState.OPEN,
        plan=case.plan,
        policy="1",
        opened_at=env.clock.time,
        due_at=env.clock.time + HOUR,
    )
    assert case.plan.rule == "rule"


async def test_by_itself_opening_shows_cards_and_asks_nobody_anew(env: ApprovalEnv) -> None:
    case = await do(env, lambda unit: open_case(unit, DOCUMENT, (GROUP,)))
    assert len(await env.store.transact(lambda cases: list(cases.cards_of(case.id)))) == 4
    await do(env, lambda unit: lifecycle.close_case(unit, case, CaseState.EXPIRED, "x"))
    ended = await env.newest()
    assert (ended.due_at, ended.revision) == (None, 2)
    assert await do(env, lambda unit: open_case(unit, DOCUMENT, (GROUP,))) is None


async def test_what_each_card_owes(env: ApprovalEnv) -> None:
    case = await env.submit()
    assert isinstance(env.store, MemoryCaseStore)
    wang = Place(PlaceKind.PERSON, "wang")
    first = {one.card: one for one in env.store.repository.deliveries}
    for place in (GROUP, wang):
        assert first[f"approval:{case.id}:{place}"] == Delivery(
            card=f"approval:{case.id}:{place}",
            place=place,
            kind="approval",
            ref=f"{case.id}|{place}",
            revision=1,
            urgency=Urgency.NOW,
            due_at=env.clock.time,
            fact="main/PO-1",
        )
    assert card_key(case.id, wang, copy=2) == f"approval:{case.id}:person:wang:2"
    await env.cast_vote("wang")
    await env.run_until_idle()
    stand = await env.store.transact(lambda cases: list(cases.cards_of(case.id)))
    assert CaseCard(case=case.id, place=GROUP) in stand
    assert CaseCard(case=case.id, place=wang, for_user="wang") in stand
    told = CaseCard(case=case.id, place=Place(PlaceKind.PERSON, "wu"), for_user="wu", kind=ApprovalCardKind.TOLD)
    assert told in stand


async def test_an_answer_without_a_number_is_that_of_the_attempt_under_way(env: ApprovalEnv) -> None:
    case = await env.wang_approves()
    applied = DecisionResult(outcome=DecisionOutcome.APPLIED, document=None, text="ok")
    assert await do(env, lambda unit: writeback.record_result(unit, case.id, applied)) is None
    await set_case(env, attempts=2, attempted_at=env.clock.time)
    ended = await do(env, lambda unit: writeback.record_result(unit, case.id, applied))
    assert (ended.state, ended.outcome, ended.erp_text) == (CaseState.APPROVED, DecisionOutcome.APPLIED, "ok")
    assert await do(env, lambda unit: writeback.record_result(unit, case.id, applied)) is None
    assert await do(env, lambda unit: writeback.record_result(unit, "nothing-1", applied)) is None


@pytest.mark.parametrize(
    ("own_account", "technical", "state"), [("bot", True, CaseState.FAILED), ("other", True, CaseState.OPEN)]
)
async def test_only_where_the_bots_own_account_is_refused_nobody_else_can_help(
    own_account: str, technical: bool, state: CaseState
) -> None:
    env = ApprovalEnv(terms=ApprovalOptions(technical_account=technical, own_account="bot"))
    del env.accounts["wang"]
    env.start()
    case = await env.wang_approves()
    decided = await env.newest()
    assert decided.decision is not None
    decision = replace(decided.decision, account="bot" if own_account == "bot" else "erp-x")
    await set_case(env, attempts=1, attempted_at=env.clock.time, decision=decision)
    refusal = NotPermitted("no")
    ended = await do(env, lambda unit: writeback.record_failure(unit, case.id, refusal))
    assert (ended.state, ended.erp_text) == (state, str(refusal.tell()))


@each_row(("technical", "reason", "told"), [(True, "", "Wang"), (True, "急", "Wang: 急"), (False, "急", "急")])
async def test_only_under_the_bots_own_account_the_reason_names_the_decider(
    technical: bool, reason: str, told: str
) -> None:
    env = ApprovalEnv(terms=ApprovalOptions(technical_account=technical, own_account="erp-wang"))
    await env.submit()
    await env.cast_vote("wang", reason=reason)
    await env.run_until_idle()
    assert [one.reason for one in env.erp.written] == [told]


async def test_without_a_technical_account_nobody_decides_under_the_bots() -> None:
    env = ApprovalEnv(terms=ApprovalOptions(own_account="bot"))
    del env.accounts["wang"]
    env.start()
    await env.submit()
    assert (await env.cast_vote("wang")).outcome is VoteOutcome.REFUSED


async def test_the_day_of_a_limit_lasts_from_midnight_to_midnight(env: ApprovalEnv) -> None:
    asked: list[tuple[object, ...]] = []
    env.clock.time = env.clock.time.replace(hour=13, minute=14, second=15, microsecond=16)

    def ask(unit: object) -> None:
        unit.cases.approved_on = lambda *args: asked.append(args)  # type: ignore[attr-defined]
        unit.approved_today("wang", "CNY")  # type: ignore[attr-defined]

    await do(env, ask)
    midnight = env.clock.time.replace(hour=0, minute=0, second=0, microsecond=0)
    assert asked == [("wang", "CNY", midnight, midnight + timedelta(days=1))]
