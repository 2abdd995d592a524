"""Questions that could not be stored. They are not acknowledged, so DingTalk sends them again, but only after a minute:
whoever asked is told what is wrong meanwhile, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.chat.message import Message
from bot.errors import DingerpError

PATIENCE = 3.0
"""Seconds: a database that is back by then needs no words, if DingTalk has sent the question again."""

MOST = 1_000
"""Questions that are remembered."""


class UnstoredQuestions:
    """Remembers them in memory alone. ``explain`` tells a person why there is no answer yet."""

    def __init__(self, explain: Callable[[Message, DingerpError], Awaitable[None]]) -> None:
        self._explain = explain
        self._waiting: dict[str, asyncio.Task[None] | None] = {}
        """By message id: who is going to tell the asker; None where that was done."""

    def add(self, message: Message, error: DingerpError) -> None:
        """Note that a question could not be stored."""
        if message.msg_id in self._waiting or not self._has_room():
            return
        self._waiting[message.msg_id] = asyncio.create_task(self._explain_later(message, error))

    def _has_room(self) -> bool:
        """Return whether one more can be remembered; the first that was told is forgotten for it."""
        if len(self._waiting) < MOST:
            return True
        told = next((msg_id for msg_id, task in self._waiting.items() if task is None), None)
        if told is None:
            return False
        del self._waiting[told]
        return True

    def discard(self, msg_id: str) -> None:
        """Note that a question is stored by now."""
        task = self._waiting.pop(msg_id, None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Tell nobody any more."""
        for msg_id in tuple(self._waiting):
            self.discard(msg_id)

    async def _explain_later(self, message: Message, error: DingerpError) -> None:
        await asyncio.sleep(PATIENCE)
        self._waiting[message.msg_id] = None
        await self._explain(message, error)
