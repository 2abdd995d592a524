"""The languages that people chose, held in memory: there are few, and every answer asks."""

from __future__ import annotations

from sqlalchemy import select

from bot.store.database import Database
from bot.store.statements import replace_into
from bot.store.tables import LANGUAGE


class StoredLanguages:
    """Implements `bot.access.people.LanguageChoices` and `bot.chat.ports.LanguageChoice`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._chosen: dict[str, str] = {}

    async def load(self) -> None:
        """Read all choices."""
        rows = await self._database.run(lambda connection: connection.execute(select(LANGUAGE)).all())
        self._chosen = {row.user_id: row.code for row in rows}

    def chosen(self, user_id: str) -> str | None:
        """Return the person's choice."""
        return self._chosen.get(user_id)

    async def choose(self, user_id: str, code: str) -> None:
        """Remember the person's choice."""
        upsert = replace_into(LANGUAGE, self._database.dialect).values(user_id=user_id, code=code)
        await self._database.run(lambda connection: connection.execute(upsert))
        self._chosen[user_id] = code
