"""The languages that people chose, held in memory: there are few, and every answer asks."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.tables import LANGUAGE
from bot.store.upsert import insert_into


class StoredLanguages:
    """Implements the ports of `bot.access.people` and `commands.lang`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._chosen: dict[str, str] = {}

    async def load(self) -> None:
        """Read all choices."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(LANGUAGE))
            self._chosen = {row.user_id: row.code for row in rows}

    def chosen(self, user_id: str) -> str | None:
        """Return the person's choice."""
        return self._chosen.get(user_id)

    async def choose(self, user_id: str, code: str) -> None:
        """Remember the person's choice."""
        statement = insert_into(LANGUAGE, self._engine.dialect.name).values(user_id=user_id, code=code)
        async with self._engine.begin() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["user_id"], set_={"code": statement.excluded.code})
            )
        self._chosen[user_id] = code
