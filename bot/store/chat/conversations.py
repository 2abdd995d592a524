"""Data on conversations: chosen languages, first messages, last questions, and prompts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache, partial

import orjson
from sqlalchemy import ColumnElement, Insert, delete, select
from sqlalchemy.engine import Connection

from bot.chat.questions.dialogues import DialogueKey, LastQuestion
from bot.chat.questions.prompts import OpenPrompt
from bot.outbox.place import Place
from bot.store.database import Database, Stored
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import chunks, execute_many, insert_into, replace_into
from bot.store.tables import DIALOGUE, LANGUAGE, PROMPT, WELCOME
from bot.store.unreadable_rows import read_readable


class StoredLanguages(Stored):
    """Stores the languages that people choose."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._chosen: dict[str, str] = {}

    async def load(self) -> None:
        """Read all choices."""
        rows = await self._database.rows(select(LANGUAGE))
        self._chosen = {row.user_id: row.code for row in rows}

    async def refresh(self, user_id: str) -> None:
        """Read a person's choice, which another replica may have stored."""
        code = select(LANGUAGE.c.code).where(LANGUAGE.c.user_id == user_id)
        chosen = await self._database.read(lambda connection: connection.scalar(code))
        if chosen is None:
            self._chosen.pop(user_id, None)
        else:
            self._chosen[user_id] = chosen

    def chosen(self, user_id: str) -> str | None:
        return self._chosen.get(user_id)

    async def choose(self, user_id: str, code: str) -> None:
        """Store the person's choice."""
        upsert = replace_into(LANGUAGE, self._database.dialect).values(user_id=user_id, code=code)
        await self._database.execute(upsert)
        self._chosen[user_id] = code


_W = WELCOME.c


class StoredWelcomes(Stored):
    """Records first messages; of two processes the first one's message counts."""

    async def claim(self, conversation_id: str, msg_id: str) -> str:
        query = select(_W.msg_id).where(_W.conversation_id == conversation_id)
        known: str | None = await self._database.read(lambda connection: connection.scalar(query))
        if known is not None:
            return known
        values = {"conversation_id": conversation_id, "msg_id": msg_id}
        adding = insert_into(WELCOME, self._database.dialect).values(values).on_conflict_do_nothing()

        def keep(connection: Connection) -> str:
            connection.execute(adding)
            return str(connection.scalar(query))

        return await self._database.run(keep)


class StoredDialogues(Stored):
    """Stores the last question of each dialogue."""

    async def load(self, since: datetime) -> Iterable[tuple[DialogueKey, LastQuestion]]:
        return await self._database.run(partial(_load_dialogues, since_ms=to_ms(since)))

    async def find(self, key: DialogueKey) -> LastQuestion | None:
        """Return the last question of one dialogue."""
        mine = (DIALOGUE.c.user_id == key.user_id, DIALOGUE.c.conversation_id == key.conversation_id)
        found = await self._database.read(partial(_read_dialogues, where=mine))
        return next((last for _, last in found), None)

    async def save(self, changed: Collection[tuple[DialogueKey, LastQuestion]], since: datetime) -> None:
        """Store these, and delete those older than ``since``.

        Each chunk has its own transaction, so that new questions can be stored in between.
        """
        await self._database.run(partial(_forget_dialogues, since_ms=to_ms(since)))
        for portion in chunks(changed):
            await self._database.run(partial(_save_dialogues, changed=portion))


class StoredPrompts(Stored):
    """Stores prompts, for replicas that answer a person by turns."""

    async def keep(self, user_id: str, prompt: OpenPrompt) -> None:
        row = {
            "user_id": user_id,
            "until_ms": to_ms(prompt.until),
            "line": prompt.line,
            "places": orjson.dumps(list(map(str, prompt.places))).decode(),
        }
        await self._database.execute(replace_into(PROMPT, self._database.dialect).values(row))

    async def find(self, user_id: str) -> OpenPrompt | None:
        query = select(PROMPT).where(PROMPT.c.user_id == user_id)
        rows = await self._database.read(lambda connection: read_readable(connection, PROMPT, query))
        for row in rows:
            places = tuple(map(Place.parse, orjson.loads(row.places)))
            return OpenPrompt(row.line, places, from_ms(row.until_ms))
        return None

    async def drop(self, user_id: str) -> bool:
        dropped = delete(PROMPT).where(PROMPT.c.user_id == user_id).returning(PROMPT.c.user_id)
        return await self._database.run(lambda connection: connection.scalar(dropped)) is not None


def _load_dialogues(connection: Connection, since_ms: int) -> Iterable[tuple[DialogueKey, LastQuestion]]:
    return _read_dialogues(connection, where=(DIALOGUE.c.at_ms >= since_ms,))


def _read_dialogues(
    connection: Connection, where: Sequence[ColumnElement[bool]]
) -> Iterable[tuple[DialogueKey, LastQuestion]]:
    rows = read_readable(connection, DIALOGUE, select(DIALOGUE).where(*where))
    return [
        (
            DialogueKey(row.user_id, row.conversation_id),
            _last_question(row.line, orjson.loads(row.rows), from_ms(row.at_ms)),
        )
        for row in rows
    ]


def _last_question(line: str, stored: list[str] | dict[str, list[str]], at: datetime) -> LastQuestion:
    # Versions without links stored only the rows.
    known = stored if isinstance(stored, dict) else {"rows": stored}
    return LastQuestion(line=line, rows=tuple(known["rows"]), links=tuple(known.get("links", ())), at=at)


def _written(last: LastQuestion) -> str:
    return orjson.dumps({"rows": last.rows, "links": last.links} if last.links else last.rows).decode()


def _forget_dialogues(connection: Connection, since_ms: int) -> None:
    connection.execute(delete(DIALOGUE).where(DIALOGUE.c.at_ms < since_ms))


def _save_dialogues(connection: Connection, changed: Sequence[tuple[DialogueKey, LastQuestion]]) -> None:
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
    execute_many(connection, _replace_dialogue(connection.dialect.name), rows)


@cache
def _replace_dialogue(dialect: str) -> Insert:
    return replace_into(DIALOGUE, dialect)
