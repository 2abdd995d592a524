"""What people let agents ask in their names, by OAuth 2.1: a login of the person in place of a key that they hand over.

Somebody who is logged in to the pages says yes to a client, which gets a code; with the code and the proof of who asked
for it (PKCE) it gets tokens. A grant is then a key as any other (`bot.access.api_keys`): it has an owner, opens a part
of what they may see, is counted, limited, listed and ended as keys are. Only its token is new each hour: with each new
one the client gets a refresh token, and the one before is worth nothing.

Whoever shows a code or a refresh token a second time shows that two have it, so that ends the grant for both.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.access.api_keys import API_KEY, AgentLogin, ProgramKey, make_token
from bot.access.audit import AuditEntry, AuditKind, AuditLog
from bot.access.page_sessions import digest_of
from bot.access.people import Person

CODE_LASTS = timedelta(minutes=1)
TOKEN_LASTS = timedelta(hours=1)
GRANT_LASTS = timedelta(days=30)
"""After which the person has to agree again, however often the tokens were renewed."""
MOST_OF_PERSON = 20
"""Grants of one person: with one more the oldest ends."""

_RANDOM = "[A-Za-z0-9_-]{43}"
_CODE = re.compile(rf"dgc_([0-9a-f]{{8}})_{_RANDOM}")
_REFRESH = re.compile(rf"dgr_([0-9a-f]{{8}})_({_RANDOM})({_RANDOM})")
_TOKEN = re.compile(rf"dgp_([0-9a-f]{{8}})_{_RANDOM}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
CHALLENGE = re.compile(_RANDOM)
"""What a challenge of PKCE by S256 looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentGrant:
    """What one person lets one client ask. ``id`` is that of the key which it becomes.

    ``scopes`` are tools, and ``commands`` what the key opens for them. ``family`` is the hash of what all its refresh
    tokens have in common, empty until the code was used; ``refresh`` is the hash of the last one.
    """

    id: str
    user_id: str
    client_id: str
    client: str
    redirect_uri: str
    resource: str
    scopes: tuple[str, ...]
    commands: frozenset[str]
    challenge: str
    code: str
    code_ends_at: datetime
    made_at: datetime
    ends_at: datetime
    family: str = ""
    refresh: str = ""
    token: str = ""
    """The hash of its key's token, as it is now."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client gets."""

    access: str
    refresh: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a client asks a person for, as it was checked."""

    client_id: str
    client: str
    redirect_uri: str
    resource: str
    scopes: tuple[str, ...]
    commands: frozenset[str]
    challenge: str


class AgentGrantStore(Protocol):
    """Keeps grants and their keys; implemented by `bot.store.agent_grants`.

    Each method is one transaction. Raises a `DingerpError` when the store is away.
    """

    async def put(self, grant: AgentGrant, now: datetime, most: int) -> None:
        """Keep a grant, forget those that are over, and end the person's oldest beyond ``most``."""
        ...

    async def find(self, grant_id: str) -> AgentGrant | None: ...

    async def begin(self, grant_id: str, family: str, refresh: str, key: ProgramKey) -> bool:
        """Make the key of a grant whose code is not used; False where it is."""
        ...

    async def renew(self, grant_id: str, refresh: str, by: str, token: str, until: datetime) -> bool:
        """Put a new refresh token, ``by``, in place of ``refresh``, and a new token of the key; False for another."""
        ...

    async def end(self, grant_id: str, now: datetime) -> None:
        """End a grant, its key, and what waits of it."""
        ...


