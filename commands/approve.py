"""/approve: agree to a purchase order, to several at once, or take that back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.access.policy import AccessPolicy
from bot.approvals.case import Case
from bot.approvals.facade import MAX_REASON, ApprovalFacade, is_explicit_command, seen_fingerprint
from bot.approvals.list_views import ApprovalAll, ApprovalListRow, ApprovalResults, page_fingerprint
from bot.approvals.presenter import CasePresenter, VoteResponder, audience_for, outcome_note
from bot.approvals.view_builders import ReplyNote, build_list_row
from bot.approvals.views import Audience
from bot.approvals.voting import VoteOutcome
from bot.approvals.voting import VoteRequest as Vote
from bot.cards.actions import Ask
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.parsing import command_line
from bot.chat.prompts import OpenPrompts
from bot.chat.registry import Commands, command
from bot.erp.model import Verdict
from bot.errors import DingerpError
from bot.phrase import Phrase, phrase
from commands.pending import CaseRef

LOOK_AGAIN = phrase("It has changed since it was first shown: look at it once more, and tap.")
NOT_A_COMMAND = phrase("Tap a button to decide, or begin the line with the command.")


class Remarks(Word):
    """What one has to say about it."""

    placeholder = phrase("reason")
    takes_rest = True


class SeenRevision(Word):
    """Which revision was seen, as buttons write it."""

    placeholder = phrase("revision")
    prefix = "#"


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
    summary=phrase("Approve a purchase order"),
    place=42,
)
async def approve(
    word: CaseRef | None = None,
    reason: Remarks | None = None,
    *,
    seen: SeenRevision | None = None,
    wish: ApproveOption | None = None,
    approvals: ApprovalFacade,
    showing: CasePresenter,
    questions: OpenPrompts,
    colleagues: Colleagues,
    commands: Commands,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View | Ask:
    """Record the word of the person who asks; whether it counts, the approval rules say."""
    colleagues.record_seen(context)
    if wish is ApproveOption.ALL:
        return await _all(seen, approvals, context)
    if not word:
        return Ask(command_line("pending"))
    folder = await approvals.find(word)
    if folder is None:
        return Ask(command_line("why", word))  # which says why it is not decided here, or that there is no such order
    clerk = VoteResponder(approvals, showing, audience_for(folder, commands, policy, context), context)
    user_id = context.person.user_id or ""
    if wish is ApproveOption.UNDO:
        vote_result = await approvals.take_back(folder.case.id, user_id)
        return await clerk.answer(vote_result, done=phrase("Taken back: nothing is told to the ERP."))
    # A question such as “同意 PO-1001 吗” must not decide.
    if not is_explicit_command(context.line, approve.names) or (reason and not context.line.lstrip().startswith("/")):
        return await clerk.show(folder, ReplyNote(note=NOT_A_COMMAND))
    known = seen_fingerprint(folder, seen)
    if known is None:
        return await clerk.show(folder, ReplyNote(note=LOOK_AGAIN))
    questions.drop(context)
    vote_result = await approvals.cast_vote(
        Vote(
            case=folder.case.id,
            user_id=user_id,
            name=context.person.name,
            verdict=Verdict.APPROVE,
            seen=known,
            reason=(context.free_text or reason or "")[:MAX_REASON],
            confirmed=wish is ApproveOption.CONFIRM,
        )
    )
    return await clerk.answer(vote_result, retry=context.line)


async def _all(seen: str | None, approvals: ApprovalFacade, context: QuestionContext) -> View | Ask:
    """Approve what the confirmed page showed, each by itself; ask first, and again when the page is another now."""
    waiting = [one.case for one in await approvals.pending(context.person.user_id or "")]
    page = waiting[context.offset : context.offset + ApprovalAll.page_size]
    shown = next(
        (page[:n] for n in range(len(page), 0, -1) if page_fingerprint(one.id for one in page[:n]) == seen), None
    )
    face = Audience.PRICED if context.is_private else Audience.BARE
    if not page:
        return Ask(command_line("pending"))
    if shown is None:
        note = phrase("What waits for you has changed: please look once more.") if seen else None
        rows = tuple(build_list_row(case, face) for case in page)
        line = command_line("pending", ApproveOption.ALL)
        return ApprovalAll(rows=rows, total=len(waiting), offset=context.offset, line=line, note=note)
    results = await asyncio.gather(*(_one(case, approvals, context) for case in shown))
    return ApprovalResults(rows=tuple(_row(case, one, face) for case, one in zip(shown, results, strict=True)))


@dataclass(frozen=True, slots=True)
class _Result:
    words: Phrase
    done: bool


async def _one(case: Case, approvals: ApprovalFacade, context: QuestionContext) -> _Result:
    word = Vote(
        case=case.id,
        user_id=context.person.user_id or "",
        name=context.person.name,
        verdict=Verdict.APPROVE,
        seen=case.fingerprint,
    )
    try:
        vote_result = await approvals.cast_vote(word)
    except DingerpError as error:
        # The others are decided all the same, and each is told by itself.
        return _Result(phrase("Not recorded: %(problem)s", problem=error.tell()), done=False)
    if vote_result.outcome is VoteOutcome.CONFIRM:
        return _Result(phrase("A large amount: approve it by itself."), done=False)
    return _Result(
        outcome_note(vote_result) or phrase("There is no such purchase order."), vote_result.outcome in _COUNTS
    )


_COUNTS = frozenset({VoteOutcome.RECORDED, VoteOutcome.DECIDED})


def _row(case: Case, result: _Result, face: Audience) -> ApprovalListRow:
    return build_list_row(case, face, result=result.words, done=result.done)
