"""Requests of one moment, answered together: while one batch runs, the next one gathers.

A round trip or a commit costs the same for one request as for twenty. A lone request is answered at once; batches grow
with the load.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

MAX_BATCH = 200
"""Requests per batch; it bounds the wait of those behind it."""


class Batcher(Generic[A, B]):
    """Answers requests through ``together``, which returns an answer for each, in order.

    When a batch fails, its requests are retried individually, so that a bad one does not fail the others; a request
    that fails alone raises the error of ``together``. Without ``retry_alone`` all requests of the batch raise it.
    """

    def __init__(
        self,
        together: Callable[[Sequence[A]], Awaitable[Sequence[B]]],
        most: int = MAX_BATCH,
        *,
        size: Callable[[A], int] | None = None,
        retry_alone: bool = True,
    ) -> None:
        """``most`` bounds a batch by the sum of its requests' ``size`` (1 each by default)."""
        self._together = together
        self._most = most
        self._size = size
        self._retry_alone = retry_alone
        self._waiting: deque[tuple[A, asyncio.Future[B]]] = deque()
        self._work: asyncio.Task[None] | None = None

    async def __call__(self, request: A) -> B:
        """Return the answer. A cancelled caller leaves its request in the batch."""
        answer: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if self._work is None:
            self._work = asyncio.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                batch = self._next_batch()
                if not await self._answered(batch):
                    for request in batch:
                        await self._answered([request])
        finally:
            self._work = None

    def _next_batch(self) -> Sequence[tuple[A, asyncio.Future[B]]]:
        if self._size is None:
            return [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        batch = [self._waiting.popleft()]
        room = self._most - self._size(batch[0][0])
        while self._waiting and (room := room - self._size(self._waiting[0][0])) >= 0:
            batch.append(self._waiting.popleft())
        return batch

    async def _answered(self, batch: Sequence[tuple[A, asyncio.Future[B]]]) -> bool:
        """Answer a batch; False if it failed and its requests are still to be retried individually."""
        try:
            answers = await self._together([request for request, _ in batch])
        except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
            if self._retry_alone and len(batch) > 1:
                return False
            for _, waiting in batch:
                if not waiting.done():
                    waiting.set_exception(error)
            return True
        except BaseException:
            for _, waiting in batch:
                waiting.cancel()
            raise
        for (_, waiting), answer in zip(batch, answers, strict=True):
            if not waiting.done():
                waiting.set_result(answer)
        return True
