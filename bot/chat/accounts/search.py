"""Searches for people's ERP accounts after each walk through the directory, if the company wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.access.staff_keys import MatchKey, StaffKeys
from bot.chat.accounts.binding import ErpAccounts
from bot.chat.accounts.matching import AccountMatch, match_accounts
from bot.erp.errors import ErpError
from bot.erp.model import ErpUser
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)


class ErpAccountSearch:
    """Binds accounts by the keys that the company trusts, without storing any key."""

    def __init__(
        self,
        accounts: ErpAccounts,
        users_of: Callable[[str], Awaitable[Sequence[ErpUser]]],
        keys: Sequence[MatchKey],
    ) -> None:
        """``users_of`` is `bot.erp.hub.ErpHub.users_of`."""
        self._accounts = accounts
        self._users_of = users_of
        self._keys = tuple(keys)

    async def search(self, people: Sequence[StaffKeys]) -> None:
        """Search for these people's accounts at every source. A source that does not answer waits for the next walk."""
        for source in self._accounts.sources:
            try:
                users = await self._users_of(source)
                # In a thread: some tens of thousands of people take a while.
                matches = await asyncio.to_thread(self._match, people, users)
                bound = await self._accounts.record_search(source, matches)
            except ErpError as error:
                log.warning("accounts.not_listed", source=source, error=type(error).__name__, detail=error.detail)
            except DingerpError as error:
                log.warning("accounts.not_recorded", source=source, error=type(error).__name__, detail=error.detail)
            else:
                log.info("accounts.searched", source=source, users=len(users), bound=bound)

    def _match(self, people: Sequence[StaffKeys], users: Sequence[ErpUser]) -> tuple[AccountMatch, ...]:
        return tuple(match_accounts(people, users, self._keys))
