"""Processes repeated messages once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Deduplicator(Generic[Result]):
    """Runs work once per key and gives its result to all callers with the same key.

    A caller arriving while the work runs waits for it, so no caller gets a result too early. Results that ``keep``
    accepts are remembered for ``ttl`` seconds, at most ``limit`` of them; running work is never dropped. Work that
    failed, or whose result is not kept, may run again; callers waiting for it are cancelled.
    """

    def __init__(
        self, *, limit: int, ttl: float, monotonic: Callable[[], float], keep: Callable[[Result], bool]
    ) -> None:
        # Oldest first. The cache class of a library needs five times as long for every message.
        self._done: OrderedDict[Hashable, tuple[Result, float]] = OrderedDict()
        self._limit = limit
        self._ttl = ttl
        self._monotonic = monotonic
        self._under_way: dict[Hashable, asyncio.Future[Result] | None] = {}
        """Running work, with the future of later callers; None while there are none."""
        self._keep = keep

    async def run(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """Return the result of ``work``, or of earlier work with the same key. Raises what ``work`` raises."""
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
