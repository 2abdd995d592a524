"""Which message of each conversation was the first: its answer welcomes people."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.store.database import Database
from bot.store.statements import insert_into
from bot.store.tables import WELCOME

_W = WELCOME.c


class StoredWelcomes:
    """Implements `bot.chat.welcome.WelcomeStore`; of two processes the first one's message counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, conversation_id: str, msg_id: str) -> str:
        """Return the first message of a conversation: this one, if none was kept before."""
        query = select(_W.msg_id).where(_W.conversation_id == conversation_id)
        known: str | None = await self._database.read(lambda connection: connection.scalar(query))
        if known is not None:
            return known
        values = {"conversation_id": conversation_id, "msg_id": msg_id}
        adding = insert_into(WELCOME, self._database.dialect).values(values).on_conflict_do_nothing()

        def keep(connection: Connection) -> str:
            connection.execute(adding)
            return str(connection.scalar(query))

        return await self._database.run(keep)
