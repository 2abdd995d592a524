"""/nudge: remind the people whose turn it is to decide a document."""

from __future__ import annotations

from bot.access.policy import AccessPolicy
from bot.approvals.cards.presenter import CasePresenter
from bot.approvals.cards.responder import VoteResponder, find_to_vote
from bot.approvals.service import ApprovalService
from bot.approvals.typed_votes import CaseRef
from bot.cards.actions import Ask
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.registry import command
from bot.erp.hub import ErpHub
from bot.words.phrase import phrase


@command(
    "nudge",
    aliases=("催办", "催审批", "cb"),
    examples=("/nudge PO-1001", "/催办 PO-1001"),
    shows=("po",),
    to_concerned=True,
    summary=phrase("Remind those whose turn it is to decide"),
    place=44,
)
async def nudge(
    word: CaseRef | None = None,
    *,
    approvals: ApprovalService,
    showing: CasePresenter,
    erp: ErpHub,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View | Ask:
    """Remind them in the name of the person who asks, who may see the case."""
    responder = await find_to_vote(word, approvals, showing, erp, policy, context, seen=None)
    if not isinstance(responder, VoteResponder):
        return responder
    result = await approvals.nudge(responder.found.case, context.person.user_id or "", context.person.name)
    return await responder.answer(result, done=phrase("They are reminded."), retry=context.line)
