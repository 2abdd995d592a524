"""Who is logged in to the pages: sessions that end, each bound to a person of the organisation.

A session is as good as its person: who they are and what they may see is asked again with every request, so a session
opens nothing that its person may not see now. Whoever left has none, from the next request on.

The browser holds a random token. The store has its hash alone, so nobody logs in with what a backup holds.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.access.audit import AuditEntry, AuditKind, AuditLog
from bot.access.organisation import OwnOrganisation
from bot.access.people import Person
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is noted when a session was last used: to write that with each request would be a write each."""
MOST_DEVICE = 200
"""Characters that are kept of what a browser says of itself."""
_LOGIN = "login"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginIdentity:
    """Whom DingTalk names for a code of a login: an empty ``user_id`` is nobody of the app's organisation.

    ``corp_id`` is the organisation that they chose. Where it is not told, the app's own token was needed to ask, which
    knows one organisation alone.
    """

    user_id: str
    corp_id: str = ""


class LoginCodes(Protocol):
    """Asks DingTalk whose code it is; implemented by `bot.dingtalk.logins`. A code works once.

    Raises `LoginRefused` for a code that is not valid, and another `DingerpError` when DingTalk does not answer.
    """

    async def of_browser(self, code: str) -> LoginIdentity:
        """Return who logged in with DingTalk's login page."""
        ...

    async def of_client(self, code: str) -> LoginIdentity:
        """Return who has opened the page in DingTalk's own client."""
        ...


class LoginRefused(DingerpError):
    """Nobody is logged in; ``reason`` says why, in words for the person."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(reason.msgid)
        self.reason = reason

    def tell(self) -> Phrase:
        return self.reason


NO_MEMBER = phrase("You are not a member of this organisation, so there are no pages for you.")
OTHER_ORGANISATION = phrase("You logged in with another organisation. Choose the one that this bot belongs to.")
NOT_KNOWN_NOW = phrase("It is not known at the moment whether you are a member. Please try again later.")
UNKNOWN_ORGANISATION = phrase("The bot does not know its organisation yet: write to it once in DingTalk, then log in.")
SPENT_CODE = phrase("This login was used already, or took too long. Please log in again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSession:
    """One login. ``digest`` is the hash of its token, ``device`` what the browser said of itself."""

    digest: str
    user_id: str
    corp_id: str
    began_at: datetime
    seen_at: datetime
    device: str = ""


class PageSessionStore(Protocol):
    """Keeps sessions; implemented by `bot.store.page_sessions`. Raises a `DingerpError` when the store is away."""

    async def put(self, session: PageSession) -> None: ...

    async def find(self, digest: str) -> PageSession | None: ...

    async def note_seen(self, digest: str, at: datetime) -> None: ...

    async def end(self, digest: str) -> None: ...

    async def end_all(self, user_ids: Collection[str]) -> int:
        """End every session of these people; return how many there were."""
        ...

    async def end_older(self, began: datetime, seen: datetime) -> None:
        """Forget sessions that began, or were last used, before these times."""
        ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in, as they are now."""

    session: PageSession
    person: Person
    token: str

    @property
    def form_token(self) -> str:
        """What the session's own forms carry, so that no other site can send one."""
        return hmac.digest(self.token.encode(), b"form", "sha256").hex()

    def sent_form(self, token: str) -> bool:
        """Return whether a form with this token was one of the session's own."""
        return hmac.compare_digest(self.form_token.encode(), token.encode())


def digest_of(token: str) -> str:
    """Return what the store knows a token by."""
    return hashlib.sha256(token.encode()).hexdigest()


