"""Shares one piece of work among several callers.

A caller that goes away does not end it for the others: the work runs in its own task, in a copy of the first caller's
context. `asyncio.shield` does the same with one more turn of the event loop for each caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from bot.words.errors import DingerpError

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

Work = Callable[[], Coroutine[Any, Any, T]]


class SingleFlight(Generic[T]):
    """One piece of work, in progress or finished."""

    __slots__ = ("_answer", "_error", "_followers", "_task")

    def __init__(self) -> None:
        self._followers: list[asyncio.Future[T]] = []
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self._answer: T

    async def join(self, work: Work[T]) -> T:
        """Return the result of the work in progress; start it if there is none. Raises its error."""
        if self._task is None or self._task.done():
            self.start(work())
        return await self.wait()

    def start(self, work: Coroutine[Any, Any, T]) -> None:
        """Start the work; it must not be in progress."""
        self._error = None
        self._task = asyncio.create_task(self._fly(work))

    async def wait(self) -> T:
        """Return the result of the work. Raises its error, `asyncio.CancelledError` if it was cancelled."""
        task = self._task
        assert task is not None, "a flight is followed when it has started"
        if not task.done():
            follower: asyncio.Future[T] = task.get_loop().create_future()
            self._followers.append(follower)
            return await follower
        if self._error is not None:
            raise self._error
        task.result()  # raises if it was cancelled
        return self._answer

    async def cancel(self) -> None:
        """Cancel the work if it is in progress."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _fly(self, work: Coroutine[Any, Any, T]) -> None:
        try:
            self._answer = await work
        except asyncio.CancelledError:
            for follower in self._landed():
                follower.cancel()
            raise
        except BaseException as error:
            self._error = error
            followers = self._landed()
            for follower in followers:
                follower.set_exception(error)
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            if not followers and not isinstance(error, DingerpError):
                raise  # a defect that nobody waits for: the event loop reports it
        else:
            for follower in self._landed():
                follower.set_result(self._answer)

    def _landed(self) -> list[asyncio.Future[T]]:
        """Return the remaining waiters, and clear the list."""
        followers = [follower for follower in self._followers if not follower.done()]
        self._followers.clear()
        return followers


class SingleFlights(Generic[K, T]):
    """Work in progress by key. Finished work is dropped: the next caller starts over."""

    def __init__(self) -> None:
        self._flights: dict[K, SingleFlight[T]] = {}

    async def join(self, key: K, work: Work[T]) -> T:
        """Return the result of the work in progress for ``key``; start it if there is none. Raises its error."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = SingleFlight()
            flight.start(self._fly(key, work))
        return await flight.wait()

    async def _fly(self, key: K, work: Work[T]) -> T:
        try:
            return await work()
        finally:
            del self._flights[key]
