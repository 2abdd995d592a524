"""/approve: agree to a document, to several at once, or take that back."""

from __future__ import annotations

import asyncio

from bot.approvals.cards.list_views import ApprovalAll, ApprovalListRow, ApprovalResults, page_fingerprint
from bot.approvals.cards.responder import RECORDED, CaseFinder, VoteResponder, outcome_note, vote_request
from bot.approvals.cards.view_builders import BY_ITSELF, build_list_row, build_said_row
from bot.approvals.cards.views import Audience
from bot.approvals.case import Case
from bot.approvals.service import ApprovalService
from bot.approvals.typed_votes import (
    MAX_REASON,
    CaseRef,
    InquiryNumber,
    Remarks,
    SeenRevision,
    read_inquiry,
    read_seen,
)
from bot.approvals.voting import VoteOutcome
from bot.cards.actions import Ask
from bot.cards.view import View
from bot.chat.arguments import Keyword
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.parsing import command_line
from bot.chat.questions.prompts import OpenPrompts
from bot.chat.registry import command
from bot.erp.model import Verdict
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase


class ApproveOption(Keyword):
    """What else can be wanted."""

    ALL = phrase("all"), "全部", "所有"
    CONFIRM = phrase("confirm"), "确认", "确认同意"
    UNDO = phrase("undo"), "撤销", "撤回"


@command(
    "approve",
    aliases=("同意", "批准", "通过", "ty", "pz"),
    examples=("/approve PO-1001", "/同意 PO-1001"),
    writes=True,
    governed=True,
    shows=("po",),
    to_concerned=True,
    summary=phrase("Approve what waits for you"),
    place=42,
)
async def approve(
    word: CaseRef | None = None,
    reason: Remarks | None = None,
    *,
    seen: SeenRevision | None = None,
    asked: InquiryNumber | None = None,
    wish: ApproveOption | None = None,
    cases: CaseFinder,
    questions: OpenPrompts,
    colleagues: Colleagues,
    context: QuestionContext,
) -> View | Ask:
    """Record the vote of the person who asks; whether it counts, the approval rules say."""
    colleagues.record_seen(context)
    if wish is ApproveOption.ALL:
        return await _approve_all(seen, cases.approvals, context)
    responder = await cases.find_to_vote(word, seen=seen)
    if not isinstance(responder, VoteResponder):
        return responder
    found = responder.found
    if wish is ApproveOption.UNDO:
        result = await cases.approvals.take_back(found.case, context.person.user_id or "")
        return await responder.answer(result, done=phrase("Undone: nothing was sent to the ERP."))
    known = read_seen(found, seen, context.line, approve.names, slash=bool(reason))
    if isinstance(known, Phrase):
        return await responder.show(known)
    await questions.drop(context)
    words = (context.free_text or reason or "")[:MAX_REASON]
    confirmed = wish is ApproveOption.CONFIRM
    request = vote_request(
        context, found.case, Verdict.APPROVE, known, reason=words, confirmed=confirmed, despite=read_inquiry(asked)
    )
    return await responder.answer(await cases.approvals.cast_vote(request), retry=context.line)


async def _approve_all(seen: str | None, approvals: ApprovalService, context: QuestionContext) -> View | Ask:
    """Approve what the confirmed page showed, each by itself; ask first, and again when the page is another now."""
    waiting = await approvals.pending(context.person.user_id or "")
    page = waiting[context.offset : context.offset + ApprovalAll.page_size]
    audience = Audience.of(private=context.is_private)
    if not page:
        return Ask(command_line("pending"))
    # A card with little room showed only the first rows.
    prefixes = (page[:count] for count in range(len(page), 0, -1))
    shown = next((cases for cases in prefixes if page_fingerprint(case.id for case in cases) == seen), None)
    if shown is None:
        note = phrase("What waits for you has changed: please look once more.") if seen else None
        rows = tuple(build_list_row(case, audience) for case in page)
        line = command_line("pending", ApproveOption.ALL)
        return ApprovalAll(rows=rows, total=len(waiting), offset=context.offset, line=line, note=note)
    return ApprovalResults(
        rows=tuple(await asyncio.gather(*(_approve_one(case, audience, approvals, context) for case in shown)))
    )


async def _approve_one(
    case: Case, audience: Audience, approvals: ApprovalService, context: QuestionContext
) -> ApprovalListRow:
    request = vote_request(context, case, Verdict.APPROVE, case.fingerprint)
    done = False
    try:
        result = await approvals.cast_vote(request)
    except DingerpError as error:
        # The others are decided all the same, and each is told by itself.
        words = phrase("Not recorded: %(problem)s", problem=error.tell())
    else:
        done = result.outcome in RECORDED
        words = outcome_note(result) or phrase("There is no such document.")
        if result.outcome is VoteOutcome.CONFIRM:
            words = BY_ITSELF
    return build_said_row(case, audience, words, done=done)
