"""Prompts: the bot's questions that a person's next message answers, such as why they reject an order.

Prompts stay in memory, for minutes only. After a restart, or if another process gets the message, it is read like any
other line and the person has to start again. Nothing is lost, since nothing was decided yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cachetools import LRUCache

from bot.chat.context import QuestionContext, places_of
from bot.chat.parsing import ParsedLine, normalise, split
from bot.outbox.place import Place

PROMPT_LIFETIME = timedelta(minutes=5)
"""How long a message counts as the answer."""

_PEOPLE = 2_000


@dataclass(frozen=True, slots=True)
class _Prompt:
    line: str
    places: tuple[Place, ...]
    until: datetime


class OpenPrompts:
    """One prompt per person; a newer prompt replaces the previous one."""

    def __init__(self) -> None:
        self._of: LRUCache[str, _Prompt] = LRUCache(_PEOPLE)

    def put(self, context: QuestionContext, line: str) -> None:
        """Treat the person's next message in this conversation as the words that complete ``line``.

        A page has a form for them: what the person writes in the chat then means something else.
        """
        if context.person.user_id and not context.on_page:
            self._of[context.person.user_id] = _Prompt(line, places_of(context), context.now + PROMPT_LIFETIME)

    def take(self, context: QuestionContext) -> str | None:
        """Return, once, the line that a message completes; None without a recent prompt here."""
        user_id = context.person.user_id or ""
        prompt = self._of.get(user_id)
        if prompt is None or context.clicked or context.on_page:
            return None
        if context.now > prompt.until:
            del self._of[user_id]
            return None
        if not {*prompt.places} & {*places_of(context)[:1]}:
            return None
        del self._of[user_id]
        return prompt.line

    def drop(self, context: QuestionContext) -> None:
        """Drop the prompt: it was answered in another way."""
        self.forget(context.person.user_id or "")

    def forget(self, user_id: str) -> None:
        """Drop a person's prompt: they do not want to answer it."""
        self._of.pop(user_id, None)


def may_be_reply(parsed: ParsedLine, line: str) -> bool:
    """Return whether a line can be the answer to a prompt and is not a command.

    “库存充足” and “采购价太高” are reasons that begin like commands; ``库存 SKU123`` and ``采购PO-1001`` are commands.
    """
    if parsed.slashed or not (parsed.word or parsed.rest):
        return False
    if parsed.command is None:
        return True
    first = next(iter(split(normalise(line))), "")
    asks = first.casefold() == parsed.word.casefold() or (parsed.rest[:1].isascii() and parsed.rest[:1].isalnum())
    return not asks
