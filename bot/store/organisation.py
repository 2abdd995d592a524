"""The organisation that the bot belongs to, and the conversations with somebody from outside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime

import structlog
from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import insert_into, replace_into
from bot.store.tables import ORGANISATION, OUTSIDER_GROUP
from bot.wakeup import Wakeup


class StoredOrganisation:
    """Implements `bot.access.organisation.OrganisationStore`; another app on the same database has its own."""

    def __init__(self, database: Database, client_id: str) -> None:
        self._database = database
        self._client_id = client_id
        self._query = select(ORGANISATION.c.corp_id).where(ORGANISATION.c.client_id == client_id)

    async def load(self) -> str:
        """Return the corpId that is kept, empty for none."""
        found: str | None = await self._database.run(lambda connection: connection.scalar(self._query))
        return found or ""

    async def keep(self, corp_id: str, *, instead: bool) -> str:
        """Keep the corpId and return the one that counts: of two processes the first one's, unless ``instead``."""
        dialect = self._database.dialect
        values = {"client_id": self._client_id, "corp_id": corp_id}
        first = insert_into(ORGANISATION, dialect).values(values).on_conflict_do_nothing()
        statement = replace_into(ORGANISATION, dialect).values(values) if instead else first

        def write(connection: Connection) -> str:
            connection.execute(statement)
            return str(connection.scalar(self._query))

        return await self._database.run(write)


log = structlog.get_logger(__name__)

REFRESH_SECONDS = 60.0
"""Seconds after which a process knows what another one has learnt."""
RETRY_SECONDS = 1.0
"""Seconds until a store that is away is asked again."""


def marked_groups(connection: Connection) -> list[tuple[str, datetime]]:
    """Return the conversations in which somebody from outside was seen, and when first; the newest first."""
    rows = connection.execute(select(OUTSIDER_GROUP).order_by(OUTSIDER_GROUP.c.seen_ms.desc()))
    return [(row.conversation_id, from_ms(row.seen_ms)) for row in rows]


def unmark_group(connection: Connection, conversation_id: str) -> bool:
    """Forget that somebody from outside was seen there; returns whether that was known."""
    this = delete(OUTSIDER_GROUP).where(OUTSIDER_GROUP.c.conversation_id == conversation_id)
    return bool(connection.execute(this).rowcount)


class StoredOutsiders:
    """Implements `bot.chat.audiences.KnownOutsiders`."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], named: Iterable[str] = ()) -> None:
        """``named`` are conversations of which the operator says so."""
        self._database = database
        self._now = now
        self._named = frozenset(named)
        self._known: frozenset[str] = frozenset()
        self._new: dict[str, datetime] = {}
        self._wakeup = Wakeup()

    def are_in(self, conversation_id: str) -> bool:
        """Whether somebody from outside is known to be there."""
        return conversation_id in self._known or conversation_id in self._new or conversation_id in self._named

    def note(self, conversation_id: str) -> None:
        """Remember that somebody from outside is there."""
        if conversation_id and conversation_id not in self._known and conversation_id not in self._new:
            self._new[conversation_id] = self._now()
            self._wakeup.call()

    async def load(self) -> None:
        """Read what this and other processes have learnt."""
        query = select(OUTSIDER_GROUP.c.conversation_id)
        found = await self._database.run(lambda connection: connection.execute(query).scalars().all())
        self._known = frozenset(found)

    async def store(self) -> None:
        """Store what was learnt since."""
        if not (new := dict(self._new)):
            return
        rows = [{"conversation_id": group, "seen_ms": to_ms(at)} for group, at in new.items()]
        insert = insert_into(OUTSIDER_GROUP, self._database.dialect).on_conflict_do_nothing()
        await self._database.run(lambda connection: connection.execute(insert, rows))
        self._known |= new.keys()
        self._new = {group: at for group, at in self._new.items() if group not in new}

    async def run(self) -> None:
        """Store and read again and again. What cannot be stored is still known to this process."""
        while True:
            self._wakeup.clear()
            try:
                await self.store()
                await self.load()
            except StoreUnavailable as error:
                log.warning("outsiders.not_stored", error=error.detail)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                await self._wakeup.sleep(REFRESH_SECONDS)
