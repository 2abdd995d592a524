"""What is answered to messages that hold no question."""

from __future__ import annotations

from bot.cards.notices import ExternalNotice, Hint, QuotaNotice
from bot.cards.view import View
from bot.chat.message import Message, MessageKind
from bot.phrase import Phrase, phrase

_PROBLEMS: dict[MessageKind, Phrase] = {
    MessageKind.AUDIO: phrase("I could not hear any words in this voice message. Please write your question."),
    MessageKind.PICTURE: phrase("I cannot read pictures. Please write your question as text."),
    MessageKind.VIDEO: phrase("I cannot watch videos. Please write your question as text."),
    MessageKind.FILE: phrase("I cannot open files. Please write your question as text."),
    MessageKind.UNKNOWN: phrase("I do not understand this kind of message. Please write your question as text."),
}


def hint_for(message: Message) -> View | None:
    """Return the hint for a message that cannot hold a question; None when it can.

    An empty text is a question: whoever only mentions the bot wants to know what it can do.
    """
    # Voice messages come with the words that DingTalk recognised, or without (DingTalk sheet, 2.2).
    heard = message.kind is MessageKind.AUDIO and message.text.strip()
    if heard or message.kind in {MessageKind.TEXT, MessageKind.RICH_TEXT}:
        return None
    if message.kind is MessageKind.QUOTA_EXHAUSTED:
        return QuotaNotice()
    if message.sender.staff_id is None:
        return ExternalNotice()
    return Hint(problem=_PROBLEMS[message.kind])
