"""Keys by which programs ask the API: each has an owner, and opens a part of what its owner may see.

A key is as good as its owner: who they are and what they may see is asked again with every request, so a key opens
nothing that its owner may not see now. Whoever left has none, from the next request on. Its scopes take away from the
owner's rights and never add to them.

A program holds the token. The store has its hash alone, so nobody asks with what a backup holds.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from bot.access.audit import AuditEntry, AuditKind, AuditLog
from bot.access.page_sessions import SEEN_EVERY, digest_of
from bot.access.people import KeyScope, MembershipDoubt, Person
from bot.words.errors import DingerpError

EVERY_COMMAND = "*"
"""The scope of a key that opens all that its owner may ask."""
GATE_SCOPE = "gate"
"""The scope of a key whose program may ask leave at the gate: no other scope holds it."""
PROPOSE_SCOPE = "propose"
"""The scope of a key whose program may propose lines to its owner: no other scope holds it."""
_EVENTS_SCOPE = "events:"
API_KEY = "api key"
"""What entries of the audit log call what happens to keys."""

_LOOK_AGAIN = 5.0
_PREFIX = "dgp"
_TOKEN = re.compile(rf"{_PREFIX}_([0-9a-f]{{8}})_[A-Za-z0-9_-]{{43}}")


def events_scope(source: str) -> str:
    """Return the scope of a key whose program may report events of a source: no other scope holds it."""
    return f"{_EVENTS_SCOPE}{source}"


@dataclass(frozen=True, slots=True)
class AgentLogin:
    """What a key is more that a person gave by a login (`bot.access.agent_grants`): its token is renewed until the end.

    ``client`` is what the client calls itself; ``resource`` is the address for which the token is good.
    """

    client: str
    resource: str
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramKey:
    """One key. ``id`` names it in lists, records and limits; ``digest`` is the hash of its token.

    ``scopes`` are the commands that it opens, or `EVERY_COMMAND`. ``expires_at`` is the end of its token.
    """

    id: str
    digest: str
    user_id: str
    scopes: frozenset[str]
    made_at: datetime
    expires_at: datetime
    seen_at: datetime | None = None
    login: AgentLogin | None = None

    @property
    def ends_at(self) -> datetime:
        """The end of the key, whatever its token's is."""
        return self.login.ends_at if self.login else self.expires_at


class OwnerNotKnownNow(DingerpError):
    """The directory does not say at the moment whether a key's owner is still a member."""

    retry: ClassVar[bool] = True


class ApiKeyStore(Protocol):
    """Keeps keys; implemented by `bot.store.api_keys`. Raises a `DingerpError` when the store is away."""

    async def find(self, key_id: str) -> ProgramKey | None: ...

    async def any_there(self) -> bool:
        """Return whether there are any keys, also some that have expired."""
        ...

    async def note_seen(self, key_id: str, at: datetime) -> None: ...

    async def of_person(self, user_id: str) -> tuple[ProgramKey, ...]:
        """Return a person's keys, the oldest first."""
        ...

    async def end(self, key_id: str, now: datetime, user_id: str | None = None) -> ProgramKey | None:
        """End one key, of this person if one is named, with what waits of it; return it if it was there."""
        ...

    async def end_all(self, user_ids: Collection[str], now: datetime) -> tuple[ProgramKey, ...]:
        """End every key of these people, with what waits of it; return those that there were."""
        ...


@dataclass(frozen=True, slots=True)
class Program:
    """A program that asks: its key, and the owner as they are now, within the key's scopes."""

    key: ProgramKey
    person: Person


def make_key(user_id: str, scopes: Collection[str], *, now: datetime, expires_at: datetime) -> tuple[ProgramKey, str]:
    """Return a new key, and the token that its program shows; nobody can find that again."""
    key_id = secrets.token_hex(4)
    token = make_token(key_id)
    key = ProgramKey(
        id=key_id,
        digest=digest_of(token),
        user_id=user_id,
        scopes=frozenset(scopes),
        made_at=now,
        expires_at=expires_at,
    )
    return key, token