class AgentGrants:
    """Gives, renews and ends what agents may ask."""

    def __init__(
        self,
        store: AgentGrantStore,
        *,
        identify: Callable[[str], Awaitable[Person]],
        audit: AuditLog,
        now: Callable[[], datetime],
    ) -> None:
        """``identify`` returns the person of a userId as they are now."""
        self._store = store
        self._identify = identify
        self._audit = audit
        self._now = now

    async def give(self, user_id: str, wanted: Wanted) -> str:
        """Note that a person said yes, and return the code for the client."""
        grant_id, now = secrets.token_hex(4), self._now()
        code = f"dgc_{grant_id}_{secrets.token_urlsafe(32)}"
        grant = AgentGrant(
            id=grant_id,
            user_id=user_id,
            client_id=wanted.client_id,
            client=wanted.client,
            redirect_uri=wanted.redirect_uri,
            resource=wanted.resource,
            scopes=wanted.scopes,
            commands=wanted.commands,
            challenge=wanted.challenge,
            code=digest_of(code),
            code_ends_at=now + CODE_LASTS,
            made_at=now,
            ends_at=now + GRANT_LASTS,
        )
        await self._store.put(grant, now, MOST_OF_PERSON)
        self._record(grant, "granted", f"opens {', '.join(wanted.scopes)}, until {grant.ends_at:%Y-%m-%d %H:%M}")
        return code

    async def exchange(self, code: str, *, client_id: str, redirect_uri: str, verifier: str) -> Tokens | None:
        """Return the first tokens for a code; None for one that is not this client's to use. A code is shown once."""
        match, now = _CODE.fullmatch(code), self._now()
        grant = await self._store.find(match[1]) if match else None
        if grant is None or not secrets.compare_digest(grant.code, digest_of(code)):
            return None
        person = await self._identify(grant.user_id)
        if (
            grant.code_ends_at <= now
            or grant.client_id != client_id
            or grant.redirect_uri != redirect_uri
            or not is_proof(verifier, grant.challenge)
            or person.user_id is None
        ):
            await self._end(grant, "ended_code_refused")
            return None
        family, turn, access = secrets.token_urlsafe(32), secrets.token_urlsafe(32), make_token(grant.id)
        key = ProgramKey(
            id=grant.id,
            digest=digest_of(access),
            user_id=grant.user_id,
            scopes=grant.commands,
            made_at=now,
            expires_at=now + TOKEN_LASTS,
            login=AgentLogin(grant.client, grant.resource, grant.ends_at),
        )
        if not await self._store.begin(grant.id, digest_of(family), digest_of(turn), key):
            await self._end(grant, "ended_code_used_twice")
            return None
        return Tokens(access, f"dgr_{grant.id}_{family}{turn}", grant.scopes)

    async def refresh(self, token: str, *, client_id: str) -> Tokens | None:
        """Return new tokens for the last refresh token of a grant; None for any other, which ends it if it was one."""
        match, now = _REFRESH.fullmatch(token), self._now()
        grant = await self._store.find(match[1]) if match else None
        if match is None or grant is None or not secrets.compare_digest(grant.family, digest_of(match[2])):
            return None
        if grant.ends_at <= now:
            await self._end(grant, "ended")
            return None
        turn, access = secrets.token_urlsafe(32), make_token(grant.id)
        until = min(now + TOKEN_LASTS, grant.ends_at)
        if grant.client_id == client_id and await self._store.renew(
            grant.id, digest_of(match[3]), digest_of(turn), digest_of(access), until
        ):
            return Tokens(access, f"dgr_{grant.id}_{match[2]}{turn}", grant.scopes)
        await self._end(grant, "ended_refresh_used_twice")
        return None

    async def revoke(self, token: str, *, client_id: str) -> None:
        """End the grant of a token that its client gives back; what is no token of a grant of it ends nothing."""
        of_refresh, of_access = _REFRESH.fullmatch(token), _TOKEN.fullmatch(token)
        match = of_refresh or of_access
        grant = await self._store.find(match[1]) if match else None
        if match is None or grant is None or grant.client_id != client_id:
            return
        held = digest_of(of_refresh[2]) if of_refresh else digest_of(token)
        if secrets.compare_digest(held, grant.family if of_refresh else grant.token):
            await self._end(grant, "revoked")

    async def _end(self, grant: AgentGrant, outcome: str) -> None:
        await self._store.end(grant.id, self._now())
        self._record(grant, outcome)

    def _record(self, grant: AgentGrant, outcome: str, more: str = "") -> None:
        detail = ", ".join(filter(None, (f"key {grant.id} of a client at {host_of(grant.redirect_uri)}", more)))
        self._audit.record(
            AuditEntry(
                kind=AuditKind.BINDING,
                at=self._now(),
                actor=grant.user_id,
                action=API_KEY,
                outcome=outcome,
                detail=detail,
            )
        )


def is_proof(verifier: str, challenge: str) -> bool:
    """Return whether a verifier is the one that a challenge was made of (RFC 7636, S256)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return secrets.compare_digest(digest, challenge)


def host_of(redirect_uri: str) -> str:
    """Return the host to which a client has its codes sent."""
    return redirect_uri.partition("://")[2].partition("/")[0].partition("?")[0]
