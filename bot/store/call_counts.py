"""Counts of DingTalk calls: per month, so that the quota's meter survives restarts, and how far the month had come
on each day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import case, select

from bot.store.database import Database
from bot.store.statements import insert_into
from bot.store.tables import API_DAY, API_MONTH


class StoredMonthlyCalls:
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


class StoredDailyCalls:
    """Implements `bot.outbox.housekeeping.DailyCallStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, day: date, calls: int) -> None:
        """Store the month's calls so far."""
        adding = insert_into(API_DAY, self._database.dialect).values(day=day.isoformat(), calls=calls)
        higher = case((adding.excluded.calls > API_DAY.c.calls, adding.excluded.calls), else_=API_DAY.c.calls)
        upsert = adding.on_conflict_do_update(index_elements=["day"], set_={"calls": higher})
        await self._database.run(lambda connection: connection.execute(upsert))

    async def since(self, day: date) -> Mapping[date, int]:
        """Return what was stored for that day and later days."""
        query = select(API_DAY).where(API_DAY.c.day >= day.isoformat())
        rows = await self._database.run(lambda connection: connection.execute(query).all())
        return {date.fromisoformat(row.day): row.calls for row in rows}
