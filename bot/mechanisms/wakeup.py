"""The interruptible sleep of a worker between its rounds, and who wakes it when another replica has work for it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

LOOK_EVERY = timedelta(seconds=5)
"""How often a worker looks for what other processes stored, if it is not told of it."""
LOOK_ANYWAY_EVERY = timedelta(seconds=30)
"""The same for one that is told: what it should have been told of is found all the same."""


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


class SharedWork(StrEnum):
    """What one replica stores and any of them may do."""

    DELIVERIES = "deliveries"
    EVENTS = "events"
    DECISIONS = "decisions"
    """Decisions to be written to an ERP, and who decides instead of whom."""


class WakeupsByOthers:
    """Wakes the workers of this process when another one has stored work of their kind."""

    def __init__(self) -> None:
        self._woken: defaultdict[SharedWork, list[Callable[[], None]]] = defaultdict(list)
        self._is_told = False

    def add(self, work: SharedWork, *wake: Callable[[], None]) -> None:
        """Have workers woken by a kind of work."""
        self._woken[work].extend(wake)

    def call(self, work: SharedWork) -> None:
        """Wake the workers of a kind."""
        for wake in self._woken[work]:
            wake()

    def call_all(self) -> None:
        """Wake all of them: what others left may be anywhere."""
        for work in SharedWork:
            self.call(work)

    def begin(self) -> None:
        """From now on this process is told of the others' work; what came before is found by looking once."""
        self._is_told = True
        self.call_all()

    def end(self) -> None:
        """From now on it is not told: the workers look often again."""
        if self._is_told:
            self._is_told = False
            self.call_all()

    @property
    def are_on(self) -> bool:
        """Whether this process is told of the others' work."""
        return self._is_told

    def look_every(self) -> timedelta:
        """Return how often a worker looks for the others' work on its own."""
        return LOOK_ANYWAY_EVERY if self._is_told else LOOK_EVERY
