"""What a language model cost in each month, so that the limit survives restarts."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.store.database import Database
from bot.store.statements import insert_into
from bot.store.tables import QUOTA_MONTH
from bot.understanding.language_model.ports import ModelUse

_MODEL = "model"
"""Stands beside DingTalk's quotas in the table of months."""
_COUNTS = ("calls", "prompt_tokens", "answer_tokens")


class StoredModelUse:
    """Implements `bot.understanding.language_model.ports.ModelUseStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, month: str, use: ModelUse) -> ModelUse:
        """Add to what was used in ``month`` and return all of it."""
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
