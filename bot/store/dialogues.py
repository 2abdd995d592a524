"""The last questions of dialogues, across restarts. They hold what people typed, so they lie sealed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial

import orjson
from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from bot.chat.dialogues import DialogueKey, LastQuestion
from bot.store.database import Database
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import replace_into
from bot.store.tables import DIALOGUE


class StoredDialogues:
    """Implements `bot.chat.dialogues.DialogueStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, since: datetime) -> Iterable[tuple[DialogueKey, LastQuestion]]:
        """Return the dialogues that are younger than ``since``."""
        return await self._database.run(partial(_load, since_ms=to_ms(since)))

    async def save(self, changed: Collection[tuple[DialogueKey, LastQuestion]], since: datetime) -> None:
        """Keep these, and forget what is older than ``since``."""
        await self._database.run(partial(_save, changed=changed, since_ms=to_ms(since)))


def _load(connection: Connection, since_ms: int) -> Iterable[tuple[DialogueKey, LastQuestion]]:
    rows = connection.execute(select(DIALOGUE).where(DIALOGUE.c.at_ms >= since_ms)).all()
    return [
        (
            DialogueKey(row.user_id, row.conversation_id),
            LastQuestion(line=row.line, rows=tuple(orjson.loads(row.rows)), at=from_ms(row.at_ms)),
        )
        for row in rows
    ]


def _save(connection: Connection, changed: Collection[tuple[DialogueKey, LastQuestion]], since_ms: int) -> None:
    connection.execute(delete(DIALOGUE).where(DIALOGUE.c.at_ms < since_ms))
    upsert = replace_into(DIALOGUE, connection.dialect.name)
    for key, last in changed:
        row = {"user_id": key.user_id, "conversation_id": key.conversation_id, "at_ms": to_ms(last.at)}
        connection.execute(upsert.values(**row, line=last.line, rows=orjson.dumps(last.rows).decode()))
