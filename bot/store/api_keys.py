"""Keys of programs, by their ids."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, select, update
from sqlalchemy.engine import Connection

from bot.access.api_keys import AgentLogin, ProgramKey
from bot.store.database import Stored
from bot.store.proposals import end_proposals
from bot.store.row_times import from_ms, to_ms
from bot.store.tables import AGENT_GRANT, API_KEY
from bot.store.transactions import begin_immediate

_K, _G = API_KEY.c, AGENT_GRANT.c
_KEYS = select(API_KEY, _G.client, _G.resource, _G.ends_ms).outerjoin(AGENT_GRANT, _G.id == _K.id)
"""Keys, and what those have more that a login gave."""
_BETWEEN = ", "


class StoredApiKeys(Stored):
    """Implements `bot.access.api_keys.ApiKeyStore`, and what operators do with keys."""

    async def put(self, key: ProgramKey) -> None:
        await self._database.execute(insert(API_KEY).values(**key_row(key)))

    async def find(self, key_id: str) -> ProgramKey | None:
        query = _KEYS.where(_K.id == key_id)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _key(row)

    async def any_there(self) -> bool:
        query = select(_K.id).limit(1)
        return await self._database.read(lambda connection: connection.execute(query).first() is not None)

    async def all(self) -> tuple[ProgramKey, ...]:
        """Return all keys, by their owners."""
        query = _KEYS.order_by(_K.user_id, _K.made_ms, _K.id)
        return await self._database.read(lambda connection: tuple(map(_key, connection.execute(query))))

    async def of_person(self, user_id: str) -> tuple[ProgramKey, ...]:
        query = _KEYS.where(_K.user_id == user_id).order_by(_K.made_ms, _K.id)
        return await self._database.read(lambda connection: tuple(map(_key, connection.execute(query))))

    async def note_seen(self, key_id: str, at: datetime) -> None:
        await self._database.execute(update(API_KEY).where(_K.id == key_id).values(seen_ms=to_ms(at)))

    async def end(self, key_id: str, now: datetime, user_id: str | None = None) -> ProgramKey | None:
        """End one key with what it proposed; return it if it was there."""
        which = _K.id == key_id if user_id is None else and_(_K.id == key_id, _K.user_id == user_id)

        def write(connection: Connection) -> ProgramKey | None:
            begin_immediate(connection)
            (ended,) = end_keys(connection, which, now) or (None,)
            return ended

        return await self._database.run(write)

    async def end_all(self, user_ids: Collection[str], now: datetime) -> tuple[ProgramKey, ...]:
        def write(connection: Connection) -> tuple[ProgramKey, ...]:
            begin_immediate(connection)
            ended = end_keys(connection, _K.user_id.in_(user_ids), now)
            connection.execute(delete(AGENT_GRANT).where(_G.user_id.in_(user_ids)))
            return ended

        return await self._database.run(write)


def end_keys(connection: Connection, which: ColumnElement[bool], now: datetime) -> tuple[ProgramKey, ...]:
    """End keys, with the logins that gave them and what they proposed; return those that there were."""
    there = tuple(map(_key, connection.execute(_KEYS.where(which))))
    if ids := [key.id for key in there]:
        connection.execute(delete(API_KEY).where(_K.id.in_(ids)))
        connection.execute(delete(AGENT_GRANT).where(_G.id.in_(ids)))
        end_proposals(connection, now, ids)
    return there


def key_row(key: ProgramKey) -> dict[str, Any]:
    """Return what is stored of a key; what a login gave it stands in the grant."""
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
        login=None if row.ends_ms is None else AgentLogin(row.client, row.resource, from_ms(row.ends_ms)),
    )