def make_token(key_id: str) -> str:
    """Return a new token of a key."""
    return f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"


def scope_of(key: ProgramKey, documents_of: Callable[[str], Collection[str]]) -> KeyScope:
    """Return what a key leaves of its owner's rights: its commands, and the documents that these show."""
    if EVERY_COMMAND in key.scopes:
        return KeyScope(key.id, None, None)
    return KeyScope(key.id, key.scopes, key.scopes.union(*map(documents_of, key.scopes)))


class ApiKeys:
    """Finds whose key a token is, and ends the keys of people who leave."""

    def __init__(
        self,
        store: ApiKeyStore,
        *,
        identify: Callable[[str], Awaitable[Person]],
        documents_of: Callable[[str], Collection[str]],
        audit: AuditLog,
        now: Callable[[], datetime],
        resource: str = "",
    ) -> None:
        """``identify`` returns the person of a userId as they are now, and ``documents_of`` the commands whose rules
        bind the documents that a command shows. ``resource`` is the address for which tokens of logins have to be.
        """
        self._store = store
        self._documents_of = documents_of
        self._identify = identify
        self._audit = audit
        self._now = now
        self._resource = resource

    async def any_there(self) -> bool:
        """Return whether there is an API at all: without keys there is none."""
        return await self._store.any_there()

    async def find(self, token: str) -> Program | None:
        """Return whose program this is; None for a key that is unknown or over, and for an owner who is no member.

        Raises `OwnerNotKnownNow` where nobody can say that at the moment, and a `DingerpError` when the store is away.
        """
        match = _TOKEN.fullmatch(token)
        key, now = await self._store.find(match[1]) if match else None, self._now()
        if key is None or not secrets.compare_digest(key.digest, digest_of(token)) or key.expires_at <= now:
            return None
        if key.login is not None and key.login.resource != self._resource:
            return None
        person = await self._owner(key)
        if person is None:
            return None
        if key.seen_at is None or now - key.seen_at > SEEN_EVERY:
            await self._store.note_seen(key.id, now)
        return Program(key, person.with_key(scope_of(key, self._documents_of)))

    async def stands(self, key_id: str) -> bool:
        """Return whether a key is good, whatever its token is by now. Raises as `find` does."""
        key = await self._store.find(key_id)
        return key is not None and key.ends_at > self._now() and await self._owner(key) is not None

    async def _owner(self, key: ProgramKey) -> Person | None:
        """Return the owner of a key as they are now; None for who is no member."""
        person = await self._identify(key.user_id)
        if person.is_outsider:
            # Whoever comes back one day does not bring old keys back.
            await self.end_of((key.user_id,))
        if person.doubt is MembershipDoubt.NO_ANSWER:
            raise OwnerNotKnownNow(retry_after=_LOOK_AGAIN)
        return None if person.user_id is None else person

    async def end_of(self, user_ids: Collection[str]) -> None:
        """End all keys of people, such as those who have left. Raises a `DingerpError` when the store is away."""
        for key in await self._store.end_all(user_ids, self._now()):
            self._record(key, "ended_everywhere")

    async def of_person(self, user_id: str) -> tuple[ProgramKey, ...]:
        """Return a person's own keys that are not over, the oldest first."""
        now = self._now()
        return tuple(key for key in await self._store.of_person(user_id) if key.ends_at > now)

    async def end_own(self, user_id: str, key_id: str) -> bool:
        """End a person's own key; False where they have none with this id."""
        key = await self._store.end(key_id, self._now(), user_id)
        if key is not None:
            self._record(key, "ended")
        return key is not None

    def _record(self, key: ProgramKey, outcome: str) -> None:
        self._audit.record(
            AuditEntry(
                kind=AuditKind.BINDING,
                at=self._now(),
                actor=key.user_id,
                action=API_KEY,
                outcome=outcome,
                detail=f"key {key.id}",
            )
        )
