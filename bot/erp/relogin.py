"""A login that expires: renewed once for all concurrent callers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from bot.erp.errors import AuthExpired, AuthFailed, ErpError
from bot.mechanisms.single_flight import SingleFlight

S = TypeVar("S")
T = TypeVar("T")


class Relogin(Generic[S]):
    """Keeps the result of ``login`` (a token, cookies, an id) and renews it when a call raises `AuthExpired`."""

    def __init__(self, login: Callable[[], Awaitable[S]]) -> None:
        self._login = login
        self._session: S | None = None
        self._logins: SingleFlight[S] = SingleFlight()

    @property
    def session(self) -> S | None:
        """Return the current session, if any; for logging out."""
        return self._session

    async def run(self, call: Callable[[S], Awaitable[T]]) -> T:
        """Return the result of ``call`` with the session, after one renewal if it has expired.

        ``call`` may raise `AuthExpired` only if the ERP did nothing, so that writes are safe here too. Raises the
        errors of ``login``, and `AuthFailed` if the login or a new session is refused.
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

    async def end(self, log_out: Callable[[S], Awaitable[object]]) -> None:
        """Forget the session and log out; if that fails, the session expires by itself."""
        await self._logins.cancel()
        session, self._session = self._session, None
        if session is not None:
            with suppress(ErpError):
                await log_out(session)

    async def _session_but(self, old: S | None) -> S:
        """Return a session other than ``old``: one that another caller got meanwhile, or a new one."""
        if self._session is not None and self._session is not old:
            return self._session
        return await self._logins.join(self._log_in)

    async def _log_in(self) -> S:
        self._session = None
        try:
            self._session = await self._login()
        except AuthExpired as error:
            raise AuthFailed("the account is refused", source=error.source) from error
        return self._session
