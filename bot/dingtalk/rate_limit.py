"""A limiter for each API that stays below DingTalk's calls per second.

No second ever has more than ``rate`` calls, while a plain token bucket allows almost twice as many in the first one.
After a burst, calls are spaced evenly, so that network jitter does not push two bursts into one of DingTalk's seconds.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from heapq import heappop, heappush
from itertools import count

PERIOD = 1.05
"""The shortest time in seconds for ``rate`` calls: DingTalk's second and 5 % for jitter on the network."""

_LATE_ALLOWED = 0.005
"""Seconds a timer may be late without lowering the rate."""


class SlidingWindowLimiter:
    """Allows ``rate`` calls in any ``period`` seconds, first come, first served; ``math.inf`` means no limit.

    Its clock is the running event loop's.
    """

    def __init__(self, rate: float, *, period: float = PERIOD) -> None:
        if rate <= 0:
            raise ValueError(f"a rate must be positive, not {rate}")
        self._unlimited = math.isinf(rate)
        # A rate below one call per period means one call per longer period.
        size = 1 if self._unlimited else max(1, int(rate))
        self._period = 0.0 if self._unlimited else period * size / rate
        self._spacing = self._period / size
        self._passed: deque[float] = deque([-math.inf] * size, maxlen=size)
        self._paused_until = -math.inf
        self._turns = count()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None

    async def take(self, turn: int | None = None, *, deadline: float | None = None) -> int:
        """Wait for capacity and return this call's turn number.

        A retried call passes its number again, so that it precedes all later calls. Raises `TimeoutError` if there is
        no capacity before ``deadline`` (event-loop time in seconds).
        """
        if turn is None:
            turn = next(self._turns)
        loop = asyncio.get_running_loop()
        now = loop.time()
        if not self._waiting and self._opens_at(queued=False) <= now:
            self._passed.append(now)
            return turn
        turn_comes = loop.create_future()
        heappush(self._waiting, (turn, turn_comes))
        if self._waiting[0][1] is turn_comes:
            self._arm(loop)
        try:
            async with asyncio.timeout_at(deadline):
                await turn_comes
        except (asyncio.CancelledError, TimeoutError):
            self._leave(turn_comes, loop)
            raise
        return turn

    def _leave(self, turn_comes: asyncio.Future[None], loop: asyncio.AbstractEventLoop) -> None:
        """Return the capacity of a cancelled call."""
        if not turn_comes.cancelled():  # its turn came at the same moment: pass the capacity on
            self._passed.pop()
            self._passed.appendleft(-math.inf)
        self._arm(loop)

    def pause(self, seconds: float) -> None:
        """Hold all calls for ``seconds`` after DingTalk reported too many."""
        loop = asyncio.get_running_loop()
        self._paused_until = max(self._paused_until, loop.time() + seconds)
        self._arm(loop)

    def _opens_at(self, *, queued: bool) -> float:
        """Return the time at which one more call may pass."""
        opens = max(self._passed[0] + self._period, self._paused_until)
        return max(opens, self._passed[-1] + self._spacing) if queued else opens

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the timer for the first call in the queue."""
        while self._waiting and self._waiting[0][1].done():
            heappop(self._waiting)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._timer = loop.call_at(self._opens_at(queued=True), self._let_pass, loop)

    def _let_pass(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the calls that have capacity now."""
        # The loop may fire a timer early, by up to its clock's resolution.
        now = loop.time() + 1e-6
        while self._waiting and (room := self._opens_at(queued=True)) <= now:
            _, turn_comes = heappop(self._waiting)
            if not turn_comes.done():
                turn_comes.set_result(None)
                self._passed.append(max(room, now - _LATE_ALLOWED))
        self._timer = None
        self._arm(loop)
