"""What people let agents ask, with the keys that it becomes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from bot.access.agent_grants import AgentGrant
from bot.access.api_keys import ProgramKey
from bot.store.api_keys import end_keys, key_row
from bot.store.database import Stored
from bot.store.row_times import from_ms, to_ms
from bot.store.tables import AGENT_GRANT, API_KEY
from bot.store.transactions import begin_immediate

_G, _K = AGENT_GRANT.c, API_KEY.c


class StoredAgentGrants(Stored):
    """Implements `bot.access.agent_grants.AgentGrantStore`."""

    async def put(self, grant: AgentGrant, now: datetime, most: int) -> None:
        def write(connection: Connection) -> None:
            begin_immediate(connection)
            over = or_(_G.ends_ms <= to_ms(now), and_(_G.family == "", _G.code_ends_ms <= to_ms(now)))
            given = select(_G.id).where(_G.user_id == grant.user_id).order_by(_G.made_ms.desc(), _G.id)
            gone = [
                *connection.scalars(select(_G.id).where(over)),
                *connection.scalars(given.offset(most - 1)),
            ]
            _end(connection, gone, now)
            connection.execute(insert(AGENT_GRANT).values(**_row(grant)))

        await self._database.run(write)

    async def find(self, grant_id: str) -> AgentGrant | None:
        query = select(AGENT_GRANT, _K.digest).outerjoin(API_KEY, _K.id == _G.id).where(_G.id == grant_id)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _grant(row)

    async def begin(self, grant_id: str, family: str, refresh: str, key: ProgramKey) -> bool:
        used = update(AGENT_GRANT).where(_G.id == grant_id, _G.family == "").values(family=family, refresh=refresh)

        def write(connection: Connection) -> bool:
            begin_immediate(connection)
            if connection.execute(used).rowcount != 1:
                return False
            connection.execute(insert(API_KEY).values(**key_row(key)))
            return True

        return await self._database.run(write)

    async def renew(self, grant_id: str, refresh: str, by: str, token: str, until: datetime) -> bool:
        turned = update(AGENT_GRANT).where(_G.id == grant_id, _G.refresh == refresh).values(refresh=by)
        renewed = update(API_KEY).where(_K.id == grant_id).values(digest=token, expires_ms=to_ms(until))

        def write(connection: Connection) -> bool:
            begin_immediate(connection)
            return connection.execute(turned).rowcount == 1 and connection.execute(renewed).rowcount == 1

        return await self._database.run(write)

    async def end(self, grant_id: str, now: datetime) -> None:
        def write(connection: Connection) -> None:
            begin_immediate(connection)
            _end(connection, [grant_id], now)

        await self._database.run(write)


def _end(connection: Connection, ids: list[str], now: datetime) -> None:
    end_keys(connection, _K.id.in_(ids), now)
    connection.execute(delete(AGENT_GRANT).where(_G.id.in_(ids)))


def _row(grant: AgentGrant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "user_id": grant.user_id,
        "client_id": grant.client_id,
        "client": grant.client,
        "redirect_uri": grant.redirect_uri,
        "resource": grant.resource,
        "scopes": " ".join(grant.scopes),
        "commands": " ".join(sorted(grant.commands)),
        "challenge": grant.challenge,
        "code": grant.code,
        "family": grant.family,
        "refresh": grant.refresh,
        "code_ends_ms": to_ms(grant.code_ends_at),
        "made_ms": to_ms(grant.made_at),
        "ends_ms": to_ms(grant.ends_at),
    }


def _grant(row: Any) -> AgentGrant:
    return AgentGrant(
        id=row.id,
        user_id=row.user_id,
        client_id=row.client_id,
        client=row.client,
        redirect_uri=row.redirect_uri,
        resource=row.resource,
        scopes=tuple(row.scopes.split()),
        commands=frozenset(row.commands.split()),
        challenge=row.challenge,
        code=row.code,
        code_ends_at=from_ms(row.code_ends_ms),
        made_at=from_ms(row.made_ms),
        ends_at=from_ms(row.ends_ms),
        family=row.family,
        refresh=row.refresh,
        token=row.digest or "",
    )
