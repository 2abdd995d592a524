"""The door of programs: whose key a request shows. Whoever guesses keys has to wait.

A key that was good goes past the bounds, so a stranger behind the same proxy keeps no program out. The bounds are per
process: to count guesses together would cost the store more than to look a key up, and a key has 256 bits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from bot.access.api_keys import ApiKeys, Program
from bot.access.page_sessions import digest_of
from bot.mechanisms.recency import RecentItems
from bot.web.api.problems import NO_KEY, NO_SUCH, ApiProblem
from bot.web.failed_proofs import OF_ADDRESS, ProofBounds
from bot.words.phrase import phrase

TOO_MANY_KEYS = phrase("Too many keys of this address were not valid. Please try again later.")
_BEARER = "Bearer "
_CHALLENGE = 'Bearer realm="dingerp"'
_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class ProgramDoor:
    """Lets programs in."""

    keys: ApiKeys
    bounds: ProofBounds
    resource_metadata: str = ""
    """Where a program reads how to get a key by a login, which is a way in without any keys; empty for no such way."""
    _good: RecentItems[str, bool] = field(default_factory=lambda: RecentItems(_KNOWN), init=False)
    """The hashes of tokens that were good when they were looked at last."""

    async def is_there(self) -> bool:
        """Return whether there is a door at all: without keys there is none."""
        return bool(self.resource_metadata) or await self.keys.any_there()

    async def admit(self, request: web.Request) -> Program:
        """Return whose program sends a request. Raises `ApiProblem`, and a `DingerpError` as `ApiKeys.find` does."""
        sent, address = request.headers.get("Authorization", ""), request.remote or ""
        token = sent[len(_BEARER) :].strip() if sent[: len(_BEARER)].lower() == _BEARER.lower() else ""
        digest = digest_of(token)
        known = not token or self._good.get(digest) is not None
        if not known and not self.bounds.admit(address):
            wait = OF_ADDRESS.regained.total_seconds()
            raise ApiProblem(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY_KEYS, retry_after=wait)
        program = await self.keys.find(token) if token else None
        if program is not None:
            self._good.put(digest, True)
            if not known:
                self.bounds.succeed(address)
            return program
        self._good.pop(digest)
        if not await self.is_there():
            raise ApiProblem(HTTPStatus.NOT_FOUND, NO_SUCH)
        raise ApiProblem(HTTPStatus.UNAUTHORIZED, NO_KEY, headers={"WWW-Authenticate": self._challenge(token)})

    def _challenge(self, token: str) -> str:
        """Return what is asked for (RFC 6750), and where to read on (RFC 9728)."""
        if not self.resource_metadata:
            return _CHALLENGE
        wrong = ', error="invalid_token"' if token else ""
        return f'{_CHALLENGE}{wrong}, resource_metadata="{self.resource_metadata}"'