class PageSessions:
    """Begins, finds and ends sessions."""

    def __init__(
        self,
        store: PageSessionStore,
        *,
        organisation: OwnOrganisation,
        identify: Callable[[str], Awaitable[Person]],
        idle: timedelta,
        longest: timedelta,
        audit: AuditLog,
        now: Callable[[], datetime],
    ) -> None:
        """A session ends when it was not used for ``idle``, and ``longest`` after it began in any case.

        ``identify`` returns the person of a userId as they are now.
        """
        self._store = store
        self._organisation = organisation
        self._identify = identify
        self._idle = idle
        self._longest = longest
        self._audit = audit
        self._now = now

    async def begin(self, identity: LoginIdentity, *, device: str, ended: str = "") -> str:
        """Log somebody in, and return the new token. The session of the token that they came with has ``ended``.

        Raises `LoginRefused` for somebody who is no member, and a `DingerpError` when the store is away.
        """
        own = self._organisation
        if identity.corp_id and not own.is_known:
            await own.recognise(identity.corp_id)
        if not own.is_known:
            raise self._refused(identity, UNKNOWN_ORGANISATION)
        if identity.corp_id and not own.is_own(identity.corp_id):
            raise self._refused(identity, OTHER_ORGANISATION)
        if not identity.user_id:
            raise self._refused(identity, NO_MEMBER)
        person = await self._identify(identity.user_id)
        if person.user_id is None:
            raise self._refused(identity, NO_MEMBER if person.is_outsider else NOT_KNOWN_NOW)
        if ended:
            await self._store.end(digest_of(ended))
        token, now = secrets.token_urlsafe(32), self._now()
        await self._store.put(
            PageSession(
                digest=digest_of(token),
                user_id=person.user_id,
                corp_id=own.corp_id,
                began_at=now,
                seen_at=now,
                device=device[:MOST_DEVICE],
            )
        )
        self._record(AuditKind.LOGIN, person.user_id, "begun")
        return token

    async def find(self, token: str) -> Visitor | None:
        """Return whose token this is; None for one that is unknown or has ended, and for who is no member any more."""
        if not token:
            return None
        session, now = await self._store.find(digest_of(token)), self._now()
        if session is None:
            return None
        if now - session.seen_at > self._idle or now - session.began_at > self._longest:
            await self._store.end(session.digest)
            return None
        if not self._organisation.is_own(session.corp_id):
            await self._store.end(session.digest)
            return None
        person = await self._identify(session.user_id)
        if person.is_outsider:
            # Whoever comes back one day does not come back into old sessions.
            await self.end_of((session.user_id,))
        if person.user_id is None:
            return None
        if now - session.seen_at > SEEN_EVERY:
            await self._store.note_seen(session.digest, now)
        return Visitor(session, person, token)

    async def end(self, visitor: Visitor) -> None:
        """Log somebody out here."""
        await self._store.end(visitor.session.digest)
        self._record(AuditKind.LOGIN, visitor.session.user_id, "ended")

    async def end_everywhere(self, visitor: Visitor) -> None:
        """Log somebody out wherever they are logged in."""
        await self.end_of((visitor.session.user_id,))

    async def end_of(self, user_ids: Collection[str]) -> None:
        """End all sessions of people, such as those who have left. Raises a `DingerpError` when the store is away."""
        if await self._store.end_all(user_ids):
            for user_id in user_ids:
                self._record(AuditKind.LOGIN, user_id, "ended_everywhere")

    async def tidy(self) -> None:
        """Forget the sessions that have ended by themselves."""
        now = self._now()
        await self._store.end_older(now - self._longest, now - self._idle)

    def _refused(self, identity: LoginIdentity, reason: Phrase) -> LoginRefused:
        name = identity.user_id or "external"
        actor = f"{name}@{identity.corp_id}" if identity.corp_id else name
        self._record(AuditKind.REFUSAL, actor, "no_member", reason.msgid)
        return LoginRefused(reason)

    def _record(self, kind: AuditKind, actor: str, outcome: str, detail: str = "") -> None:
        entry = AuditEntry(kind=kind, at=self._now(), actor=actor, action=_LOGIN, outcome=outcome, detail=detail)
        self._audit.record(entry)
