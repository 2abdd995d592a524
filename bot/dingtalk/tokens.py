"""The application's access token: fetched once for all waiting calls, renewed before it expires.

Docs: platform/dingtalk/openapi.md#app-token
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bot.dingtalk.errors import DingTalkAuthFailed
from bot.mechanisms.single_flight import SingleFlight
from bot.words.errors import DingerpError

_log = structlog.get_logger(__name__)

RENEW_BEFORE = 300.0
"""Seconds before its expiry at which a token is renewed."""

REFUSED_PAUSE = 60.0
"""Seconds during which refused keys are not retried."""


@dataclass(frozen=True, slots=True)
class AccessTokenGrant:
    """A token and its lifetime in seconds."""

    token: str
    lifetime: float


class AccessTokens:
    """Keeps one valid token. ``fetch`` gets a new one from DingTalk; ``clock`` counts seconds."""

    def __init__(
        self, fetch: Callable[[], Awaitable[AccessTokenGrant]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0
        self._ends_at = 0.0
        self._renewal: SingleFlight[str] = SingleFlight()
        self._refusal: DingTalkAuthFailed | None = None
        self._refused_until = 0.0

    def ready(self) -> str:
        """Return the token if it needs no renewal yet, otherwise an empty string."""
        return self._token if self._clock() < self._renew_at else ""

    async def get(self) -> str:
        """Return a valid token, fetching one if necessary.

        Raises `DingTalkAuthFailed` for wrong keys, without asking DingTalk again within `REFUSED_PAUSE`, and the errors
        of ``fetch``.
        """
        if token := self.ready():
            return token
        if self._refusal is not None and self._clock() < self._refused_until:
            raise DingTalkAuthFailed(self._refusal.detail, code=self._refusal.code)
        return await self._renewal.join(self._renew)

    def drop(self, token: str) -> None:
        """Drop ``token`` after DingTalk refused it; a newer one stays."""
        if token == self._token:
            self._token, self._renew_at, self._ends_at = "", 0.0, 0.0

    async def _renew(self) -> str:
        try:
            grant = await self._fetch()
        except DingTalkAuthFailed as refusal:
            self._refusal, self._refused_until = refusal, self._clock() + REFUSED_PAUSE
            raise
        except DingerpError as trouble:
            if self._clock() >= self._ends_at:
                raise
            _log.warning("token_renewal_failed", error=type(trouble).__name__, detail=trouble.detail)
            return self._token
        now = self._clock()
        self._refusal = None
        self._token = grant.token
        self._ends_at = now + grant.lifetime
        self._renew_at = self._ends_at - min(RENEW_BEFORE, grant.lifetime / 4)
        return grant.token
