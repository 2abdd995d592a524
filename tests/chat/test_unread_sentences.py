"""What was not understood is noted in its general form, with the asker and the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from bot.access.people import Person
from bot.cards.notices import NotUnderstoodNotice, UnknownCommandNotice
from bot.cards.view import View
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind, Message
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.unread_sentences import UnreadNotes
from tests.rows import each_row

NOW = datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=8)))
UNREAD = NotUnderstoodNotice(typed="毛重", suggestions=())
MISSPELT = UnknownCommandNotice(typed="stcok", suggestions=(), example="")


@dataclass
class Answering:
    view: View

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        return None

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        return PreparedAnswer(self.view, "none", "")


@each_row(
    "view, asker, form, noted",
    [
        (UNREAD, "sales01", "〈product〉的毛重", [("〈product〉的毛重", "sales01", date(2026, 12, 1))]),
        (UNREAD, "sales01", "", []),
        (UNREAD, None, "〈product〉的毛重", []),
        (MISSPELT, "sales01", "〈product〉的毛重", []),
    ],
)
async def test_only_what_was_not_understood_of_a_member_is_noted(
    view: View, asker: str | None, form: str, noted: list[tuple[str, str, date]]
) -> None:
    notes: list[tuple[str, str, date]] = []
    handler = UnreadNotes(Answering(view), lambda _: form, lambda *note: notes.append(note))
    context = QuestionContext(
        person=Person(user_id=asker, name="李销"),
        conversation=Conversation("cid", ConversationKind.DIRECT),
        line="SKU123的毛重",
        now=NOW,
    )
    answer = await handler.view_for(context)
    assert (answer.view, notes) == (view, noted)
