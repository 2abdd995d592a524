"""One gate per API that keeps us below DingTalk's calls per second.

The gate never lets more than ``rate`` calls pass in any second, where a plain token bucket lets almost twice as many
pass in the first one. After a burst it spaces the calls evenly, so that jitter on the network does not push two waves
into one of DingTalk's seconds.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from heapq import heappop, heappush
from itertools import count

PERIOD = 1.05
"""Seconds that ``rate`` calls take at least: DingTalk's second and 5 % for jitter on the way."""

_FORGIVEN = 0.005
"""Seconds that the event loop may wake us late without lowering the rate."""


class SlidingWindowLimiter:
    """At most ``rate`` calls in any ``period`` seconds, first come, first served; ``math.inf`` means no limit.

    Its clock is the running event loop's.
    """

    def __init__(self, rate: float, *, period: float = PERIOD) -> None:
        if rate <= 0:
            raise ValueError(f"a rate must be positive, not {rate}")
        self._unlimited = math.isinf(rate)
        # A rate below one call per period is one call per a longer period.
        size = 1 if self._unlimited else max(1, int(rate))
        self._period = 0.0 if self._unlimited else period * size / rate
        self._spacing = self._period / size
        self._passed: deque[float] = deque([-math.inf] * size, maxlen=size)
        self._paused_until = -math.inf
        self._turns = count()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, turn: int | None = None, *, deadline: float | None = None) -> int:
        """Wait for room and return the number of this call's turn.

        A call that has to be repeated passes its number again and so keeps its place before all later calls.
        Raises `TimeoutError` when there is no room before ``deadline`` (the event loop's time in seconds).
        """
        if turn is None:
            turn = next(self._turns)
        loop = asyncio.get_running_loop()
        now = loop.time()
        if not self._waiting and self._opens_at(queued=False) <= now:
            self._passed.append(now)
            return turn
        place = loop.create_future()
        heappush(self._waiting, (turn, place))
        if self._waiting[0][1] is place:
            self._arm(loop)
        try:
            async with asyncio.timeout_at(deadline):
                await place
        except (asyncio.CancelledError, TimeoutError):
            self._leave(place, loop)
            raise
        return turn

    def _leave(self, place: asyncio.Future[None], loop: asyncio.AbstractEventLoop) -> None:
        """Give back the room of a call that no longer wants it."""
        if not place.cancelled():  # the room came in the same moment as the cancellation: hand it on
            self._passed.pop()
            self._passed.appendleft(-math.inf)
        self._arm(loop)

    def pause(self, seconds: float) -> None:
        """Let nobody pass for ``seconds``: DingTalk said that we are too fast."""
        loop = asyncio.get_running_loop()
        self._paused_until = max(self._paused_until, loop.time() + seconds)
        self._arm(loop)

    def _opens_at(self, *, queued: bool) -> float:
        """Return the time from which one more call may pass."""
        opens = max(self._passed[0] + self._period, self._paused_until)
        return max(opens, self._passed[-1] + self._spacing) if queued else opens

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the one timer for the first in the queue."""
        while self._waiting and self._waiting[0][1].done():
            heappop(self._waiting)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._timer = loop.call_at(self._opens_at(queued=True), self._let_pass, loop)

    def _let_pass(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let all pass for whom there is room now."""
        # The loop may call a timer up to its clock's resolution early.
        now = loop.time() + 1e-6
        while self._waiting and (room := self._opens_at(queued=True)) <= now:
            _, place = heappop(self._waiting)
            if not place.done():
                place.set_result(None)
                self._passed.append(max(room, now - _FORGIVEN))
        self._timer = None
        self._arm(loop)
