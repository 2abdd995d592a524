"""/approve: agree to a purchase order, to several at once, or take that back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.access.policy import AccessPolicy
from bot.approvals.answering import Clerk, face_of, note_of
from bot.approvals.asking import Approvals
from bot.approvals.case import Case
from bot.approvals.drawing import Remark, draw_row
from bot.approvals.list_views import ApprovalAll, ApprovalResults, ApprovalRow, page_mark
from bot.approvals.showing import Showing
from bot.approvals.views import Face
from bot.approvals.voting import Said
from bot.approvals.voting import Word as Vote
from bot.approvals.wording import MAX_REASON, is_plain, seen_by
from bot.cards.actions import Ask
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word
from bot.chat.asking import Asking
from bot.chat.colleagues import Colleagues
from bot.chat.line import command_line
from bot.chat.registry import Commands, command
from bot.chat.replies import OpenQuestions
from bot.erp.model import Verdict
from bot.errors import DingerpError
from bot.phrase import Phrase, phrase
from commands.pending import CaseWord

LOOK = phrase("It has changed since it was first shown: look at it once more, and tap.")
PLAIN = phrase("Tap a button to decide, or begin the line with the command.")


class Remarks(Word):
    """What one has to say about it."""

    placeholder = phrase("reason")
    takes_rest = True


class Seen(Word):
    """Which revision was seen, as buttons write it."""

    placeholder = phrase("revision")
    prefix = "#"


class ApproveWish(Keyword):
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
    word: CaseWord | None = None,
    reason: Remarks | None = None,
    *,
    seen: Seen | None = None,
    wish: ApproveWish | None = None,
    approvals: Approvals,
    showing: Showing,
    questions: OpenQuestions,
    colleagues: Colleagues,
    commands: Commands,
    policy: AccessPolicy,
    asking: Asking,
) -> View | Ask:
    """Record the word of the person who asks; whether it counts, the approval rules say."""
    colleagues.meet(asking)
    if wish is ApproveWish.ALL:
        return await _all(seen, approvals, asking)
    if not word:
        return Ask(command_line("pending"))
    folder = await approvals.find(word)
    if folder is None:
        return Ask(command_line("why", word))  # which says why it is not decided here, or that there is no such order
    clerk = Clerk(approvals, showing, face_of(folder, commands, policy, asking), asking)
    user_id = asking.person.user_id or ""
    if wish is ApproveWish.UNDO:
        voted = await approvals.take_back(folder.case.id, user_id)
        return await clerk.answer(voted, done=phrase("Taken back: nothing is told to the ERP."))
    # A question such as “同意 PO-1001 吗” must not decide.
    if not is_plain(asking.line, approve.names) or (reason and not asking.line.lstrip().startswith("/")):
        return await clerk.show(folder, Remark(note=PLAIN))
    known = seen_by(folder, seen)
    if known is None:
        return await clerk.show(folder, Remark(note=LOOK))
    questions.drop(asking)
    voted = await approvals.say(
        Vote(
            case=folder.case.id,
            user_id=user_id,
            name=asking.person.name,
            verdict=Verdict.APPROVE,
            seen=known,
            reason=(asking.said or reason or "")[:MAX_REASON],
            confirmed=wish is ApproveWish.CONFIRM,
        )
    )
    return await clerk.answer(voted, retry=asking.line)


async def _all(seen: str | None, approvals: Approvals, asking: Asking) -> View | Ask:
    """Approve what the confirmed page showed, each by itself; ask first, and again when the page is another now."""
    waiting = [one.case for one in await approvals.pending(asking.person.user_id or "")]
    page = waiting[asking.offset : asking.offset + ApprovalAll.page_size]
    shown = next((page[:n] for n in range(len(page), 0, -1) if page_mark(one.id for one in page[:n]) == seen), None)
    face = Face.PRICED if asking.is_private else Face.BARE
    if not page:
        return Ask(command_line("pending"))
    if shown is None:
        note = phrase("What waits for you has changed: please look once more.") if seen else None
        rows = tuple(draw_row(case, face) for case in page)
        line = command_line("pending", ApproveWish.ALL)
        return ApprovalAll(rows=rows, total=len(waiting), offset=asking.offset, line=line, note=note)
    results = await asyncio.gather(*(_one(case, approvals, asking) for case in shown))
    return ApprovalResults(rows=tuple(_row(case, one, face) for case, one in zip(shown, results, strict=True)))


@dataclass(frozen=True, slots=True)
class _Result:
    words: Phrase
    done: bool


async def _one(case: Case, approvals: Approvals, asking: Asking) -> _Result:
    word = Vote(
        case=case.id,
        user_id=asking.person.user_id or "",
        name=asking.person.name,
        verdict=Verdict.APPROVE,
        seen=case.fingerprint,
    )
    try:
        voted = await approvals.say(word)
    except DingerpError as error:
        # The others are decided all the same, and each is told by itself.
        return _Result(phrase("Not recorded: %(problem)s", problem=error.tell()), done=False)
    if voted.said is Said.CONFIRM:
        return _Result(phrase("A large amount: approve it by itself."), done=False)
    return _Result(note_of(voted) or phrase("There is no such purchase order."), voted.said in _COUNTS)


_COUNTS = frozenset({Said.RECORDED, Said.DECIDED})


def _row(case: Case, result: _Result, face: Face) -> ApprovalRow:
    return draw_row(case, face, result=result.words, done=result.done)
