"""Sentences that were not understood, noted in a form without names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from bot.cards.notices import NotUnderstoodNotice
from bot.chat.context import QuestionContext
from bot.chat.message import Message
from bot.chat.question_handler import PreparedAnswer, QuestionHandler


@dataclass(frozen=True, slots=True)
class UnreadNotes:
    """A question handler that notes around another one what it did not understand.

    ``general_form`` returns a sentence's form, empty for one that asks for nothing. ``note`` gets it with the asker and
    the day, and does not block: the card does not wait for it.
    """

    handler: QuestionHandler
    general_form: Callable[[str], str]
    note: Callable[[str, str, date], None]

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        return self.handler.hint_for(message)

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        """Answer a line, and note it if it was not understood."""
        answer = await self.handler.view_for(context)
        asker = context.person.user_id
        if asker and isinstance(answer.view, NotUnderstoodNotice) and (form := self.general_form(context.line)):
            self.note(form, asker, context.today)
        return answer
