"""/proposal: lines that programs want run, and the answer to them."""

from __future__ import annotations

from bot.access.policy import AccessVerdict, Denied
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word
from bot.chat.confirmations import IN_OWN_CHAT
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.message import ConversationKind
from bot.chat.parsing import command_line
from bot.chat.program_asks import NoSuchAsk
from bot.chat.registry import command
from bot.proposals.cards import ProposalCard, ProposalList
from bot.proposals.proposals import Proposals
from bot.words.phrase import phrase


class ProposalId(Word):
    """The id on the card's buttons."""

    placeholder = phrase("id")


class ProposalAnswer(Keyword):
    """Whether the line is run."""

    YES = phrase("yes"), "是", "执行"
    NO = phrase("no"), "否", "不执行"


@command(
    "proposal",
    aliases=("提议",),
    examples=("/proposal", "/提议"),
    changes=False,
    shows=(),
    summary=phrase("What programs propose to you, and your answer"),
    place=47,
    personal=True,
    proposable=False,
)
async def proposal(
    asked: ProposalId | None = None,
    answer: ProposalAnswer | None = None,
    *,
    proposals: Proposals,
    context: QuestionContext,
) -> View:
    """Show what waits for the asker or one proposal, or take their answer; an accepted line is run as typed by them."""
    own = context.person.user_id or ""
    if asked is None:
        waiting, first = await proposals.waiting_for(own), context.offset
        rows = tuple(waiting[first : first + (context.rows or ProposalList.page_size)])
        return ProposalList(rows=rows, total=len(waiting), offset=first, line=command_line("proposal"))
    try:
        if answer is None:
            return ProposalCard(proposal=await proposals.look(str(asked), own))
        if answer is ProposalAnswer.NO:
            return ProposalCard(proposal=await proposals.decline(str(asked), own))
        if context.on_page or context.conversation.kind is not ConversationKind.DIRECT:
            # A browser must not answer what a program asks, and the line belongs to nobody else's chat.
            raise Denied(AccessVerdict(False, IN_OWN_CHAT))
        return ProposalCard(proposal=await proposals.accept(str(asked), own, context.conversation))
    except NoSuchAsk:
        raise NothingFound(str(asked)) from None
