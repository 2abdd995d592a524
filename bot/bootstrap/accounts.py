"""Builds the binding of accounts from chat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from bot.access.audit import AuditLog, RequiredAudit
from bot.access.policy import ADMIN
from bot.access.staff_keys import MatchKey, StaffKeys
from bot.bootstrap.alerts import AlertServices
from bot.bootstrap.infrastructure import Infrastructure
from bot.chat.accounts.binding import REQUEST_CARD, RESULT_CARD, ErpAccounts
from bot.chat.accounts.keys import KEY_CARD, ErpKeys
from bot.chat.accounts.search import ErpAccountSearch
from bot.chat.accounts.views import AccountKeyComposer, AccountRequestComposer, AccountResultComposer
from bot.chat.held_rights import HELD_CARD, HeldRightComposer
from bot.chat.records.reader_hub import AccountOf
from bot.erp.hub import ErpHub
from bot.mechanisms.background import Runs
from bot.store.chat.accounts import StoredErpAccounts, StoredErpKeys
from bot.store.held_rights import StoredHeldRights


async def build_accounts(base: Infrastructure, hub: ErpHub, alerts: AlertServices, audit: AuditLog) -> ErpAccounts:
    """Load the bound accounts, and let the outbox show requests and their results."""
    settings, people = base.settings, base.stored_people
    configured = sorted(settings.access.roles.get(ADMIN, ()))

    async def administrators() -> Sequence[str]:
        return (*configured, *await people.administrators())

    async def name_of(user_id: str) -> str:
        return (await base.people.identify(user_id, name="")).name or user_id

    accounts = ErpAccounts(
        StoredErpAccounts(base.database),
        configured=settings.access.accounts,
        sources=tuple(hub.sources),
        administrators=administrators,
        record=audit.record,
        on_enqueued=alerts.outbox.poke,
        now=base.now,
    )
    await accounts.load()
    alerts.composers[REQUEST_CARD] = AccountRequestComposer(accounts.find, name_of)
    alerts.composers[RESULT_CARD] = AccountResultComposer(accounts.find, name_of)
    await base.run_in_background(accounts.follow, "accounts", Runs.EVERYWHERE)
    return accounts


async def start_held_rights(base: Infrastructure, alerts: AlertServices) -> StoredHeldRights:
    """Return the store of held rights, and tell their owners once."""
    held = StoredHeldRights(base.database)
    alerts.composers[HELD_CARD] = HeldRightComposer(held)
    if await held.tell_owners(base.now()):
        alerts.outbox.poke()
    return held


def build_keys(
    base: Infrastructure,
    hub: ErpHub,
    alerts: AlertServices,
    audit: AuditLog,
    store: StoredErpKeys,
    bound: AccountOf,
    required: RequiredAudit | None,
) -> ErpKeys:
    """Return the service for people's own keys; ``bound`` returns a person's account at a source."""
    keys = ErpKeys(
        store,
        public_url=base.settings.http.public_url,
        sources=tuple(source for source in hub.sources if hub.takes_keys(source)),
        identify=partial(base.people.identify, name=""),
        account_of=bound,
        owner_of_key=hub.owner_of_key,
        record=audit.record,
        on_enqueued=alerts.outbox.poke,
        now=base.now,
        required=required,
    )
    alerts.composers[KEY_CARD] = AccountKeyComposer(keys.find)
    return keys


def search_accounts(
    base: Infrastructure, hub: ErpHub, accounts: ErpAccounts
) -> Callable[[Sequence[StaffKeys]], Awaitable[None]] | None:
    """Return the search for accounts after a walk through the directory; None if the company does not want it."""
    wanted = [MatchKey(key) for key in base.settings.access.match]
    return ErpAccountSearch(accounts, hub.users_of, wanted).search if wanted else None
