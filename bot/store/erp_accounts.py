"""People's accounts in the ERPs; a change and the cards that it owes are one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.engine import Connection

from bot.chat.erp_accounts import AccountState, Change, ErpAccount
from bot.store.database import Database
from bot.store.erp_keys import forget_other_keys
from bot.store.outbox import enqueue
from bot.store.statements import replace_into
from bot.store.tables import ERP_ACCOUNT
from bot.store.transactions import begin_immediate

_LOCK = 0x6163636F
"""Advisory lock of changes on PostgreSQL."""

_A = ERP_ACCOUNT.c


class StoredErpAccounts:
    """Implements `bot.chat.erp_accounts.AccountStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[ErpAccount]:
        """Return all accounts."""
        query = select(ERP_ACCOUNT).order_by(_A.user_id, _A.source)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_account(row) for row in rows]

    async def find(self, user_id: str, source: str) -> ErpAccount | None:
        """Return a person's account at a source."""
        query = select(ERP_ACCOUNT).where(_A.user_id == user_id, _A.source == source)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _account(row)

    async def change(self, user_id: str, source: str, change: Change, now: datetime) -> ErpAccount:
        """Change an account and queue what is owed."""
        everybody = select(ERP_ACCOUNT).where(_A.source == source).with_for_update()

        def write(connection: Connection) -> ErpAccount:
            begin_immediate(connection)
            if connection.dialect.name == "postgresql":
                # No two people may be given the same account at the same time.
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            accounts = [_account(row) for row in connection.execute(everybody)]
            known = next((one for one in accounts if one.user_id == user_id), None)
            changed, owed = change(known, [one for one in accounts if one.user_id != user_id])
            upsert = replace_into(ERP_ACCOUNT, self._database.dialect)
            connection.execute(upsert, {name: getattr(changed, name) for name in _COLUMNS})
            forget_other_keys(connection, user_id, source, changed.account)
            enqueue(connection, *owed, now=now)
            return changed

        return await self._database.run(write)


_COLUMNS = tuple(column.name for column in ERP_ACCOUNT.columns)


def _account(row: Row[Any]) -> ErpAccount:
    return ErpAccount(**{**row._mapping, "state": AccountState(row.state)})
