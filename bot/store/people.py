"""Who belongs to the organisation, as the database remembers it; people of the last questions are held in memory."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from cachetools import TTLCache
from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from bot.access.membership import PersonRecord
from bot.access.people import DirectoryEntry
from bot.store.database import Database
from bot.store.row_times import from_us, to_us
from bot.store.statements import insert_into
from bot.store.tables import PERSON

HELD = 50_000
"""People in memory, about 30 MB."""

NEWS_OF_OTHERS_AFTER = 0.5
"""Seconds after which a row is read again where other processes may have changed it: each event reaches one process
alone (docs: platform/dingtalk/stream.md#several-connections)."""

_P = PERSON.c
_NOBODY: Mapping[str, Any] = {"name": "", "roles": "[]", "departments": "[]", "is_admin": False}
_TIMES = ("checked_us", "changed_us", "left_us", "wrote_us")


class StoredPeople:
    """Implements `bot.access.membership.PeopleStore`."""

    def __init__(self, database: Database, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        # One process alone has a SQLite file.
        fresh = math.inf if database.dialect == "sqlite" else NEWS_OF_OTHERS_AFTER
        self._held: MutableMapping[str, PersonRecord] = TTLCache(HELD, fresh, monotonic)
        self._writes = 0

    async def find(self, user_id: str) -> PersonRecord | None:
        """Return what is known about somebody."""
        if (held := self._held.get(user_id)) is not None:
            return held
        writes = self._writes
        query = select(PERSON).where(_P.user_id == user_id)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            return None
        record = _record(row)
        if writes == self._writes:
            self._held[user_id] = record
        return record

    async def record_entry(self, user_id: str, entry: DirectoryEntry, asked_at: datetime) -> None:
        """Keep what the directory answered to a question of that time."""
        await self.record_entries({user_id: entry}, asked_at)

    async def record_entries(self, entries: Mapping[str, DirectoryEntry], asked_at: datetime) -> None:
        """Keep what the directory said of many people at that time."""
        rows = [
            {**_columns(entry), "user_id": user_id, "checked_us": to_us(asked_at)} for user_id, entry in entries.items()
        ]
        await self._write(rows, ("name", "roles", "departments", "is_admin", "checked_us"))

    async def record_left(self, user_ids: Iterable[str], at: datetime) -> None:
        """Keep that these people do not belong to the organisation."""
        await self._write([{**_NOBODY, "user_id": one, "left_us": to_us(at)} for one in user_ids], ("left_us",))

    async def record_changed(self, user_ids: Iterable[str], at: datetime) -> None:
        """Keep that what is known about these people is out of date."""
        await self._write([{**_NOBODY, "user_id": one, "changed_us": to_us(at)} for one in user_ids], ("changed_us",))

    async def record_writer(self, user_id: str, name: str, wrote_at: datetime) -> None:
        """Keep that somebody wrote."""
        row = {**_NOBODY, "user_id": user_id, "name": name, "wrote_us": to_us(wrote_at)}
        await self._write([row], ("wrote_us",))

    async def _write(self, rows: Sequence[Mapping[str, Any]], changed: Sequence[str]) -> None:
        """Write whole rows of people never heard of, and the columns in ``changed`` of the others."""
        if not rows:
            return
        adding = insert_into(PERSON, self._database.dialect)
        upsert = adding.on_conflict_do_update(
            index_elements=["user_id"], set_={name: adding.excluded[name] for name in changed}
        )
        whole = [{**dict.fromkeys(_TIMES), **row} for row in rows]

        def write(connection: Connection) -> None:
            connection.execute(upsert, whole)

        await self._database.run(write)
        self._writes += 1
        for row in rows:
            self._held.pop(row["user_id"], None)


def _columns(entry: DirectoryEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "roles": orjson.dumps(sorted(entry.roles)).decode(),
        "departments": orjson.dumps(sorted(entry.departments)).decode(),
        "is_admin": entry.is_admin,
    }


def _record(row: Row[Any]) -> PersonRecord:
    checked, changed, left, wrote = (
        None if row._mapping[name] is None else from_us(row._mapping[name]) for name in _TIMES
    )
    return PersonRecord(
        user_id=row.user_id,
        entry=DirectoryEntry(
            name=row.name,
            roles=frozenset(orjson.loads(row.roles)),
            departments=frozenset(orjson.loads(row.departments)),
            is_admin=row.is_admin,
        ),
        checked_at=checked,
        changed_at=changed,
        left_at=left,
        wrote_at=wrote,
    )
