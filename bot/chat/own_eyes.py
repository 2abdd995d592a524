"""Answers that are for the asker's own eyes alone: in a group others read along."""

from __future__ import annotations

from bot.access.policy import AccessVerdict, Denied
from bot.chat.context import QuestionContext
from bot.words.phrase import phrase


def require_own_eyes(context: QuestionContext) -> None:
    """Raise `Denied` where others would see the answer."""
    if not context.is_private:
        raise Denied(AccessVerdict(False, phrase("Please ask that in your own chat with me: others read along here.")))
