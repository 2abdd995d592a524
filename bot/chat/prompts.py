"""Questions of ours that somebody's next message answers, such as why they reject.

They are kept in memory and for minutes only: after a restart, or where several processes share the frames and another
one gets the message, it is read like any other line, and the person types or taps the whole once more. Nothing is
lost by that, since nothing was decided yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cachetools import LRUCache

from bot.chat.context import QuestionContext, places_of
from bot.chat.parsing import ParsedLine, normalise, split
from bot.outbox.place import Place

PROMPT_LIFETIME = timedelta(minutes=5)
"""For how long a message is taken for the answer."""

_PEOPLE = 2_000


@dataclass(frozen=True, slots=True)
class _Prompt:
    line: str
    places: tuple[Place, ...]
    until: datetime


class OpenPrompts:
    """One for each person: a newer one takes the place of the one before."""

    def __init__(self) -> None:
        self._of: LRUCache[str, _Prompt] = LRUCache(_PEOPLE)

    def put(self, context: QuestionContext, line: str) -> None:
        """Remember that the person's next message where they asked is to be answered as ``line`` with their words."""
        if context.person.user_id:
            self._of[context.person.user_id] = _Prompt(line, places_of(context), context.now + PROMPT_LIFETIME)

    def take(self, context: QuestionContext) -> str | None:
        """Return the line that a message completes, once; None when nothing was asked there or it is too long ago."""
        user_id = context.person.user_id or ""
        question = self._of.get(user_id)
        if question is None or context.clicked:
            return None
        if context.now > question.until:
            del self._of[user_id]
            return None
        if not {*question.places} & {*places_of(context)[:1]}:
            return None
        del self._of[user_id]
        return question.line

    def drop(self, context: QuestionContext) -> None:
        """Forget what was asked: it has been answered in another way."""
        self._of.pop(context.person.user_id or "", None)


def may_be_reply(reading: ParsedLine, line: str) -> bool:
    """Whether a line can be the answer to a question of ours, and is no command.

    “库存充足” and “采购价太高” say why and only begin like commands; ``库存 SKU123`` and ``采购PO-1001`` are some.
    """
    if reading.slashed or not (reading.word or reading.rest):
        return False
    if reading.command is None:
        return True
    first = next(iter(split(normalise(line))), "")
    asks = first.casefold() == reading.word.casefold() or (reading.rest[:1].isascii() and reading.rest[:1].isalnum())
    return not asks
