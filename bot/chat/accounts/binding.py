"""Binding of people's ERP accounts from chat: a person requests one, an administrator approves, both see the result.

Decisions are written to the ERP under these accounts, so nobody gets one on their own word: not even an administrator
approves their own request. If the company wants it, accounts are also bound by keys that DingTalk and the ERP share for
a person (`bot.chat.accounts.matching`). A decision of the person or an administrator overrides that, and accounts in
the configuration (``access.accounts``) override both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

import structlog

from bot.access.audit import BOT_ACTOR, AuditEntry, AuditKind
from bot.chat.accounts.matching import AccountMatch, MatchOutcome
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place, PlaceKind
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

MAX_ACCOUNT = 64
"""Characters of an account: more would not fit into a button."""

REQUEST_CARD, RESULT_CARD = "account.request", "account.result"
"""Kinds of deliveries: the request for administrators, and the result for the person in their own chat."""

_FOLLOWED_EVERY = 30.0
"""Seconds between two reads of other processes' bindings."""

Accounts = Mapping[str, Mapping[str, str]]
"""userId → source → account."""


class AccountState(StrEnum):
    """The state of the latest request."""

    ASKED = "asked"
    BOUND = "bound"
    DECLINED = "declined"
    UNBOUND = "unbound"
    MATCHED = "matched"
    """Bound by a shared key of DingTalk and the ERP; ``decided_by`` is the `MatchKey`."""
    SEVERAL_ACCOUNTS = "several_accounts"
    SEVERAL_PEOPLE = "several_people"
    UNVERIFIED = "unverified"
    NOT_FOUND = "not_found"
    """The last four: why the latest search bound nothing."""


SEARCHED_IN_VAIN = frozenset(
    {AccountState.SEVERAL_ACCOUNTS, AccountState.SEVERAL_PEOPLE, AccountState.UNVERIFIED, AccountState.NOT_FOUND}
)
"""States that the next search may change: nobody has decided about the account."""

