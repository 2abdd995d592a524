"""Sessions of the pages, by the hashes of their tokens."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from bot.access.page_sessions import PageSession
from bot.store.database import Stored
from bot.store.record_codec import IN_MILLISECONDS, RecordCodec
from bot.store.row_times import to_ms
from bot.store.tables import PAGE_SESSION

_S = PAGE_SESSION.c
_SESSION = RecordCodec(PageSession, IN_MILLISECONDS, names={"began_at": "began_ms", "seen_at": "seen_ms"})


class StoredPageSessions(Stored):
    """Implements `bot.access.page_sessions.PageSessionStore`."""

    async def put(self, session: PageSession) -> None:
        await self._database.execute(insert(PAGE_SESSION).values(**_SESSION.write(session)))

    async def find(self, digest: str) -> PageSession | None:
        query = select(PAGE_SESSION).where(_S.digest == digest)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _SESSION.read_row(row)

    async def note_seen(self, digest: str, at: datetime) -> None:
        await self._database.execute(update(PAGE_SESSION).where(_S.digest == digest).values(seen_ms=to_ms(at)))

    async def end(self, digest: str) -> None:
        await self._database.execute(delete(PAGE_SESSION).where(_S.digest == digest))

    async def end_all(self, user_ids: Collection[str]) -> int:
        ended = delete(PAGE_SESSION).where(_S.user_id.in_(user_ids))

        def write(connection: Connection) -> int:
            return connection.execute(ended).rowcount

        return await self._database.run(write)

    async def end_older(self, began: datetime, seen: datetime) -> None:
        over = or_(_S.began_ms < to_ms(began), _S.seen_ms < to_ms(seen))
        await self._database.execute(delete(PAGE_SESSION).where(over))
