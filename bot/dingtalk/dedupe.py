"""The same matter, sent several times, is worked on once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from cachetools import TTLCache

Result = TypeVar("Result")


class Once(Generic[Result]):
    """Runs work once per key and gives its result to everybody who asks for the same key.

    Who asks while the work is under way waits for it, so that nobody is told "done" before it is done. Results that
    ``keep`` accepts are remembered for ``ttl`` seconds, at most ``limit`` of them; work under way is never forgotten.
    Work that fails, or whose result is not kept, may be done again; who waited for failing work is cancelled with it.
    """

    def __init__(
        self, *, limit: int, ttl: float, monotonic: Callable[[], float], keep: Callable[[Result], bool]
    ) -> None:
        self._done: TTLCache[Hashable, Result] = TTLCache(maxsize=limit, ttl=ttl, timer=monotonic)
        self._under_way: dict[Hashable, asyncio.Future[Result]] = {}
        self._keep = keep

    async def do(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """Return the result of ``work``, or that of the same key's work before. Raises what ``work`` raises."""
        if (done := self._done.get(key)) is not None:
            return done
        if (under_way := self._under_way.get(key)) is not None:
            return await asyncio.shield(under_way)
        mine = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            result = await work()
        except BaseException:
            mine.cancel()
            raise
        finally:
            del self._under_way[key]
        if self._keep(result):
            self._done[key] = result
        mine.set_result(result)
        return result
