"""Accounts in memory, with an administrator who may agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.chat.erp_accounts import Change, ErpAccount, ErpAccounts
from tests.commands.company import NOW


@dataclass(slots=True)
class MemoryAccountStore:
    """Implements `bot.chat.erp_accounts.AccountStore`."""

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
