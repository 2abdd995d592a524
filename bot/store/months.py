"""Counts DingTalk calls per month, so that the quota's meter survives restarts."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store.tables import API_MONTH
from bot.store.upsert import insert_into


class StoredMonths:
    """Implements the port of `bot.dingtalk.quota`; several processes add to the same month."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def load(self, month: str) -> int:
        """Return the calls counted in ``month`` (as ``2026-11``)."""
        async with self._engine.connect() as connection:
            found: int | None = await connection.scalar(select(API_MONTH.c.calls).where(API_MONTH.c.month == month))
        return found or 0

    async def add(self, month: str, calls: int) -> int:
        """Add ``calls`` and return the month's new sum."""
        statement = insert_into(API_MONTH, self._engine.dialect.name).values(month=month, calls=calls)
        statement = statement.on_conflict_do_update(
            index_elements=["month"], set_={"calls": API_MONTH.c.calls + statement.excluded.calls}
        )
        async with self._engine.begin() as connection:
            total: int = (await connection.execute(statement.returning(API_MONTH.c.calls))).scalar_one()
        return total
