"""The interruptible sleep of a worker between its rounds."""

from __future__ import annotations

import asyncio


class Wakeup:
    """Ends a worker's sleep early. A worker clears it before looking for work, so that no call is missed."""

    __slots__ = ("_called",)

    def __init__(self) -> None:
        self._called = asyncio.Event()

    def call(self) -> None:
        """End the sleep, or the next one if the worker is awake."""
        self._called.set()

    def clear(self) -> None:
        """Clear earlier calls: the round that begins now handles them."""
        self._called.clear()

    async def sleep(self, seconds: float) -> None:
        """Return once `call` was called since the last `clear`, at the latest after ``seconds``."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._called.wait()
        except TimeoutError:
            return
