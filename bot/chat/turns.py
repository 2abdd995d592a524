"""A few at a time: spreads heavy steps over the turns of the event loop, so that light ones get through in between."""

from __future__ import annotations

import asyncio
from collections import deque

STEPS = 8
"""Heavy steps in one turn: under a millisecond, and enough to find code and data still in the processor's caches."""


class Turns:
    """Lets ``steps`` callers pass in each turn of the event loop, first come, first served.

    Without it, whatever is released together (by a commit, by an ERP) works together: a turn of the loop then takes
    as long as all of it, and frames wait that long for their acknowledgement.
    """

    def __init__(self, steps: int = STEPS) -> None:
        self._steps = steps
        self._left = steps
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def next(self) -> None:
        """Pass at once while this turn has room, else wait for one that has."""
        loop = asyncio.get_running_loop()
        if self._left == self._steps:
            loop.call_soon(self._begin, loop)
        if self._left:
            self._left -= 1
            return
        mine: asyncio.Future[None] = loop.create_future()
        self._waiting.append(mine)
        await mine

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin a new turn with those who wait; runs once in every turn that follows a used one."""
        self._left = self._steps
        while self._waiting and self._left:
            first = self._waiting.popleft()
            if not first.done():  # else it was cancelled while it waited
                first.set_result(None)
                self._left -= 1
        if self._left < self._steps:
            loop.call_soon(self._begin, loop)
