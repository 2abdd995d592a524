"""The same matter, sent several times, is worked on once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Deduplicator(Generic[Result]):
    """Runs work once per key and gives its result to everybody who asks for the same key.

    Who asks while the work is under way waits for it, so that nobody is told "done" before it is done. Results that
    ``keep`` accepts are remembered for ``ttl`` seconds, at most ``limit`` of them; work under way is never forgotten.
    Work that fails, or whose result is not kept, may be done again; who waited for failing work is cancelled with it.
    """

    def __init__(
        self, *, limit: int, ttl: float, monotonic: Callable[[], float], keep: Callable[[Result], bool]
    ) -> None:
        # Oldest first. A cache class of a library does the same in five times the time, for every message.
        self._done: OrderedDict[Hashable, tuple[Result, float]] = OrderedDict()
        self._limit = limit
        self._ttl = ttl
        self._monotonic = monotonic
        self._under_way: dict[Hashable, asyncio.Future[Result] | None] = {}
        """Work, and what those wait for who asked for the same: there is none while nobody does."""
        self._keep = keep

    async def run(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """Return the result of ``work``, or that of the same key's work before. Raises what ``work`` raises."""
        if (done := self._done.get(key)) is not None and done[1] > self._monotonic():
            return done[0]
        if key in self._under_way:
            return await self._follow(key)
        self._under_way[key] = None
        try:
            result = await work()
        except BaseException:
            if (followed := self._under_way.pop(key)) is not None:
                followed.cancel()
            raise
        if (followed := self._under_way.pop(key)) is not None:
            followed.set_result(result)
        if self._keep(result):
            self._remember(key, result)
        return result

    async def _follow(self, key: Hashable) -> Result:
        followed = self._under_way[key]
        if followed is None:
            followed = self._under_way[key] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(followed)

    def _remember(self, key: Hashable, result: Result) -> None:
        now = self._monotonic()
        self._done[key] = (result, now + self._ttl)
        self._done.move_to_end(key)
        while len(self._done) > self._limit or next(iter(self._done.values()))[1] <= now:
            self._done.popitem(last=False)
