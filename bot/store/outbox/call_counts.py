"""Billed usage: DingTalk's calls per month, the month's progress by day, the steps reported to administrators; and the
cost of a language model. It is stored, so that meters and limits survive restarts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import case, select
from sqlalchemy.engine import Connection

from bot.outbox.delivery import Delivery
from bot.outbox.spending import Purpose, Quota, SpentKey
from bot.store.database import Database, Stored
from bot.store.outbox.queue import enqueue
from bot.store.statements import insert_into
from bot.store.tables import QUOTA_DAY, QUOTA_MONTH, QUOTA_WARNING
from bot.understanding.language_model.ports import ModelUse


class StoredMonthlyCalls(Stored):
    """Stores the counts of `bot.dingtalk.quota`; several processes add to the same month."""

    async def load(self, month: str) -> Mapping[SpentKey, int]:
        """Return the counts of ``month`` (as ``2026-11``)."""
        return await self._database.run(lambda connection: _spent(connection, month))

    async def add(self, month: str, spent: Mapping[SpentKey, int]) -> Mapping[SpentKey, int]:
        insert = insert_into(QUOTA_MONTH, self._database.dialect)
        upsert = insert.on_conflict_do_update(
            index_elements=["month", "quota", "purpose", "conversation"],
            set_={"spent": QUOTA_MONTH.c.spent + insert.excluded.spent},
        )
        # In the same order everywhere, so that no two processes wait for each other's rows.
        rows = sorted(
            (
                {
                    "month": month,
                    "quota": key.quota.value,
                    "purpose": key.purpose.value,
                    "conversation": key.conversation,
                    "spent": count,
                }
                for key, count in spent.items()
            ),
            key=lambda row: (row["quota"], row["purpose"], row["conversation"]),
        )

        def put(connection: Connection) -> Mapping[SpentKey, int]:
            if rows:
                connection.execute(upsert, rows)
            return _spent(connection, month)

        return await self._database.run(put)


def _spent(connection: Connection, month: str) -> Mapping[SpentKey, int]:
    wanted = QUOTA_MONTH.c.month == month, QUOTA_MONTH.c.quota.in_(tuple(Quota))
    rows = connection.execute(select(QUOTA_MONTH).where(*wanted))
    spent: dict[SpentKey, int] = {}
    for row in rows:
        key = SpentKey(Quota(row.quota), _purpose(row.purpose), row.conversation)
        spent[key] = spent.get(key, 0) + row.spent
    return spent


def _purpose(name: str) -> Purpose:
    """Return a purpose by its name; a replica of a newer version may know others."""
    return Purpose(name) if name in _PURPOSES else Purpose.OTHER


_PURPOSES = frozenset(Purpose)


class StoredDailyCalls:
    """Stores one quota's daily counts."""

    def __init__(self, database: Database, quota: Quota = Quota.CALLS) -> None:
        self._database = database
        self._quota = quota

    async def put(self, day: date, calls: int) -> None:
        """Store the month's spending so far."""
        values = {"day": day.isoformat(), "quota": self._quota.value, "spent": calls}
        adding = insert_into(QUOTA_DAY, self._database.dialect).values(**values)
        higher = case((adding.excluded.spent > QUOTA_DAY.c.spent, adding.excluded.spent), else_=QUOTA_DAY.c.spent)
        upsert = adding.on_conflict_do_update(index_elements=["day", "quota"], set_={"spent": higher})
        await self._database.execute(upsert)

    async def since(self, day: date) -> Mapping[date, int]:
        """Return the counts of that day and later ones."""
        query = select(QUOTA_DAY).where(QUOTA_DAY.c.day >= day.isoformat(), QUOTA_DAY.c.quota == self._quota.value)
        rows = await self._database.rows(query)
        return {date.fromisoformat(row.day): row.spent for row in rows}


class StoredQuotaWarnings(Stored):
    """Stores the quota warnings already reported."""

    async def told(self, month: str) -> frozenset[tuple[Quota, int]]:
        """Return the steps reported to administrators in ``month``."""
        query = select(QUOTA_WARNING).where(QUOTA_WARNING.c.month == month)
        rows = await self._database.rows(query)
        return frozenset((Quota(row.quota), row.percent) for row in rows)

    async def tell(self, month: str, quota: Quota, percents: Sequence[int], deliveries: Sequence[Delivery]) -> None:
        """Queue the cards and store the steps, unless another process did so before."""
        insert = insert_into(QUOTA_WARNING, self._database.dialect)
        note = insert.on_conflict_do_nothing(index_elements=["month", "quota", "percent"])

        def put(connection: Connection) -> None:
            rows = [{"month": month, "quota": quota.value, "percent": percent} for percent in percents]
            connection.execute(note, rows)
            enqueue(connection, *deliveries, now=deliveries[0].due_at)

        await self._database.run(put)


_MODEL = "model"
"""Stands beside DingTalk's quotas in the table of months."""
_COUNTS = ("calls", "prompt_tokens", "answer_tokens")


class StoredModelUse(Stored):
    """Stores the use of the language model."""

    async def add(self, month: str, use: ModelUse) -> ModelUse:
        insert = insert_into(QUOTA_MONTH, self._database.dialect)
        upsert = insert.on_conflict_do_update(
            index_elements=["month", "quota", "purpose", "conversation"],
            set_={"spent": QUOTA_MONTH.c.spent + insert.excluded.spent},
        )
        rows = [
            {"month": month, "quota": _MODEL, "purpose": name, "conversation": "", "spent": count}
            for name in _COUNTS
            if (count := getattr(use, name))
        ]

        def put(connection: Connection) -> ModelUse:
            if rows:
                connection.execute(upsert, rows)
            return _used(connection, month)

        return await self._database.run(put)


def _used(connection: Connection, month: str) -> ModelUse:
    query = select(QUOTA_MONTH).where(QUOTA_MONTH.c.month == month, QUOTA_MONTH.c.quota == _MODEL)
    return ModelUse(**{row.purpose: row.spent for row in connection.execute(query)})
