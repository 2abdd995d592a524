"""A login that runs out: renewed once, by one caller, for all who noticed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from bot.erp.errors import AuthExpired, AuthFailed

S = TypeVar("S")
T = TypeVar("T")


class Relogin(Generic[S]):
    """Keeps what ``login`` returned (a token, cookies, an id) and gets it anew when a call says `AuthExpired`."""

    def __init__(self, login: Callable[[], Awaitable[S]]) -> None:
        self._login = login
        self._session: S | None = None
        self._generation = 0
        self._lock = asyncio.Lock()

    @property
    def session(self) -> S | None:
        """Return the session in use, if any; for logging out."""
        return self._session

    async def run(self, call: Callable[[S], Awaitable[T]]) -> T:
        """Return what ``call`` makes of the session, after one renewal if it was over.

        ``call`` raises `AuthExpired` only when the ERP did nothing, so that a write may go through here too. Raises
        what ``login`` raises, and `AuthFailed` where a new session is refused as well.
        """
        session, generation = await self._current()
        try:
            return await call(session)
        except AuthExpired:
            session = await self._renewed(generation)
        try:
            return await call(session)
        except AuthExpired as error:
            raise AuthFailed("a new session is refused", source=error.source) from error

    async def _current(self) -> tuple[S, int]:
        if self._session is None:
            await self._renewed(0)
        assert self._session is not None
        return self._session, self._generation

    async def _renewed(self, generation: int) -> S:
        """Return a session newer than ``generation``; who comes second takes what the first one got."""
        async with self._lock:
            if self._session is None or self._generation == generation:
                self._session = None
                self._session = await self._login()
                self._generation += 1
            return self._session
