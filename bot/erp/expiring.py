"""Values that are expensive to read and seldom change: read once for concurrent callers, then cached for some time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from bot.single_flight import SingleFlight

T = TypeVar("T")

COMPANIES_HOLD = timedelta(minutes=10)
"""How long it is believed that an account sees one company alone."""

FOREVER = timedelta(days=36_500)
"""For values that do not change while the bot runs."""


class ExpiringValue(Generic[T]):
    """A cached value and how to read it. Failures are not cached: the next call reads again."""

    def __init__(
        self,
        read: Callable[[], Coroutine[Any, Any, T]],
        *,
        now: Callable[[], datetime],
        holds: timedelta | Callable[[T], timedelta] = FOREVER,
    ) -> None:
        """``holds`` is how long a value is cached; a function if that depends on the value."""
        self._read = read
        self._now = now
        self._holds = holds
        self._until: datetime | None = None
        self._value: T
        self._flight: SingleFlight[None] = SingleFlight()

    async def value(self) -> T:
        """Return the value; raises the errors of reading it."""
        if self._until is None or self._now() >= self._until:
            await self._flight.join(self._renew)
        return self._value

    async def cancel(self) -> None:
        """Cancel a read in progress."""
        await self._flight.cancel()

    async def _renew(self) -> None:
        self._value = await self._read()
        holds = self._holds if isinstance(self._holds, timedelta) else self._holds(self._value)
        self._until = self._now() + holds
