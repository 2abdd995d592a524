"""Who may come to the set-up: whoever has the address that the terminal shows, once."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256


def _made() -> str:
    return secrets.token_urlsafe(32)


@dataclass(slots=True)
class SetupDoor:
    """One browser is in at a time. ``announce`` tells the terminal the token of the next address: each opens once."""

    announce: Callable[[str], None]
    _token: str = field(default="", repr=False, init=False)
    _session: str = field(default="", repr=False, init=False)

    def open(self) -> None:
        """Announce an address."""
        self._token = _made()
        self.announce(self._token)

    def enter(self, token: str) -> str:
        """Return a new session for the token, which is spent by that, and so is the session before; empty for any
        other token.
        """
        if not self._token or not _same(token, self._token):
            return ""
        self._session = _made()
        self.open()
        return self._session

    def knows(self, session: str) -> bool:
        """Return whether a session is in."""
        return bool(self._session) and _same(session, self._session)

    @property
    def token(self) -> str:
        """The token of the next address."""
        return self._token

    @property
    def form_token(self) -> str:
        """What the forms of the session carry."""
        return sha256(f"form {self._session}".encode()).hexdigest()

    def sent_form(self, token: str) -> bool:
        """Return whether a form is the session's."""
        return bool(self._session) and _same(token, self.form_token)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
