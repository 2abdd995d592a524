"""Messages that hold no question get a hint of their own."""

from __future__ import annotations

from collections.abc import Mapping

from bot.access.policy import AccessPolicy
from bot.cards.notices import ExternalNotice, HintNotice, QuotaNotice
from bot.cards.view import View
from bot.chat.message import Conversation, ConversationKind, Message, MessageKind, Sender
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.registry import Commands
from tests.commands.company import NOW
from tests.rows import each_row

DESK = QuestionDispatcher(commands=Commands([]), policy=AccessPolicy, collaborators={}, seconds=1)


def message(kind: MessageKind, text: str = "", *, staff_id: str | None = "keeper01") -> Message:
    return Message(
        msg_id="msg1",
        kind=kind,
        text=text,
        conversation=Conversation("cid==", ConversationKind.DIRECT),
        sender=Sender(staff_id=staff_id, nick="王仓"),
        sent_at=NOW,
        robot_code="robot",
    )


@each_row(
    ("kind", "text"),
    [
        (MessageKind.TEXT, "/stock SKU123"),
        (MessageKind.TEXT, ""),
        (MessageKind.RICH_TEXT, "/stock SKU123"),
        (MessageKind.RICH_TEXT, ""),
        (MessageKind.AUDIO, "查库存 SKU123"),
    ],
)
def test_words_are_a_question(kind: MessageKind, text: str) -> None:
    assert DESK.hint_for(message(kind, text)) is None


EMPTY: Mapping[MessageKind, type[View]] = {
    MessageKind.AUDIO: HintNotice,
    MessageKind.PICTURE: HintNotice,
    MessageKind.VIDEO: HintNotice,
    MessageKind.FILE: HintNotice,
    MessageKind.UNKNOWN: HintNotice,
    MessageKind.QUOTA_EXHAUSTED: QuotaNotice,
}


@each_row("kind", EMPTY)
def test_everything_else_gets_a_hint(kind: MessageKind) -> None:
    answer = DESK.hint_for(message(kind))
    assert answer is not None
    assert (type(answer.view), answer.command, answer.outcome) == (EMPTY[kind], "none", "hint")


def test_people_from_outside_are_told_that_it_is_for_members() -> None:
    answer = DESK.hint_for(message(MessageKind.PICTURE, staff_id=None))
    assert answer is not None
    assert isinstance(answer.view, ExternalNotice)