_STATES = {
    MatchOutcome.FOUND: AccountState.MATCHED,
    MatchOutcome.SEVERAL_ACCOUNTS: AccountState.SEVERAL_ACCOUNTS,
    MatchOutcome.SEVERAL_PEOPLE: AccountState.SEVERAL_PEOPLE,
    MatchOutcome.UNVERIFIED: AccountState.UNVERIFIED,
    MatchOutcome.NONE: AccountState.NOT_FOUND,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpAccount:
    """A person's account at one source. ``account`` is the one in force, ``wanted`` the requested one."""

    user_id: str
    source: str
    name: str
    """The person's name."""
    account: str = ""
    wanted: str = ""
    state: AccountState
    decided_by: str = ""
    revision: int = 1

    @property
    def ref(self) -> str:
        """The composers' name for it."""
        return f"{self.source}|{self.user_id}"


class AccountRefused(DingerpError):
    """A request or decision is not possible; its author is told the ``reason``."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(str(reason))
        self.reason = reason

    def tell(self) -> Phrase:
        return self.reason


Change = Callable[[ErpAccount | None, Sequence[ErpAccount]], tuple[ErpAccount, Sequence[Delivery]]]
"""Computes the new state and the queued cards from a person's account at a source and all other accounts there."""


class AccountStore(Protocol):
    """Stores accounts; implemented by `bot.store.chat.accounts`. Raises a `DingerpError` when unavailable."""

    async def all(self) -> Sequence[ErpAccount]:
        """Return all accounts, including those without one in force."""
        ...

    async def find(self, user_id: str, source: str) -> ErpAccount | None:
        """Return a person's account at a source."""
        ...

    async def change(self, user_id: str, source: str, change: Change, now: datetime) -> ErpAccount:
        """Change an account and queue its cards, in one transaction. Raises the errors of ``change``."""
        ...


class ErpAccounts:
    """Binds accounts, and returns the bound ones."""

    def __init__(
        self,
        store: AccountStore,
        *,
        configured: Accounts,
        sources: Sequence[str],
        administrators: Callable[[], Awaitable[Sequence[str]]],
        record: Callable[[AuditEntry], None],
        on_enqueued: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """``record`` stores entries of the audit log; ``on_enqueued`` is called when cards may have been queued."""
        self._store = store
        self._configured = configured
        self.sources = tuple(sources)
        self._administrators = administrators
        self._record = record
        self._on_enqueued = on_enqueued
        self._now = now
        self._bound: Accounts = MappingProxyType({})
        self._tell_bound: Callable[[Collection[str]], None] = lambda people: None

    def watch(self, tell: Callable[[Collection[str]], None]) -> None:
        """Call ``tell`` with the people whose accounts change from now on."""
        self._tell_bound = tell

    def bound(self) -> Accounts:
        """Return the accounts in force that are not configured; the same object until one changes."""
        return self._bound

    async def load(self) -> None:
        """Load the bound accounts."""
        bound: dict[str, dict[str, str]] = {}
        for binding in await self._store.all():
            if binding.account:
                bound.setdefault(binding.user_id, {})[binding.source] = binding.account
        if bound != self._bound:
            before, self._bound = self._bound, bound
            self._tell_bound({person for person in {*before, *bound} if before.get(person) != bound.get(person)})

    async def follow(self) -> None:
        """Periodically load the accounts bound by other processes, until cancelled."""
        while True:
            await asyncio.sleep(_FOLLOWED_EVERY)
            try:
                await self.load()
            except DingerpError as error:
                log.warning("accounts.not_read", error=type(error).__name__, detail=error.detail)

    async def of(self, user_id: str) -> tuple[ErpAccount, ...]:
        """Return a person's accounts and requests, the configured ones first."""
        configured = self._configured.get(user_id, {})
        found = [
            ErpAccount(user_id=user_id, source=source, name="", account=account, state=AccountState.BOUND)
            for source, account in configured.items()
        ]
        own = [
            binding
            for binding in await self._store.all()
            if binding.user_id == user_id and binding.source not in configured
        ]
        return (*found, *own)

    async def find(self, user_id: str, source: str) -> ErpAccount | None:
        """Return a person's account at a source, as bound or requested in chat."""
        return await self._store.find(user_id, source)

    async def ask(self, user_id: str, name: str, source: str, account: str) -> ErpAccount:
        """Request an account from the administrators. Raises `AccountRefused`."""
        self._refuse_configured(user_id, source)
        deciders = [user for user in dict.fromkeys(await self._administrators()) if user != user_id]
        if not deciders:
            raise AccountRefused(phrase("No administrator is known who could agree. Name one in access.roles."))
        now = self._now()

        def change(known: ErpAccount | None, others: Sequence[ErpAccount]) -> tuple[ErpAccount, Sequence[Delivery]]:
            self._refuse_taken(user_id, source, account, others)
            asked = ErpAccount(
                user_id=user_id,
                source=source,
                name=name,
                account=known.account if known else "",
                wanted=account,
                state=AccountState.ASKED,
                revision=known.revision + 1 if known else 1,
            )
            return asked, [_request_card(asked, decider, now) for decider in deciders]

        return await self._change(user_id, source, change, actor=user_id)

    async def decide(self, user_id: str, source: str, account: str, *, by: str, agrees: bool) -> ErpAccount:
        """Approve a request as it was shown, or decline it. Raises `AccountRefused`."""
        if by == user_id:
            raise AccountRefused(phrase("Another administrator has to agree to your own account."))
        self._refuse_configured(user_id, source)
        deciders = await self._administrators()
        now = self._now()

        def change(known: ErpAccount | None, others: Sequence[ErpAccount]) -> tuple[ErpAccount, Sequence[Delivery]]:
            if known is None or known.state is not AccountState.ASKED or known.wanted != account:
                raise AccountRefused(phrase("This request is decided already, or it was changed."))
            if agrees:
                self._refuse_taken(user_id, source, account, others)
            decided = ErpAccount(
                user_id=user_id,
                source=source,
                name=known.name,
                account=account if agrees else known.account,
                wanted=account,
                state=AccountState.BOUND if agrees else AccountState.DECLINED,
                decided_by=by,
                revision=known.revision + 1,
            )
            told = [_request_card(decided, decider, now) for decider in dict.fromkeys(deciders) if decider != user_id]
            return decided, [*told, _result_card(decided, now)]

        return await self._change(user_id, source, change, actor=by)

    async def unbind(self, user_id: str, source: str, *, by: str) -> ErpAccount:
        """Remove an account, and any request for that source. Raises `AccountRefused`."""
        self._refuse_configured(user_id, source)
        now = self._now()

        def change(known: ErpAccount | None, _others: Sequence[ErpAccount]) -> tuple[ErpAccount, Sequence[Delivery]]:
            if known is None or not (known.account or known.state is AccountState.ASKED):
                raise AccountRefused(phrase("There is no account of “%(source)s” to unbind.", source=source))
            unbound = ErpAccount(
                user_id=user_id,
                source=source,
                name=known.name,
                wanted=known.wanted,
                state=AccountState.UNBOUND,
                decided_by=by,
                revision=known.revision + 1,
            )
            return unbound, [_result_card(unbound, now)]

        return await self._change(user_id, source, change, actor=by)

    async def record_search(self, source: str, matches: Sequence[AccountMatch]) -> int:
        """Bind the accounts found, store why others were not, and return the number bound.

        People who have an account there, requested one, were declined or unbound it are left alone.
        """
        known = {binding.user_id: binding for binding in await self._store.all() if binding.source == source}
        found = {match.user_id: match for match in matches}
        gone = [
            AccountMatch(user_id=binding.user_id, name=binding.name, outcome=MatchOutcome.NONE)
            for binding in known.values()
            if binding.state in SEARCHED_IN_VAIN and binding.user_id not in found
        ]
        bound = 0
        for match in (*matches, *gone):
            if _is_open(known.get(match.user_id), match) and source not in self._configured.get(match.user_id, {}):
                bound += await self._record_match(source, match)
        await self._tell_changes()
        return bound

    async def _record_match(self, source: str, match: AccountMatch) -> bool:
        now = self._now()

        def change(known: ErpAccount | None, others: Sequence[ErpAccount]) -> tuple[ErpAccount, Sequence[Delivery]]:
            state = _STATES[match.outcome]
            if match.account and self._is_taken(match.user_id, source, match.account, others):
                state = AccountState.SEVERAL_PEOPLE
            if known is not None and (known.state not in SEARCHED_IN_VAIN or known.state is state):
                raise AccountRefused(phrase("This request is decided already, or it was changed."))
            is_bound = state is AccountState.MATCHED
            recorded = ErpAccount(
                user_id=match.user_id,
                source=source,
                name=match.name,
                account=match.account if is_bound else "",
                wanted=match.account if is_bound else "",
                state=state,
                decided_by=str(match.key) if is_bound else "",
                revision=known.revision + 1 if known else 1,
            )
            return recorded, [_result_card(recorded, now)] if is_bound else []

        try:
            recorded = await self._store_change(match.user_id, source, change, actor=BOT_ACTOR)
        except AccountRefused as refused:
            log.info("accounts.match_overtaken", source=source, detail=refused.detail)
            return False
        return recorded.state is AccountState.MATCHED

    async def _change(self, user_id: str, source: str, change: Change, *, actor: str) -> ErpAccount:
        changed = await self._store_change(user_id, source, change, actor=actor)
        await self._tell_changes()
        return changed

    async def _tell_changes(self) -> None:
        self._on_enqueued()
        await self.load()

    async def _store_change(self, user_id: str, source: str, change: Change, *, actor: str) -> ErpAccount:
        changed = await self._store.change(user_id, source, change, self._now())
        self._record(
            AuditEntry(
                kind=AuditKind.BINDING,
                at=self._now(),
                actor=actor,
                action=f"account.{changed.state}",
                outcome=changed.state,
                detail=_described(changed),
            )
        )
        return changed

    def _refuse_configured(self, user_id: str, source: str) -> None:
        if source in self._configured.get(user_id, {}):
            raise AccountRefused(
                phrase("The account of “%(source)s” stands in the configuration; chat cannot change it.", source=source)
            )

    def _refuse_taken(self, user_id: str, source: str, account: str, others: Sequence[ErpAccount]) -> None:
        if self._is_taken(user_id, source, account, others):
            raise AccountRefused(phrase("This account is bound to somebody else."))

    def _is_taken(self, user_id: str, source: str, account: str, others: Sequence[ErpAccount]) -> bool:
        taken = {binding.account.casefold() for binding in others if binding.account}
        taken |= {own[source].casefold() for user, own in self._configured.items() if user != user_id and source in own}
        return account.casefold() in taken


def _is_open(known: ErpAccount | None, match: AccountMatch) -> bool:
    """Return whether a search may change an account."""
    return known is None or (known.state in SEARCHED_IN_VAIN and known.state is not _STATES[match.outcome])


def _described(account: ErpAccount) -> str:
    by = f", by {account.decided_by}" if account.state is AccountState.MATCHED else ""
    named = account.wanted or account.account
    return f"{account.user_id} at {account.source}" + (f": {named}{by}" if named else "")


def _request_card(account: ErpAccount, decider: str, now: datetime) -> Delivery:
    return Delivery(
        card=f"account:{account.source}:{account.user_id}:{decider}",
        place=Place(PlaceKind.PERSON, decider),
        kind=REQUEST_CARD,
        ref=account.ref,
        revision=account.revision,
        urgency=Urgency.NOW,
        due_at=now,
    )


def _result_card(account: ErpAccount, now: datetime) -> Delivery:
    return Delivery(
        card=f"account:{account.source}:{account.user_id}",
        place=Place(PlaceKind.PERSON, account.user_id),
        kind=RESULT_CARD,
        ref=account.ref,
        revision=account.revision,
        urgency=Urgency.NOW,
        due_at=now,
    )
