"""/reject: refuse a document, with a reason."""

from __future__ import annotations

from dataclasses import replace

from bot.approvals.cards.responder import CaseFinder, VoteResponder, vote_request
from bot.approvals.cards.views import ApprovalReasons
from bot.approvals.case import Case
from bot.approvals.document import FINGERPRINT_PREFIX
from bot.approvals.typed_votes import (
    CaseRef,
    InquiryNumber,
    Remarks,
    SeenRevision,
    parse_reason,
    read_inquiry,
    read_seen,
)
from bot.approvals.voting import VoteOutcome
from bot.cards.actions import Ask, RejectCase, RejectReason
from bot.cards.view import View
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.questions.prompts import PROMPT_LIFETIME, OpenPrompts
from bot.chat.registry import command
from bot.erp.model import Verdict
from bot.words.phrase import Phrase, phrase


@command(
    "reject",
    aliases=("拒绝", "驳回", "不同意", "jj", "bh"),
    examples=("/reject PO-1001 价格过高", "/拒绝 PO-1001 超出预算"),
    writes=True,
    governed=True,
    shows=("po",),
    to_concerned=True,
    summary=phrase("Reject what waits for you, with a reason"),
    place=43,
)
async def reject(
    word: CaseRef | None = None,
    reason: Remarks | None = None,
    *,
    seen: SeenRevision | None = None,
    asked: InquiryNumber | None = None,
    cases: CaseFinder,
    questions: OpenPrompts,
    colleagues: Colleagues,
    context: QuestionContext,
) -> View | Ask:
    """Record the refusal of the person who asks, or ask for its reason first."""
    colleagues.record_seen(context)
    responder = await cases.find_to_vote(word, seen=seen)
    if not isinstance(responder, VoteResponder):
        return responder
    found = responder.found
    known = read_seen(found, seen, context.line, reject.names)
    if isinstance(known, Phrase):
        return await responder.show(known)
    quick, words = parse_reason(context.free_text or reason or "", context.person.language)
    despite = read_inquiry(asked)
    request = vote_request(context, found.case, Verdict.REJECT, known, reason=words, despite=despite)
    result = await cases.approvals.cast_vote(request)
    line = RejectCase(found.case.id, known[:FINGERPRINT_PREFIX], despite=despite).typed
    if result.outcome is VoteOutcome.NEED_REASON:
        await questions.put(context, line)
        reasons = _ask_reason(found.case, known, own_words=quick is RejectReason.OTHER)
        return replace(reasons, despite=despite, on_page=context.on_page)
    await questions.drop(context)
    return await responder.answer(result, retry=f"{line} {quick or words}".strip())


def _ask_reason(case: Case, seen: str, *, own_words: bool) -> ApprovalReasons:
    return ApprovalReasons(
        case=case.id,
        kind=case.kind.command,
        seen=seen[:FINGERPRINT_PREFIX],
        number=case.number,
        source=case.source,
        partner=case.summary.partner,
        minutes=int(PROMPT_LIFETIME.total_seconds()) // 60,
        own_words=own_words,
        shows=case.state_name,
    )
