"""Prompts: the bot's questions that a person's next message answers, such as why they reject an order.

Prompts last for minutes only. A process that is alone keeps them in memory: after its restart, a message is read like
any other line and the person has to start again. Nothing is lost, since nothing was decided yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from cachetools import LRUCache

from bot.chat.context import QuestionContext, places_of
from bot.chat.parsing import ParsedLine, normalise, split
from bot.outbox.place import Place

PROMPT_LIFETIME = timedelta(minutes=5)
"""How long a message counts as the answer."""

_PEOPLE = 2_000


@dataclass(frozen=True, slots=True)
class OpenPrompt:
    """A line that a message at one of the places completes, until it is too late."""

    line: str
    places: tuple[Place, ...]
    until: datetime


class PromptStore(Protocol):
    """Keeps one prompt per person. May raise a `DingerpError`."""

    async def keep(self, user_id: str, prompt: OpenPrompt) -> None:
        """Keep a person's prompt in place of the one before."""
        ...

    async def find(self, user_id: str) -> OpenPrompt | None:
        """Return a person's prompt."""
        ...

    async def drop(self, user_id: str) -> bool:
        """Drop a person's prompt; return whether there was one."""
        ...


class PromptsInMemory:
    """The prompts of a process that is alone."""

    def __init__(self) -> None:
        self._of: LRUCache[str, OpenPrompt] = LRUCache(_PEOPLE)

    async def keep(self, user_id: str, prompt: OpenPrompt) -> None:
        self._of[user_id] = prompt

    async def find(self, user_id: str) -> OpenPrompt | None:
        return self._of.get(user_id)

    async def drop(self, user_id: str) -> bool:
        return self._of.pop(user_id, None) is not None


class OpenPrompts:
    """One prompt per person; a newer prompt replaces the previous one."""

    def __init__(self, store: PromptStore | None = None) -> None:
        """``store`` is one that replicas share; by default prompts stay in memory."""
        self._store = store or PromptsInMemory()

    async def put(self, context: QuestionContext, line: str) -> None:
        """Treat the person's next message in this conversation as the words that complete ``line``.

        A page has a form for them: what the person writes in the chat then means something else.
        """
        if context.person.user_id and not context.on_page:
            prompt = OpenPrompt(line, places_of(context), context.now + PROMPT_LIFETIME)
            await self._store.keep(context.person.user_id, prompt)

    async def take(self, context: QuestionContext) -> str | None:
        """Return, once, the line that a message completes; None without a recent prompt here."""
        user_id = context.person.user_id or ""
        prompt = None if context.clicked or context.on_page else await self._store.find(user_id)
        if prompt is None:
            return None
        is_late = context.now > prompt.until
        if not is_late and not {*prompt.places} & {*places_of(context)[:1]}:
            return None
        is_first = await self._store.drop(user_id)
        return prompt.line if is_first and not is_late else None

    async def drop(self, context: QuestionContext) -> None:
        """Drop the prompt: it was answered in another way."""
        await self.forget(context.person.user_id or "")

    async def forget(self, user_id: str) -> None:
        """Drop a person's prompt: they do not want to answer it."""
        await self._store.drop(user_id)


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
