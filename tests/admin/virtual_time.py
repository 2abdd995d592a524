"""An event loop whose time passes only when nobody has anything to do: a week of the running bot in seconds."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable
from datetime import datetime, timedelta


class _Selector(selectors.SelectSelector):
    """Jumps instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.ms = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:  # no time to pass: what is awaited is a thread, as when a database is closed
            return super().select(None)
        if timeout > 0:
            self.ms += math.ceil(timeout * 1000 - 1e-6)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Counts whole milliseconds, as the tables do."""

    def __init__(self) -> None:
        self.selector = _Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.ms / 1000


def clock_from(start: datetime) -> Callable[[], datetime]:
    """Return the clock of the running loop, which shows ``start`` at its beginning."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return lambda: start + timedelta(milliseconds=loop.selector.ms)
