"""/confirm: the answer to what a browser asks for in one's name."""

from __future__ import annotations

from bot.access.policy import AccessVerdict, Denied
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word
from bot.chat.confirmations import IN_OWN_CHAT, ConfirmationRefused, Confirmations, confirmation_view
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.registry import command
from bot.words.phrase import phrase


class ConfirmationId(Word):
    """The id on the card's buttons."""

    placeholder = phrase("id")


class ConfirmationAnswer(Keyword):
    """Whether it was the asker who asked."""

    YES = phrase("yes"), "是", "确认"
    NO = phrase("no"), "不是", "否"


@command(
    "confirm",
    aliases=("确认",),
    examples=("/confirm 4f1a9c yes", "/确认 4f1a9c 不是"),
    changes=True,
    shows=(),
    summary=phrase("Confirm what you do in the browser"),
    place=98,
    proposable=False,
)
async def confirm(
    asked: ConfirmationId, answer: ConfirmationAnswer, *, confirmations: Confirmations, context: QuestionContext
) -> View:
    """Confirm or deny what a page has asked in the asker's own chat."""
    if context.on_page:
        # A browser must not answer what was asked because of it.
        raise Denied(AccessVerdict(False, IN_OWN_CHAT))
    try:
        confirms = answer is ConfirmationAnswer.YES
        found = await confirmations.answer(str(asked), context.person.user_id or "", confirms=confirms)
    except ConfirmationRefused:
        raise NothingFound(str(asked)) from None
    return confirmation_view(found)
