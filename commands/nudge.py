"""/nudge: remind the people whose turn it is to decide a document."""

from __future__ import annotations

from bot.approvals.cards.responder import CaseFinder, VoteResponder
from bot.approvals.typed_votes import CaseRef
from bot.cards.actions import Ask
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.registry import command
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
    cases: CaseFinder,
    context: QuestionContext,
) -> View | Ask:
    """Remind them in the name of the person who asks, who may see the case."""
    responder = await cases.find_to_vote(word)
    if not isinstance(responder, VoteResponder):
        return responder
    result = await cases.approvals.nudge(responder.found.case, context.person.user_id or "", context.person.name)
    return await responder.answer(result, done=phrase("They are reminded."), retry=context.line)
