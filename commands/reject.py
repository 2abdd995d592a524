"""/reject: refuse a purchase order, with a reason."""

from __future__ import annotations

from bot.access.policy import AccessPolicy
from bot.approvals.answering import Clerk, face_of
from bot.approvals.asking import SEEN, Approvals, Folder
from bot.approvals.drawing import Remark
from bot.approvals.showing import Showing
from bot.approvals.views import ApprovalReasons
from bot.approvals.voting import Said
from bot.approvals.voting import Word as Vote
from bot.approvals.wording import is_plain, reason_of, seen_by
from bot.cards.actions import Ask, Reason
from bot.cards.view import View
from bot.chat.asking import Asking
from bot.chat.colleagues import Colleagues
from bot.chat.line import command_line
from bot.chat.registry import Commands, command
from bot.chat.replies import WAITS, OpenQuestions
from bot.erp.model import Verdict
from bot.phrase import phrase
from commands.approve import LOOK, PLAIN, Remarks, Seen
from commands.pending import CaseWord


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
    word: CaseWord | None = None,
    reason: Remarks | None = None,
    *,
    seen: Seen | None = None,
    approvals: Approvals,
    showing: Showing,
    questions: OpenQuestions,
    colleagues: Colleagues,
    commands: Commands,
    policy: AccessPolicy,
    asking: Asking,
) -> View | Ask:
    """Record the refusal of the person who asks, or ask for its reason first."""
    colleagues.meet(asking)
    if not word:
        return Ask(command_line("pending"))
    folder = await approvals.find(word)
    if folder is None:
        return Ask(command_line("why", word))  # which says why it is not decided here, or that there is no such order
    clerk = Clerk(approvals, showing, face_of(folder, commands, policy, asking), asking)
    if not is_plain(asking.line, reject.names):
        return await clerk.show(folder, Remark(note=PLAIN))
    known = seen_by(folder, seen)
    if known is None:
        return await clerk.show(folder, Remark(note=LOOK))
    quick, words = reason_of(asking.said or reason or "", asking.person.language)
    voted = await approvals.say(
        Vote(
            case=folder.case.id,
            user_id=asking.person.user_id or "",
            name=asking.person.name,
            verdict=Verdict.REJECT,
            seen=known,
            reason=words,
        )
    )
    line = command_line("reject", folder.case.id, f"#{known[:SEEN]}")
    if voted.said is Said.NEED_REASON:
        questions.put(asking, line)
        return _asks(folder, known, own_words=quick is Reason.OTHER)
    questions.drop(asking)
    return await clerk.answer(voted, retry=f"{line} {quick or words}".strip())


def _asks(folder: Folder, seen: str, *, own_words: bool) -> ApprovalReasons:
    case = folder.case
    return ApprovalReasons(
        case=case.id,
        seen=seen[:SEEN],
        number=case.number,
        vendor=case.brief.vendor,
        minutes=int(WAITS.total_seconds()) // 60,
        own_words=own_words,
    )
