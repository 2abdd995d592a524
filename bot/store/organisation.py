"""The organisation that the bot belongs to, as its first message named it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.store.database import Database
from bot.store.statements import insert_into, replace_into
from bot.store.tables import ORGANISATION


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
