"""Questions of those who decide to the requester: asked, answered or taken back, each stored once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.approvals.case import ApprovalCardKind, Inquiry, InquiryEnd
from bot.approvals.deciders import check_turn
from bot.approvals.document import ApprovalDocument
from bot.approvals.lifecycle import end_inquiry, remind, scheduled
from bot.approvals.unit_of_work import CaseUnitOfWork
from bot.approvals.voting import (
    VoteOutcome,
    VoteResult,
    check_takes_votes,
    current_case,
    refusal,
    refuse_person,
    refuse_vote,
)
from bot.words.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMessage:
    """What a person says about a case; ``inquiry`` is the number of the question that is answered, counted from 1.

    ``prompted``: the card of the question asked for the words, and no longer offers to answer.
    """

    case: str
    user_id: str
    name: str
    text: str
    inquiry: int = 0
    prompted: bool = False


def ask_back(unit: CaseUnitOfWork, said: CaseMessage, document: ApprovalDocument) -> VoteResult:
    """Put a question to the requester, in their own chat; only somebody whose turn it is can, and one at a time.

    The same question once more changes nothing.
    """
    case = current_case(unit, said.case, document, said.user_id)
    if isinstance(case, VoteResult):
        return case
    eligibility = check_turn(unit, case, said.user_id, document)
    if not eligibility.allowed:
        return refuse_person(unit, case, said.user_id, eligibility, "asking back: ")
    if (asked := case.inquiry) is not None:
        if (asked.by, asked.text) == (said.user_id, said.text):
            return VoteResult(outcome=VoteOutcome.RECORDED, case=case)
        return refuse_vote(
            case, refusal(phrase("%(name)s has asked already: one question at a time.", name=asked.name))
        )
    if not case.summary.requester:
        return refuse_vote(case, refusal(_nobody_to_ask(document)))
    if not said.text:
        return VoteResult(outcome=VoteOutcome.NEED_REASON, case=case)
    until = unit.now + unit.options.answer_within
    inquiry = Inquiry(by=said.user_id, name=said.name, text=said.text, at=unit.now, until=until)
    asking = scheduled(replace(case, inquiries=(*case.inquiries, inquiry), revision=case.revision + 1))
    unit.cases.put(asking)
    unit.audit(asking, "asked_back", user_id=said.user_id, detail=said.text)
    remind(unit, asking, (case.summary.requester,), ApprovalCardKind.ASKED)
    return VoteResult(outcome=VoteOutcome.RECORDED, case=asking)


def answer_inquiry(unit: CaseUnitOfWork, said: CaseMessage) -> VoteResult:
    """Answer an open question; only the requester can. The same answer once more changes nothing."""
    case = unit.cases.case(said.case)
    if case is None:
        return VoteResult(outcome=VoteOutcome.NO_CASE, case=None)
    if said.user_id != case.summary.requester:
        return refuse_person(unit, case, said.user_id, refusal(phrase("Only the requester can answer.")), "answering: ")
    if said.text and any(said.text == one.answer for one in case.inquiries[said.inquiry - 1 : said.inquiry]):
        return VoteResult(outcome=VoteOutcome.RECORDED, case=case)
    if (over := check_takes_votes(case)) is not None:
        return over
    if case.inquiry is None or said.inquiry != len(case.inquiries):
        return refuse_vote(case, refusal(_NOT_OPEN))
    if not said.text:
        return VoteResult(outcome=VoteOutcome.NEED_REASON, case=case)
    unit.audit(case, "answered", user_id=said.user_id, detail=said.text)
    ended = end_inquiry(unit, case, InquiryEnd.ANSWERED, said.text, prompted=said.prompted)
    return VoteResult(outcome=VoteOutcome.RECORDED, case=ended)


def withdraw_inquiry(unit: CaseUnitOfWork, case_id: str, user_id: str) -> VoteResult:
    """Take an open question back; only its asker can."""
    case = unit.cases.case(case_id)
    if case is None:
        return VoteResult(outcome=VoteOutcome.NO_CASE, case=None)
    if case.inquiry is None:
        return refuse_vote(case, refusal(_NOT_OPEN))
    if case.inquiry.by != user_id:
        only = refusal(phrase("Only the person who asked can take the question back."))
        return refuse_person(unit, case, user_id, only, "taking a question back: ")
    unit.audit(case, "question_withdrawn", user_id=user_id)
    return VoteResult(outcome=VoteOutcome.RECORDED, case=end_inquiry(unit, case, InquiryEnd.WITHDRAWN))


_NOT_OPEN = phrase("No question is open.")


def _nobody_to_ask(document: ApprovalDocument) -> Phrase:
    account = document.review.requester
    if not account:
        return phrase("The ERP does not tell who requested it: ask in another way.")
    return phrase(
        "“%(account)s” requested it, who is nobody known here: ask in another way, or let an administrator enter the"
        " account.",
        account=document.review.named(account),
    )
