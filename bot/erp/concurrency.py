"""Calls at the same time: several of one question, and one call that several askers wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


async def gather_or_cancel(*calls: Awaitable[T]) -> list[T]:
    """Return what calls return that run at the same time, in order; the failure of one ends the others."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


class SingleFlight(Generic[T]):
    """A read under way, or landed. Who follows it gets its answer; who goes away meanwhile does not end it.

    `asyncio.shield` does the same with one more turn of the event loop for each asker.
    """

    __slots__ = ("_answer", "_followers", "_task")

    def __init__(self) -> None:
        self._followers: list[asyncio.Future[T]] = []
        self._task: asyncio.Task[None] | None = None
        self._answer: T

    def start(self, read: Coroutine[Any, Any, T]) -> None:
        """Begin the read, in a copy of the asker's context."""
        self._task = asyncio.create_task(self._fly(read))

    async def wait(self) -> T:
        """Return what the read brings. Raises what it raises, and `asyncio.CancelledError` when it was ended."""
        task = self._task
        assert task is not None, "a flight is followed when it has started"
        if not task.done():
            mine: asyncio.Future[T] = task.get_loop().create_future()
            self._followers.append(mine)
            return await mine
        task.result()  # raises
        return self._answer

    async def cancel(self) -> None:
        """Give the read up."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _fly(self, read: Coroutine[Any, Any, T]) -> None:
        try:
            self._answer = await read
        except asyncio.CancelledError:
            for follower in self._followers:
                follower.cancel()
            raise
        except Exception as defect:
            waiting = [follower for follower in self._followers if not follower.done()]
            for follower in waiting:
                follower.set_exception(defect)
            if not waiting:
                raise
        else:
            for follower in self._followers:
                if not follower.done():
                    follower.set_result(self._answer)
            self._followers.clear()
