"""Keys of programs, by their ids."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from bot.access.api_keys import ProgramKey
from bot.store.database import Stored
from bot.store.proposals import end_proposals
from bot.store.row_times import from_ms, to_ms
from bot.store.tables import API_KEY
from bot.store.transactions import begin_immediate

_K = API_KEY.c
_BETWEEN = ", "


class StoredApiKeys(Stored):
    """Implements `bot.access.api_keys.ApiKeyStore`, and what operators do with keys."""

    async def put(self, key: ProgramKey) -> None:
        await self._database.execute(insert(API_KEY).values(**_row(key)))

    async def find(self, key_id: str) -> ProgramKey | None:
        query = select(API_KEY).where(_K.id == key_id)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _key(row)

    async def any_there(self) -> bool:
        query = select(_K.id).limit(1)
        return await self._database.read(lambda connection: connection.execute(query).first() is not None)

    async def all(self) -> tuple[ProgramKey, ...]:
        """Return all keys, by their owners."""
        query = select(API_KEY).order_by(_K.user_id, _K.made_ms, _K.id)
        return await self._database.read(lambda connection: tuple(map(_key, connection.execute(query))))

    async def note_seen(self, key_id: str, at: datetime) -> None:
        await self._database.execute(update(API_KEY).where(_K.id == key_id).values(seen_ms=to_ms(at)))

    async def end(self, key_id: str, now: datetime) -> ProgramKey | None:
        """End one key with what it proposed; return it if it was there."""
        (ended,) = await self._end(_K.id == key_id, now) or (None,)
        return ended

    async def end_all(self, user_ids: Collection[str], now: datetime) -> tuple[ProgramKey, ...]:
        return await self._end(_K.user_id.in_(user_ids), now)

    async def _end(self, which: Any, now: datetime) -> tuple[ProgramKey, ...]:
        def write(connection: Connection) -> tuple[ProgramKey, ...]:
            begin_immediate(connection)
            there = tuple(map(_key, connection.execute(select(API_KEY).where(which))))
            if ids := [key.id for key in there]:
                connection.execute(delete(API_KEY).where(_K.id.in_(ids)))
                end_proposals(connection, now, ids)
            return there

        return await self._database.run(write)


def _row(key: ProgramKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "digest": key.digest,
        "user_id": key.user_id,
        "scopes": _BETWEEN.join(sorted(key.scopes)),
        "made_ms": to_ms(key.made_at),
        "expires_ms": to_ms(key.expires_at),
        "seen_ms": None if key.seen_at is None else to_ms(key.seen_at),
    }


def _key(row: Any) -> ProgramKey:
    return ProgramKey(
        id=row.id,
        digest=row.digest,
        user_id=row.user_id,
        scopes=frozenset(filter(None, row.scopes.split(_BETWEEN))),
        made_at=from_ms(row.made_ms),
        expires_at=from_ms(row.expires_ms),
        seen_at=None if row.seen_ms is None else from_ms(row.seen_ms),
    )
