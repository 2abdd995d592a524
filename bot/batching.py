"""Asks of the same moment, answered together: while one batch is under way, the next one gathers.

What waits for a round trip or a commit costs the same for one as for twenty. Alone an ask is answered at once, so
nobody waits for company; the batches grow with the load by themselves.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

MAX_BATCH = 200
"""Asks in one batch: bounds how long those behind wait for it."""


class Batcher(Generic[A, B]):
    """Answers asks through ``together``, which returns an answer for each ask, in their order.

    When a batch fails, each of its asks is tried alone, so that one bad ask fails nobody else's; those that fail then
    raise what ``together`` raises.
    """

    def __init__(self, together: Callable[[Sequence[A]], Awaitable[Sequence[B]]], most: int = MAX_BATCH) -> None:
        self._together = together
        self._most = most
        self._waiting: deque[tuple[A, asyncio.Future[B]]] = deque()
        self._work: asyncio.Task[None] | None = None

    async def __call__(self, ask: A) -> B:
        """Return the answer; who is cancelled meanwhile is answered in vain."""
        answer: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, answer))
        if self._work is None:
            self._work = asyncio.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                if not await self._answered(batch) and len(batch) > 1:
                    for one in batch:
                        await self._answered([one])
        finally:
            self._work = None

    async def _answered(self, batch: Sequence[tuple[A, asyncio.Future[B]]]) -> bool:
        """Answer a batch; False when it failed and its asks are still to be tried alone."""
        try:
            answers = await self._together([ask for ask, _ in batch])
        except Exception as error:  # noqa: BLE001 - whoever asked raises it
            if len(batch) > 1:
                return False
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return True
        for (_, answer), one in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(one)
        return True
