"""Accounts in memory, with an administrator who may agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from pydantic import SecretStr

from bot.chat.accounts.binding import Change, ErpAccount, ErpAccounts
from bot.chat.accounts.keys import EnteredKey, ErpKeys, KeyLink
from bot.outbox.delivery import Delivery
from tests.chat.audience_parts import make_people
from tests.commands.company import NOW


@dataclass(slots=True)
class MemoryAccountStore:
    """Implements `bot.chat.accounts.binding.AccountStore`."""

    accounts: dict[tuple[str, str], ErpAccount] = field(default_factory=dict)

    async def all(self) -> Sequence[ErpAccount]:
        return list(self.accounts.values())

    async def find(self, user_id: str, source: str) -> ErpAccount | None:
        return self.accounts.get((user_id, source))

    async def change(self, user_id: str, source: str, change: Change, now: datetime) -> ErpAccount:
        others = [one for one in self.accounts.values() if one.source == source and one.user_id != user_id]
        changed, _ = change(self.accounts.get((user_id, source)), others)
        self.accounts[user_id, source] = changed
        return changed


def memory_accounts(*sources: str) -> ErpAccounts:
    async def administrators() -> Sequence[str]:
        return ("manager01",)

    return ErpAccounts(
        MemoryAccountStore(),
        configured={"buyer01": {sources[0]: "zhao"}},
        sources=sources,
        administrators=administrators,
        record=lambda entry: None,
        on_enqueued=lambda: None,
        now=lambda: NOW,
    )


@dataclass(slots=True)
class MemoryKeyStore:
    """Implements `bot.chat.accounts.keys.ErpKeyStore`; links are offered, and keys are put by tests."""

    links: list[KeyLink] = field(default_factory=list)
    keys: dict[tuple[str, str], EnteredKey] = field(default_factory=dict)

    async def put_link(self, link: KeyLink, now: datetime) -> None:
        self.links.append(link)

    async def try_link(self, digest: str, now: datetime) -> KeyLink | None:
        return await self.find_link(digest, now)

    async def find_link(self, digest: str, now: datetime) -> KeyLink | None:
        return next((link for link in self.links if link.digest == digest), None)

    async def put_key(self, link: KeyLink, key: EnteredKey, secret: SecretStr, told: Delivery) -> bool:
        self.keys[key.user_id, key.source] = key
        return True

    async def find(self, user_id: str, source: str) -> EnteredKey | None:
        return self.keys.get((user_id, source))

    async def erase(self, user_id: str, source: str) -> bool:
        return self.keys.pop((user_id, source), None) is not None


async def no_owner(source: str, account: str, key: SecretStr) -> str:
    raise AssertionError("commands take no keys")


def memory_keys(store: MemoryKeyStore, accounts: ErpAccounts, *sources: str) -> ErpKeys:
    configured = {("buyer01", sources[0]): "zhao"}
    return ErpKeys(
        store,
        public_url="https://bot.company.example",
        sources=sources,
        identify=partial(make_people().identify, name=""),
        account_of=lambda who, where: configured.get((who, where), "") or accounts.bound().get(who, {}).get(where, ""),
        owner_of_key=no_owner,
        record=lambda entry: None,
        on_enqueued=lambda: None,
        now=lambda: NOW,
        token=lambda: "t0ken",
    )
