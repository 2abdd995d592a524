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
        self._under_way: asyncio.Task[S] | None = None

    @property
    def session(self) -> S | None:
        """Return the session in use, if any; for logging out."""
        return self._session

    async def run(self, call: Callable[[S], Awaitable[T]]) -> T:
        """Return what ``call`` makes of the session, after one renewal if it was over.

        ``call`` raises `AuthExpired` only when the ERP did nothing, so that a write may go through here too. Raises
        what ``login`` raises, and `AuthFailed` where the login or a new session is refused.
        """
        session = await self._session_but(None)
        try:
            return await call(session)
        except AuthExpired:
            session = await self._session_but(session)
        try:
            return await call(session)
        except AuthExpired as error:
            raise AuthFailed("a new session is refused", source=error.source) from error

    async def _session_but(self, old: S | None) -> S:
        """Return a session other than ``old``: what another caller got meanwhile, or a new one."""
        if self._session is not None and self._session is not old:
            return self._session
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._log_in())
            # Who asked may have gone away, and then nobody looks at the error.
            self._under_way.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._under_way)

    async def _log_in(self) -> S:
        self._session = None
        try:
            self._session = await self._login()
        except AuthExpired as error:
            raise AuthFailed("the account is refused", source=error.source) from error
        finally:
            self._under_way = None
        return self._session
