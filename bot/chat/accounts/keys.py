"""People's own keys for the ERPs: each is entered once, on a page of the bot behind a one-time link.

A key never goes through the chat, where it would stay readable. It is accepted if the ERP confirms that it belongs to
that person's account, and it is sealed in the store. A link reveals nothing: anybody who finds it can at most enter a
key of that same account.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from pydantic import SecretStr

from bot.access.audit import AuditEntry, AuditKind, NotRecorded, RequiredAudit
from bot.access.people import Person
from bot.chat.accounts.binding import AccountRefused
from bot.erp.errors import AuthExpired, AuthFailed, ErpError, Invalid, NotPermitted
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.words.phrase import phrase

LINK_STANDS = timedelta(minutes=10)
MOST_TRIES = 5
"""Attempts per link."""
MOST_KEY = 1_000
"""Characters of a key."""
_NO_LETTERS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of control characters and non-characters, which a header cannot carry."""

KEY_CARD = "account.key"
"""Kind of the delivery that tells a key's owner about its entry."""

PAGE = "/keys/"
"""Path of the page, before the token."""


class KeyEntry(StrEnum):
    """The outcome of entering a key."""

    STORED = "stored"
    NO_LINK = "no_link"
    """The link is used, expired, or unknown."""
    NO_KEY = "no_key"
    """Empty, too long, or with a line break or another control character, which no ERP has in its keys."""
    REFUSED = "refused"
    """The ERP refuses the key."""
    FOREIGN = "foreign"
    """It belongs to another account."""
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLink:
    """The person, source and account of a link."""

    digest: str
    user_id: str
    source: str
    account: str
    expires_at: datetime
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredKey:
    """The owner and account of a key; the key itself only goes into the store."""

    user_id: str
    source: str
    account: str
    entered_at: datetime

    @property
    def ref(self) -> str:
        """The composer's name for it."""
        return f"{self.source}|{self.user_id}"


class ErpKeyStore(Protocol):
    """Stores keys and links; implemented by `bot.store.chat.accounts`. Raises a `DingerpError` when unavailable."""

    async def put_link(self, link: KeyLink, now: datetime) -> None:
        """Store a link in place of the person's earlier one for that source, and delete expired ones."""
        ...

    async def try_link(self, digest: str, now: datetime) -> KeyLink | None:
        """Return a valid link, and count the attempt; None for any other."""
        ...

    async def find_link(self, digest: str, now: datetime) -> KeyLink | None:
        """Return a valid link."""
        ...

    async def put_key(self, link: KeyLink, key: EnteredKey, secret: SecretStr, told: Delivery) -> bool:
        """Use up a link for its key and queue the card; False if it was used or withdrawn meanwhile."""
        ...

    async def find(self, user_id: str, source: str) -> EnteredKey | None:
        """Return the stored facts about a person's key."""
        ...

    async def erase(self, user_id: str, source: str) -> bool:
        """Delete a key and all links for entering one; returns whether there was a key."""
        ...


