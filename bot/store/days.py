"""How far the month's calls had come on each day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import case, select

from bot.store.database import Database
from bot.store.tables import API_DAY
from bot.store.upsert import insert_into


class StoredDays:
    """Implements `bot.outbox.keeping.CallDays`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, day: date, calls: int) -> None:
        """Note the month's calls so far."""
        adding = insert_into(API_DAY, self._database.dialect).values(day=day.isoformat(), calls=calls)
        higher = case((adding.excluded.calls > API_DAY.c.calls, adding.excluded.calls), else_=API_DAY.c.calls)
        upsert = adding.on_conflict_do_update(index_elements=["day"], set_={"calls": higher})
        await self._database.run(lambda connection: connection.execute(upsert))

    async def since(self, day: date) -> Mapping[date, int]:
        """Return what was noted for that day and later ones."""
        query = select(API_DAY).where(API_DAY.c.day >= day.isoformat())
        rows = await self._database.run(lambda connection: connection.execute(query).all())
        return {date.fromisoformat(row.day): row.calls for row in rows}
