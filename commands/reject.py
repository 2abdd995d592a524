"""/reject: refuse a purchase order, with a reason."""

from __future__ import annotations

from bot.access.policy import AccessPolicy
from bot.approvals.facade import (
    FINGERPRINT_PREFIX,
    ApprovalFacade,
    CaseContext,
    is_explicit_command,
    parse_reason,
    seen_fingerprint,
)
from bot.approvals.presenter import CasePresenter, VoteResponder, audience_for
from bot.approvals.view_builders import ReplyNote
from bot.approvals.views import ApprovalReasons
from bot.approvals.voting import VoteOutcome
from bot.approvals.voting import VoteRequest as Vote
from bot.cards.actions import Ask, RejectReason
from bot.cards.view import View
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.parsing import command_line
from bot.chat.prompts import PROMPT_LIFETIME, OpenPrompts
from bot.chat.registry import Commands, command
from bot.erp.model import Verdict
from bot.phrase import phrase
from commands.approve import LOOK_AGAIN, NOT_A_COMMAND, Remarks, SeenRevision
from commands.pending import CaseRef


@command(
    "reject",
    aliases=("拒绝", "驳回", "不同意", "jj", "bh"),
    examples=("/reject PO-1001 价格过高", "/拒绝 PO-1001 超出预算"),
    writes=True,
    governed=True,
    summary=phrase("Reject a purchase order, with a reason"),
    place=43,
)
async def reject(
    word: CaseRef | None = None,
    reason: Remarks | None = None,
    *,
    seen: SeenRevision | None = None,
    approvals: ApprovalFacade,
    showing: CasePresenter,
    questions: OpenPrompts,
    colleagues: Colleagues,
    commands: Commands,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View | Ask:
    """Record the refusal of the person who asks, or ask for its reason first."""
    colleagues.record_seen(context)
    if not word:
        return Ask(command_line("pending"))
    folder = await approvals.find(word)
    if folder is None:
        return Ask(command_line("why", word))  # which says why it is not decided here, or that there is no such order
    clerk = VoteResponder(approvals, showing, audience_for(folder, commands, policy, context), context)
    if not is_explicit_command(context.line, reject.names):
        return await clerk.show(folder, ReplyNote(note=NOT_A_COMMAND))
    known = seen_fingerprint(folder, seen)
    if known is None:
        return await clerk.show(folder, ReplyNote(note=LOOK_AGAIN))
    quick, words = parse_reason(context.free_text or reason or "", context.person.language)
    vote_result = await approvals.cast_vote(
        Vote(
            case=folder.case.id,
            user_id=context.person.user_id or "",
            name=context.person.name,
            verdict=Verdict.REJECT,
            seen=known,
            reason=words,
        )
    )
    line = command_line("reject", folder.case.id, f"#{known[:FINGERPRINT_PREFIX]}")
    if vote_result.outcome is VoteOutcome.NEED_REASON:
        questions.put(context, line)
        return _asks(folder, known, own_words=quick is RejectReason.OTHER)
    questions.drop(context)
    return await clerk.answer(vote_result, retry=f"{line} {quick or words}".strip())


def _asks(folder: CaseContext, seen: str, *, own_words: bool) -> ApprovalReasons:
    case = folder.case
    return ApprovalReasons(
        case=case.id,
        seen=seen[:FINGERPRINT_PREFIX],
        number=case.number,
        vendor=case.summary.vendor,
        minutes=int(PROMPT_LIFETIME.total_seconds()) // 60,
        own_words=own_words,
    )