class ErpKeys:
    """Offers links, accepts keys, and deletes them."""

    def __init__(
        self,
        store: ErpKeyStore,
        *,
        public_url: str,
        sources: Sequence[str],
        identify: Callable[[str], Awaitable[Person]],
        account_of: Callable[[str, str], str],
        owner_of_key: Callable[[str, str, SecretStr], Awaitable[str]],
        record: Callable[[AuditEntry], None],
        on_enqueued: Callable[[], None],
        now: Callable[[], datetime],
        required: RequiredAudit | None = None,
        token: Callable[[], str] = secrets.token_urlsafe,
    ) -> None:
        """``sources`` are those that accept keys; ``public_url`` is empty if people cannot reach the bot's pages.

        ``identify`` finds the person of a userId; ``account_of`` returns a person's account at a source,
        ``owner_of_key`` is that of `bot.erp.hub.ErpHub`. With ``required`` no key is accepted that this log could not
        record.
        """
        self._store = store
        self._public_url = public_url.rstrip("/")
        self.sources = tuple(sources)
        self._identify = identify
        self._account_of = account_of
        self._owner_of_key = owner_of_key
        self._record = record
        self._on_enqueued = on_enqueued
        self._now = now
        self._required = required
        self._token = token

    async def offer(self, user_id: str, source: str) -> tuple[str, str]:
        """Return the address of a page for entering a key once, and the account. Raises `AccountRefused`."""
        if source not in self.sources:
            raise AccountRefused(phrase("“%(source)s” takes no keys of people.", source=source))
        if not self._public_url:
            raise AccountRefused(
                phrase("There is no page for entering a key: the administrators have to set http.public_url.")
            )
        account = self._account_of(user_id, source)
        if not account:
            raise AccountRefused(phrase("You have no account there yet; ask for one first with /bind."))
        token = self._token()
        expires_at = self._now() + LINK_STANDS
        link = KeyLink(digest=_digest(token), user_id=user_id, source=source, account=account, expires_at=expires_at)
        await self._store.put_link(link, self._now())
        return f"{self._public_url}{PAGE}{token}", account

    async def find_link(self, token: str) -> KeyLink | None:
        """Return the link of a token; None for an invalid one, such as that of a person who left."""
        link = await self._store.find_link(_digest(token), self._now())
        return None if link is None or (await self._identify(link.user_id)).is_outsider else link

    async def enter(self, token: str, secret: SecretStr) -> KeyEntry:
        """Accept a key. Raises a `bot.words.errors.DingerpError` when the store is unavailable, or it could not be
        recorded.
        """
        if self._required is not None and not await self._required.can_write():
            raise NotRecorded
        link = await self._store.try_link(_digest(token), self._now())
        if link is None:
            return KeyEntry.NO_LINK
        outcome = await self._check(link, secret)
        if outcome is KeyEntry.STORED:
            outcome = await self._keep(link, secret)
        self._note(link.user_id, link.user_id, link.source, "account.key", outcome.value, link.account)
        return outcome

    async def find(self, user_id: str, source: str) -> EnteredKey | None:
        """Return the stored facts about a person's key."""
        return await self._store.find(user_id, source)

    async def erase(self, user_id: str, source: str, *, by: str) -> bool:
        """Delete a person's key; returns whether there was one."""
        erased = await self._store.erase(user_id, source)
        if erased:
            self._note(by, user_id, source, "account.key", "erased", "")
        return erased

    async def _check(self, link: KeyLink, secret: SecretStr) -> KeyEntry:
        if (doubt := await self._doubt_membership(link)) is not None:
            return doubt
        if not _may_be_key(secret.get_secret_value()):
            return KeyEntry.NO_KEY
        try:
            owner = await self._owner_of_key(link.source, link.account, secret)
        except (AuthFailed, AuthExpired, NotPermitted, Invalid):
            return KeyEntry.REFUSED
        except ErpError:
            return KeyEntry.NO_ANSWER
        return KeyEntry.STORED if owner.casefold() == link.account.casefold() else KeyEntry.FOREIGN

    async def _keep(self, link: KeyLink, secret: SecretStr) -> KeyEntry:
        if self._account_of(link.user_id, link.source) != link.account:
            return KeyEntry.NO_LINK
        # They may have left during the call to the ERP.
        if (doubt := await self._doubt_membership(link)) is not None:
            return doubt
        now = self._now()
        key = EnteredKey(user_id=link.user_id, source=link.source, account=link.account, entered_at=now)
        if not await self._store.put_key(link, key, secret, _told(key, now)):
            return KeyEntry.NO_LINK
        self._on_enqueued()
        return KeyEntry.STORED

    async def _doubt_membership(self, link: KeyLink) -> KeyEntry | None:
        person = await self._identify(link.user_id)
        if not person.is_external:
            return None
        return KeyEntry.NO_LINK if person.is_outsider else KeyEntry.NO_ANSWER

    def _note(self, actor: str, user_id: str, source: str, action: str, outcome: str, account: str) -> None:
        about = f"{user_id} at {source}" + (f": {account}" if account else "")
        kind = AuditKind.BINDING
        self._record(AuditEntry(kind=kind, at=self._now(), actor=actor, action=action, outcome=outcome, detail=about))


def _may_be_key(text: str) -> bool:
    return 0 < len(text) <= MOST_KEY and all(unicodedata.category(letter) not in _NO_LETTERS for letter in text)


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _told(key: EnteredKey, now: datetime) -> Delivery:
    moment = int(now.timestamp())
    return Delivery(
        card=f"account:key:{key.source}:{key.user_id}:{moment}",
        place=Place(PlaceKind.PERSON, key.user_id),
        kind=KEY_CARD,
        ref=key.ref,
        revision=1,
        urgency=Urgency.NOW,
        due_at=now,
    )
