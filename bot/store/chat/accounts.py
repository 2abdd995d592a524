"""People's accounts in the ERPs, their own keys for them, sealed, and the links for entering keys.

A change and its queued cards are one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.engine import Connection

from bot.chat.accounts.binding import AccountState, Change, ErpAccount
from bot.chat.accounts.keys import MOST_TRIES, EnteredKey, KeyLink
from bot.erp.errors import Unavailable
from bot.outbox.delivery import Delivery
from bot.store.database import Database, Stored
from bot.store.outbox.queue import enqueue
from bot.store.record_codec import IN_MILLISECONDS, RecordCodec
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import replace_into
from bot.store.tables import ERP_ACCOUNT, ERP_KEY, ERP_KEY_LINK
from bot.store.transactions import begin_immediate
from bot.words.errors import DingerpError

_LOCK = 0x6163636F
"""Advisory lock for changes on PostgreSQL."""

_LINK = RecordCodec(KeyLink, IN_MILLISECONDS, names={"expires_at": "expires_ms"})
_K, _L, _A = ERP_KEY.c, ERP_KEY_LINK.c, ERP_ACCOUNT.c


class StoredErpKeys:
    """Stores people's own keys, and finds the key of a decider."""

    def __init__(self, database: Database, configured: Mapping[str, Mapping[str, str]], *, is_offered: bool) -> None:
        """``configured`` are the accounts in the settings, by userId and source."""
        self._database = database
        self._configured = configured
        self.is_offered = is_offered

    async def keys_of(self, source: str) -> Mapping[str, SecretStr]:
        """Return the keys at a source by account, only for people who still have that account."""
        query = (
            select(_K.user_id, _K.account, _K.secret, _A.account.label("bound"))
            .outerjoin(ERP_ACCOUNT, (_A.user_id == _K.user_id) & (_A.source == _K.source))
            .where(_K.source == source)
        )
        try:
            rows = await self._database.read(lambda connection: connection.execute(query).all())
        except DingerpError as error:
            raise Unavailable(f"people's keys cannot be read: {error.detail}", source=source) from error
        return {row.account: SecretStr(row.secret) for row in rows if self._account(row, source) == row.account}

    async def put_link(self, link: KeyLink, now: datetime) -> None:
        old = (_L.user_id == link.user_id) & (_L.source == link.source)

        def write(connection: Connection) -> None:
            connection.execute(delete(ERP_KEY_LINK).where(or_(old, _L.expires_ms <= to_ms(now))))
            connection.execute(ERP_KEY_LINK.insert(), _LINK.write(link))

        await self._database.run(write)

    async def try_link(self, digest: str, now: datetime) -> KeyLink | None:
        """Return a valid link, and count the attempt in the same statement."""
        counted = update(ERP_KEY_LINK).where(*_standing(digest, now)).values(tries=_L.tries + 1)

        def write(connection: Connection) -> Any:
            if not connection.execute(counted).rowcount:
                return None
            return connection.execute(select(ERP_KEY_LINK).where(_L.digest == digest)).one()

        row = await self._database.run(write)
        return None if row is None else _LINK.read_row(row)

    async def find_link(self, digest: str, now: datetime) -> KeyLink | None:
        query = select(ERP_KEY_LINK).where(*_standing(digest, now))
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _LINK.read_row(row)

    async def put_key(self, link: KeyLink, key: EnteredKey, secret: SecretStr, told: Delivery) -> bool:
        spend = delete(ERP_KEY_LINK).where(_L.digest == link.digest)
        upsert = replace_into(ERP_KEY, self._database.dialect)
        row = {
            "user_id": key.user_id,
            "source": key.source,
            "account": key.account,
            "secret": secret.get_secret_value(),
            "entered_ms": to_ms(key.entered_at),
        }

        def write(connection: Connection) -> bool:
            if not connection.execute(spend).rowcount:
                return False
            connection.execute(upsert, row)
            enqueue(connection, told, now=key.entered_at)
            return True

        return await self._database.run(write)

    async def find(self, user_id: str, source: str) -> EnteredKey | None:
        query = select(_K.account, _K.entered_ms).where(_K.user_id == user_id, _K.source == source)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            return None
        return EnteredKey(user_id=user_id, source=source, account=row.account, entered_at=from_ms(row.entered_ms))

    async def erase(self, user_id: str, source: str) -> bool:
        return await self._database.run(lambda connection: forget_other_keys(connection, user_id, source, ""))

    def _account(self, row: Any, source: str) -> str:
        configured = self._configured.get(row.user_id, {}).get(source)
        return configured or row.bound or ""


def forget_other_keys(connection: Connection, user_id: str, source: str, account: str) -> bool:
    """Delete a person's key and links for any account but this; returns whether there was such a key."""
    keys = delete(ERP_KEY).where(_K.user_id == user_id, _K.source == source, _K.account != account)
    links = delete(ERP_KEY_LINK).where(_L.user_id == user_id, _L.source == source, _L.account != account)
    connection.execute(links)
    return bool(connection.execute(keys).rowcount)


def _standing(digest: str, now: datetime) -> tuple[Any, ...]:
    return (_L.digest == digest, _L.expires_ms > to_ms(now), _L.tries < MOST_TRIES)


class StoredErpAccounts(Stored):
    """Stores people's accounts in the ERPs."""

    async def all(self) -> Sequence[ErpAccount]:
        query = select(ERP_ACCOUNT).order_by(_A.user_id, _A.source)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_account(row) for row in rows]

    async def find(self, user_id: str, source: str) -> ErpAccount | None:
        query = select(ERP_ACCOUNT).where(_A.user_id == user_id, _A.source == source)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _account(row)

    async def change(self, user_id: str, source: str, change: Change, now: datetime) -> ErpAccount:
        everybody = select(ERP_ACCOUNT).where(_A.source == source).with_for_update()

        def write(connection: Connection) -> ErpAccount:
            begin_immediate(connection)
            if connection.dialect.name == "postgresql":
                # No two people may be given the same account concurrently.
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            accounts = [_account(row) for row in connection.execute(everybody)]
            known = next((account for account in accounts if account.user_id == user_id), None)
            changed, owed = change(known, [account for account in accounts if account.user_id != user_id])
            upsert = replace_into(ERP_ACCOUNT, self._database.dialect)
            connection.execute(upsert, {name: getattr(changed, name) for name in _COLUMNS})
            forget_other_keys(connection, user_id, source, changed.account)
            enqueue(connection, *owed, now=now)
            return changed

        return await self._database.run(write)


_COLUMNS = tuple(column.name for column in ERP_ACCOUNT.columns)


def _account(row: Row[Any]) -> ErpAccount:
    return ErpAccount(**{**row._mapping, "state": AccountState(row.state)})
