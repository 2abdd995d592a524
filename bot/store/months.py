"""Counts DingTalk calls per month, so that the quota's meter survives restarts."""

from __future__ import annotations

from sqlalchemy import select

from bot.store.database import Database
from bot.store.tables import API_MONTH
from bot.store.upsert import insert_into


class StoredMonths:
    """Implements the port of `bot.dingtalk.quota`; several processes add to the same month."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, month: str) -> int:
        """Return the calls counted in ``month`` (as ``2026-11``)."""
        query = select(API_MONTH.c.calls).where(API_MONTH.c.month == month)
        found: int | None = await self._database.run(lambda connection: connection.scalar(query))
        return found or 0

    async def add(self, month: str, calls: int) -> int:
        """Add ``calls`` and return the month's new sum."""
        insert = insert_into(API_MONTH, self._database.dialect).values(month=month, calls=calls)
        upsert = insert.on_conflict_do_update(
            index_elements=["month"], set_={"calls": API_MONTH.c.calls + insert.excluded.calls}
        ).returning(API_MONTH.c.calls)
        total: int = await self._database.run(lambda connection: connection.execute(upsert).scalar_one())
        return total
