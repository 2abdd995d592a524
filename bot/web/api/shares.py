"""The share of each key: how many of its requests are answered at the same time.

A limit of questions in a minute lets a program ask all of them at once, and those who ask after it would wait. With a
share of its own, a key that floods waits for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from time import perf_counter

from bot.web.api.problems import ApiProblem
from bot.words.phrase import phrase

AT_ONCE, MOST_WAITING = 2, 60
"""Requests of one key that are answered at the same time, and that wait for these."""
CROWD = 8
"""From more requests on at the same time a key floods. It rests after each answer: the event loop is of all."""
REST, MOST_REST = 3.0, 0.25
"""The rest by the time that the answer took, and seconds of it at the most: an ERP may be slow."""
_HELD = 0.5
"""Seconds until a refusal is sent: a program that minds no refusal asks again at once."""
_PATIENCE = 1.0
TOO_MANY_AT_ONCE = phrase("Too many requests of this key wait at the same time. Send the next one after an answer.")


@dataclass(slots=True)
class _Share:
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    requests: int = 0


class KeyShares:
    """Lets requests in, each when it is the turn of its key. Keys that ask nothing are forgotten."""

    def __init__(
        self,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._pause = pause
        self._clock = clock
        self._shares: dict[str, _Share] = {}

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Wait for a turn of a key. Raises `ApiProblem` where too many wait already."""
        share = self._shares.setdefault(key, _Share())
        if share.requests >= AT_ONCE + MOST_WAITING:
            await self._pause(_HELD)
            raise ApiProblem(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY_AT_ONCE, retry_after=_PATIENCE)
        share.requests += 1
        try:
            async with share.turns:
                began = self._clock()
                yield
                if share.requests > CROWD:
                    await self._pause(min(REST * (self._clock() - began), MOST_REST))
        finally:
            share.requests -= 1
            if not share.requests:
                del self._shares[key]
