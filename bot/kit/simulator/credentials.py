"""Expiring credentials: connection tickets, app tokens, session webhooks, login codes, download links."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.enterprise import SimPerson

Value = TypeVar("Value")

_TICKETS_KEPT = 10_000
NONCE_SECONDS, REGISTRATION_SECONDS = 300, 7200
_TICKET_DAY = 86_400.0
_SESSIONS_KEPT = 100_000


class ExpiringKeys(Generic[Value]):
    """Expiring random keys, each with a value. Beyond the maximum, the oldest are dropped."""

    def __init__(self, mint: Callable[[], str], clock: Callable[[], float], life: float, keep: int) -> None:
        self._mint, self._clock, self._life, self._keep = mint, clock, life, keep
        self._entries: dict[str, tuple[float, Value]] = {}

    def issue(self, value: Value) -> tuple[str, float]:
        """Return a new key and its expiry (seconds since 1970)."""
        key, expires = self._mint(), self._clock() + self._life
        self._entries[key] = (expires, value)
        if len(self._entries) > self._keep:
            del self._entries[next(iter(self._entries))]
        return key, expires

    def peek(self, key: object) -> Value | None:
        """Return the value of a valid key."""
        entry = self._entries.get(key) if isinstance(key, str) else None
        return entry[1] if entry is not None and self._clock() < entry[0] else None

    def redeem(self, key: object) -> Value | None:
        """Return the value of a valid key, and invalidate the key."""
        value = self.peek(key)
        if isinstance(key, str):
            self._entries.pop(key, None)
        return value

    def values(self) -> list[Value]:
        """Return the values of all valid keys."""
        return [value for expires, value in self._entries.values() if self._clock() < expires]

    def clear(self) -> None:
        """Invalidate all keys."""
        self._entries.clear()


@dataclass(frozen=True, slots=True)
class ConnectionTicket:
    """The client's request to `connections/open`: ``(type, topic)`` pairs."""

    subscriptions: frozenset[tuple[str, str]]
    user_agent: str


@dataclass(slots=True)
class SimRegistration:
    """An app that somebody is to create by a QR code; ``agreed`` is None until they have answered."""

    user_code: str
    agreed: bool | None = None


class Credentials:
    """The secrets issued by the platform, all with lifetimes on the configured clock."""

    def __init__(self, config: SimulatorConfig, rng: random.Random) -> None:
        self._config = config

        def hexadecimal() -> str:
            return f"{rng.getrandbits(128):032x}"

        def clock() -> float:
            return config.now().timestamp()

        self._clock, self._mint = clock, hexadecimal
        minutes = config.auth_code_life.total_seconds()
        self.tickets: ExpiringKeys[ConnectionTicket] = ExpiringKeys(
            lambda: _uuid(hexadecimal()), clock, config.ticket_life.total_seconds(), _TICKETS_KEPT
        )
        self.sessions: ExpiringKeys[str] = ExpiringKeys(
            hexadecimal, clock, config.session_life.total_seconds(), _SESSIONS_KEPT
        )
        self.auth_codes: ExpiringKeys[SimPerson] = ExpiringKeys(hexadecimal, clock, minutes, _TICKETS_KEPT)
        self.client_codes: ExpiringKeys[SimPerson] = ExpiringKeys(hexadecimal, clock, minutes, _TICKETS_KEPT)
        self.user_tokens: ExpiringKeys[SimPerson] = ExpiringKeys(
            hexadecimal, clock, config.token_life.total_seconds(), _TICKETS_KEPT
        )
        self.refresh_tokens: ExpiringKeys[SimPerson] = ExpiringKeys(hexadecimal, clock, 30 * 86400.0, _TICKETS_KEPT)
        self.downloads: ExpiringKeys[str] = ExpiringKeys(
            hexadecimal, clock, config.download_life.total_seconds(), _TICKETS_KEPT
        )
        self.nonces: ExpiringKeys[str] = ExpiringKeys(hexadecimal, clock, NONCE_SECONDS, _TICKETS_KEPT)
        self.registrations: ExpiringKeys[SimRegistration] = ExpiringKeys(
            hexadecimal, clock, REGISTRATION_SECONDS, _TICKETS_KEPT
        )
        self._tokens: dict[str, float] = {}
        self._current = ""
        self._ticket, self._ticket_born, self._ticket_ends = "", 0.0, 0.0

    def is_app_key(self, client_id: object, client_secret: object) -> bool:
        """Return whether these are exactly the app's key and secret: a surrounding blank is wrong too."""
        return client_id == self._config.client_id and client_secret == self._config.client_secret

    def app_token(self) -> tuple[str, int]:
        """Return the app token and its lifetime in seconds. While valid it stays the same and is extended.

        Docs: platform/dingtalk/openapi.md#app-token
        """
        life = self._config.token_life.total_seconds()
        if not self.is_valid_token(self._current):
            self._current = self._mint()
        self._tokens[self._current] = self._clock() + life
        return self._current, int(life)

    def jsapi_ticket(self) -> tuple[str, int]:
        """Return the ticket of `dd.config` and its lifetime in seconds. Each request extends it, up to a day after its
        creation.

        Docs: platform/dingtalk/login.md#ddconfig
        """
        now, life = self._clock(), self._config.token_life.total_seconds()
        if now >= min(self._ticket_ends, self._ticket_born + _TICKET_DAY):
            self._ticket, self._ticket_born = self._mint(), now
        self._ticket_ends = now + life
        return self._ticket, int(life)

    def is_valid_token(self, token: str | None) -> bool:
        """Return whether an app token is valid."""
        expires = self._tokens.get(token) if token is not None else None
        return expires is not None and self._clock() < expires

    def expire_tokens(self) -> None:
        """Invalidate all app tokens, as an administrator's reset of the secret would."""
        self._tokens.clear()


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
