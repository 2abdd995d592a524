"""The last questions of dialogues, across restarts. They hold what people typed, so they are sealed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache, partial

import orjson
from sqlalchemy import Insert, delete, select
from sqlalchemy.engine import Connection

from bot.chat.dialogues import DialogueKey, LastQuestion
from bot.store.database import Database
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import chunks, execute_many, replace_into
from bot.store.tables import DIALOGUE
from bot.store.unreadable_rows import read_readable


class StoredDialogues:
    """Implements `bot.chat.dialogues.DialogueStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, since: datetime) -> Iterable[tuple[DialogueKey, LastQuestion]]:
        """Return the dialogues that are younger than ``since``."""
        return await self._database.run(partial(_load, since_ms=to_ms(since)))

    async def save(self, changed: Collection[tuple[DialogueKey, LastQuestion]], since: datetime) -> None:
        """Keep these, and forget what is older than ``since``.

        Each portion has a transaction of its own, so that new questions can be stored in between.
        """
        await self._database.run(partial(_forget, since_ms=to_ms(since)))
        for portion in chunks(changed):
            await self._database.run(partial(_save, changed=portion))


def _load(connection: Connection, since_ms: int) -> Iterable[tuple[DialogueKey, LastQuestion]]:
    rows = read_readable(connection, DIALOGUE, select(DIALOGUE).where(DIALOGUE.c.at_ms >= since_ms))
    return [
        (
            DialogueKey(row.user_id, row.conversation_id),
            _read(row.line, orjson.loads(row.rows), from_ms(row.at_ms)),
        )
        for row in rows
    ]


def _read(line: str, stored: list[str] | dict[str, list[str]], at: datetime) -> LastQuestion:
    # Without links, and in versions that knew none, the rows stand alone.
    known = stored if isinstance(stored, dict) else {"rows": stored}
    return LastQuestion(line=line, rows=tuple(known["rows"]), links=tuple(known.get("links", ())), at=at)


def _written(last: LastQuestion) -> str:
    return orjson.dumps({"rows": last.rows, "links": last.links} if last.links else last.rows).decode()


def _forget(connection: Connection, since_ms: int) -> None:
    connection.execute(delete(DIALOGUE).where(DIALOGUE.c.at_ms < since_ms))


def _save(connection: Connection, changed: Sequence[tuple[DialogueKey, LastQuestion]]) -> None:
    rows = [
        {
            "user_id": key.user_id,
            "conversation_id": key.conversation_id,
            "at_ms": to_ms(last.at),
            "line": last.line,
            "rows": _written(last),
        }
        for key, last in changed
    ]
    execute_many(connection, _replace(connection.dialect.name), rows)


@cache
def _replace(dialect: str) -> Insert:
    return replace_into(DIALOGUE, dialect)
