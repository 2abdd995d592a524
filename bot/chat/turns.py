"""One at a time: spreads heavy steps over the turns of the event loop, so that light ones get through in between."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """Lets one waiter pass in each turn of the event loop, first come, first served.

    Without it, whatever is released together (by a commit, by an ERP) works together: a turn of the loop then takes
    as long as all of it, and frames wait that long for their acknowledgement.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def next(self) -> None:
        """Wait for the next free turn."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        self._waiting.append(mine)
        if len(self._waiting) == 1:
            loop.call_soon(self._admit, loop)
        await mine

    def _admit(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            first = self._waiting[0]
            if not first.done():  # else it was cancelled while it waited
                first.set_result(None)
                break
            self._waiting.popleft()
        else:
            return
        self._waiting.popleft()
        if self._waiting:
            loop.call_soon(self._admit, loop)
