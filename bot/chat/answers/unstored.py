"""Questions that could not be stored. They are not acknowledged, but a redelivery by DingTalk is not certain: they are
kept in memory, stored as soon as possible, and then answered. The asker is told about the problem once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.chat.message import Message
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

PATIENCE = 3.0
"""Seconds: a database that is back by then needs no explanation."""

AGAIN = 2.0
"""Seconds between two attempts to store a question."""

MOST = 1_000
"""Questions kept; further ones are left to DingTalk."""


class UnstoredQuestions:
    """Keeps them in memory only. ``explain`` tells a person why there is no answer yet."""

    def __init__(self, explain: Callable[[Message, DingerpError], Awaitable[None]]) -> None:
        self._explain = explain
        self._waiting: dict[str, asyncio.Task[None]] = {}
        """By message id."""

    def add(self, message: Message, error: DingerpError, store: Callable[[], None]) -> None:
        """Record that a question could not be stored; ``store`` retries, and whoever stores it calls `discard`."""
        if message.msg_id in self._waiting:
            return
        if len(self._waiting) >= MOST:
            log.error("question.not_kept", waiting=len(self._waiting), error=type(error).__name__)
            return
        self._waiting[message.msg_id] = asyncio.create_task(self._persist(message, error, store))

    def discard(self, msg_id: str) -> None:
        """Record that a question has been stored."""
        task = self._waiting.pop(msg_id, None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Stop explaining, and drop all questions."""
        for msg_id in tuple(self._waiting):
            self.discard(msg_id)

    async def _persist(self, message: Message, error: DingerpError, store: Callable[[], None]) -> None:
        await asyncio.sleep(PATIENCE / 2)
        store()
        await asyncio.sleep(PATIENCE / 2)
        try:
            await self._explain(message, error)
        except Exception as defect:
            log.error("question.not_explained", error=type(defect).__name__, exc_info=defect)
        while True:
            store()
            await asyncio.sleep(AGAIN)
