"""/clarify: the question to the requester, its answer, and what the others see of both."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.approvals.cards.presenter import InquiryComposer
from bot.approvals.cards.views import ApprovalInquiry, ApprovalReasons, ApprovalReply, ApprovalView, ApprovalWhy
from bot.approvals.case import Case, InquiryEnd
from bot.cards.actions import ApproveCase, ClarifyCase
from tests.approvals.company import po_key
from tests.chat.audience_parts import reader_by_kind
from tests.commands.approval_fakes import ApprovalFixture, any_of, rules
from tests.commands.conftest import KEEPER, Ask, as_, lines
from tests.commands.test_approval_clicks import ApprovalClickHarness, harness  # noqa: F401 - a fixture
from tests.commands.test_approvals import BUYER, DIRECT, MANAGER

SALES = replace(KEEPER, user_id="sales01", name="沈销")


@pytest.fixture
async def case(approvals: ApprovalFixture) -> Case:
    """The case of an order that Shen of the sales department requested; the manager and the buyer both decide it."""
    approvals.erp.change("PO-1001", requester="u_sales01")
    approvals.rules = rules(any_of("manager01", "buyer01"))
    return await approvals.submit()


async def test_asking_and_answering_in_words(ask: Ask, approvals: ApprovalFixture, case: Case) -> None:
    asked = as_(ApprovalReply, await ask("/追问 PO-1001 为什么这么贵", person=MANAGER, where=DIRECT))
    assert (str(asked.note), lines(asked)) == ("The requester is asked.", [f"/pending {case.id}"])
    shown = as_(ApprovalView, await ask("/pending PO-1001", person=BUYER, where=DIRECT))
    assert [(one.name, one.text, one.ended) for one in shown.asked] == [("陈经理", "为什么这么贵", None)]
    answered = as_(ApprovalReply, await ask("/答复 PO-1001 铜价涨了", person=SALES, where=DIRECT))
    assert str(answered.note) == "Answered: all who decide see it."
    looked: tuple[tuple[str, type[ApprovalView | ApprovalWhy]], ...] = (
        ("/pending PO-1001", ApprovalView),
        ("/why PO-1001", ApprovalWhy),
    )
    for line, kind in looked:
        view = as_(kind, await ask(line, person=BUYER, where=DIRECT))
        assert [(one.answer, one.ended) for one in view.asked] == [("铜价涨了", InquiryEnd.ANSWERED)], line


async def test_the_words_may_be_the_next_message(ask: Ask, approvals: ApprovalFixture, case: Case) -> None:
    asking = as_(ApprovalInquiry, await ask("/clarify PO-1001", person=MANAGER, where=DIRECT))
    assert (asking.inquiry, asking.asked) == (0, None)
    assert (await approvals.case()).inquiries == ()
    await ask("为什么这么贵", person=MANAGER, where=DIRECT)
    answering = as_(ApprovalInquiry, await ask("/clarify PO-1001", person=SALES, where=DIRECT))
    assert answering.asked is not None
    assert (answering.inquiry, answering.asked.text) == (1, "为什么这么贵")
    await ask("铜价涨了", person=SALES, where=DIRECT)
    assert [(one.text, one.answer) for one in (await approvals.case()).inquiries] == [("为什么这么贵", "铜价涨了")]


async def test_a_decision_is_asked_for_again_and_the_buttons_insist(
    ask: Ask, approvals: ApprovalFixture, case: Case
) -> None:
    await ask("/clarify PO-1001 为什么这么贵", person=MANAGER, where=DIRECT)
    seen = case.fingerprint[:8]
    for line in ("/approve PO-1001", "/reject PO-1001 too dear", "/approve PO-1001 ~2", "/approve PO-1001 confirm"):
        view = as_(ApprovalView, await ask(line, person=MANAGER, where=DIRECT))
        assert str(view.note) == "Not recorded: the requester has not answered a question yet."
        assert lines(view)[:2] == [f"/approve PO-1001 #{seen} ~1 confirm", f"/reject PO-1001 #{seen} ~1"], line
    asking = as_(ApprovalReasons, await ask(f"/reject PO-1001 #{seen} ~1", person=MANAGER, where=DIRECT))
    assert lines(asking)[0] == f"/reject PO-1001 #{seen} ~1 price"
    assert (await approvals.case()).votes == ()
    as_(ApprovalReply, await ask(lines(view)[0], person=MANAGER, where=DIRECT))
    assert [vote.user_id for vote in (await approvals.case()).votes] == ["manager01"]


async def test_the_asker_takes_the_question_back_by_a_button(ask: Ask, approvals: ApprovalFixture, case: Case) -> None:
    await ask("/clarify PO-1001 为什么这么贵", person=MANAGER, where=DIRECT)
    withdraw = "/clarify PO-1001 ~1 withdraw"
    for person, offered in ((MANAGER, True), (BUYER, False)):
        shown = as_(ApprovalView, await ask("/pending PO-1001", person=person, where=DIRECT))
        assert (withdraw in lines(shown)) is offered
        assert "/clarify PO-1001" not in lines(shown)
    await ask(withdraw, person=MANAGER, where=DIRECT)
    shown = as_(ApprovalView, await ask("/pending PO-1001", person=MANAGER, where=DIRECT))
    assert "/clarify PO-1001" in lines(shown)
    assert shown.asked[0].ended is InquiryEnd.WITHDRAWN


async def test_figures_in_the_words_are_not_told_in_a_group(ask: Ask, approvals: ApprovalFixture, case: Case) -> None:
    await ask("/clarify PO-1001 98000 太贵", person=MANAGER, where=DIRECT)
    group = as_(ApprovalView, await ask("/pending PO-1001", person=BUYER))
    assert [one.text for one in group.asked] == [""]


async def test_who_has_nothing_to_do_with_it(ask: Ask, approvals: ApprovalFixture, case: Case) -> None:
    refused = as_(ApprovalView, await ask("/clarify PO-1001 为什么", where=DIRECT))
    assert str(refused.note) == "You are not an approver of this document."
    assert (await approvals.case()).inquiries == ()


async def test_the_requesters_card_offers_the_answer_until_the_question_ends(
    ask: Ask, approvals: ApprovalFixture, case: Case
) -> None:
    composer = InquiryComposer(approvals.service.find, approvals.presenter, reader_by_kind)
    await ask("/clarify PO-1001 为什么这么贵", person=MANAGER, where=DIRECT)
    for answered in (False, True):
        if answered:
            await ask("/clarify PO-1001 ~1 铜价涨了", person=SALES, where=DIRECT)
        view = (await composer.compose(f"{case.id}|person:sales01")).view
        assert view is not None
        assert ("/clarify PO-1001 ~1" in lines(view)) is not answered
    assert (await composer.compose("nothing-1|person:sales01")).view is None


async def test_the_words_of_a_form_go_with_the_button(harness: ApprovalClickHarness) -> None:  # noqa: F811
    harness.approvals.erp.change("PO-1001", requester="u_sales01")
    case = await harness.approvals.service.sync_document(po_key("main", "PO-1001")) or harness.case
    await harness.click(ClarifyCase(case.id), track=harness.own, values={"reason": "为什么这么贵"})
    assert [one.text for one in (await harness.approvals.case()).inquiries] == ["为什么这么贵"]
    await harness.reply(ApproveCase(case.id, case.fingerprint[:8], confirmed=True), track=harness.own)
    assert (await harness.approvals.case()).votes == ()
    await harness.reply(ApproveCase(case.id, case.fingerprint[:8], confirmed=True, despite=1), track=harness.own)
    assert len((await harness.approvals.case()).votes) == 1
