"""Values that are expensive to read and seldom change: read once for concurrent callers, then cached for some time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from bot.mechanisms.single_flight import SingleFlight

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

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

    async def value(self, *, fits: Callable[[T], bool] | None = None) -> T:
        """Return the value; one from before that does not fit is read again. Raises the errors of reading it."""
        if self._until is None or self._now() >= self._until or (fits is not None and not fits(self._value)):
            await self._flight.join(self._renew)
        return self._value

    async def cancel(self) -> None:
        """Cancel a read in progress."""
        await self._flight.cancel()

    async def _renew(self) -> None:
        self._value = await self._read()
        holds = self._holds if isinstance(self._holds, timedelta) else self._holds(self._value)
        self._until = self._now() + holds


class ExpiringMapping(ExpiringValue[Mapping[K, V]]):
    """What keys mean. A key that is new, such as that of a warehouse of today, is known as soon as a record has it."""

    _missed: frozenset[K] = frozenset()
    """Keys that were read for in vain: of what was deleted, or may not be read."""

    async def of(self, keys: Iterable[K]) -> Mapping[K, V]:
        """Return what all keys mean, read again where any of ``keys`` is new."""
        wanted = frozenset(keys) - self._missed
        found = await self.value(fits=lambda known: wanted <= known.keys())
        self._missed |= wanted - found.keys()
        return found
