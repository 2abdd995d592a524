"""The bot's organisation, its members, and the conversations with outsiders."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import orjson
import structlog
from sqlalchemy import Insert, Row, delete, insert, select, update
from sqlalchemy.engine import Connection

from bot.access.directory_sync import ListedDepartment
from bot.access.membership import PersonRecord
from bot.access.people import DirectoryEntry, ListedPerson
from bot.mechanisms.recency import RecentItems
from bot.mechanisms.wakeup import Wakeup
from bot.outbox.place import Place, PlaceKind
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.row_times import from_ms, from_us, to_ms, to_us
from bot.store.statements import insert_into, replace_into
from bot.store.tables import (
    DELIVERY,
    DEPARTMENT,
    DIRECTORY_WALK,
    ORGANISATION,
    OUTSIDER_GROUP,
    PERSON,
    QUOTA_MONTH,
    WELCOME,
)
from bot.words.names import NameFacts

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 60.0
"""Seconds after which a process knows what another one has learnt."""
RETRY_SECONDS = 1.0
"""Seconds before a retry of an unavailable store."""

HELD = 50_000
"""People in memory, about 30 MB."""

NEWS_EVERY = 0.5
"""Seconds between two reads of other processes' writes: each event reaches only one process (docs:
platform/dingtalk/stream.md#several-connections).
"""

NEWS_WINDOW = timedelta(seconds=60)
"""How far back each read goes: clocks differ, and a transaction may end some time after its rows were written."""

_WALK_TAKES = timedelta(hours=2)
"""The time after which an unfinished walk counts as interrupted."""

_WALK = 1
_P = PERSON.c
_W = DIRECTORY_WALK.c
_NOBODY: Mapping[str, Any] = {"name": "", "roles": "[]", "departments": "[]", "is_admin": False, "manager": None}
_TIMES = ("checked_us", "changed_us", "left_us", "wrote_us")


class StoredOrganisation:
    """Stores the organisation; another app on the same database has its own."""

    def __init__(self, database: Database, client_id: str) -> None:
        self._database = database
        self._client_id = client_id
        self._query = select(ORGANISATION.c.corp_id).where(ORGANISATION.c.client_id == client_id)

    async def load(self) -> str:
        found: str | None = await self._database.run(lambda connection: connection.scalar(self._query))
        return found or ""

    async def keep(self, corp_id: str, *, instead: bool) -> str:
        """Store the corpId and return the valid one: of two processes the first one's, unless ``instead``."""
        dialect = self._database.dialect
        values = {"client_id": self._client_id, "corp_id": corp_id}
        first = insert_into(ORGANISATION, dialect).values(values).on_conflict_do_nothing()
        statement = replace_into(ORGANISATION, dialect).values(values) if instead else first

        def write(connection: Connection) -> str:
            connection.execute(statement)
            return str(connection.scalar(self._query))

        return await self._database.run(write)


def marked_groups(connection: Connection) -> list[tuple[str, datetime]]:
    """Return the conversations with outsiders, and when these were first seen there; the newest first."""
    rows = connection.execute(select(OUTSIDER_GROUP).order_by(OUTSIDER_GROUP.c.seen_ms.desc()))
    return [(row.conversation_id, from_ms(row.seen_ms)) for row in rows]


def unmark_group(connection: Connection, conversation_id: str) -> bool:
    """Delete the mark that an outsider was seen there; returns whether there was one."""
    this = delete(OUTSIDER_GROUP).where(OUTSIDER_GROUP.c.conversation_id == conversation_id)
    return bool(connection.execute(this).rowcount)


class StoredOutsiders:
    """Stores the conversations with outsiders."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], named: Iterable[str] = ()) -> None:
        """``named`` are the conversations marked by the operator."""
        self._database = database
        self._now = now
        self._named = frozenset(named)
        self._known: frozenset[str] = frozenset()
        self._new: dict[str, datetime] = {}
        self._wakeup = Wakeup()

    def are_in(self, conversation_id: str) -> bool:
        return conversation_id in self._known or conversation_id in self._new or conversation_id in self._named

    def note(self, conversation_id: str) -> None:
        if conversation_id and conversation_id not in self._known and conversation_id not in self._new:
            self._new[conversation_id] = self._now()
            self._wakeup.call()

    async def load(self) -> None:
        """Load what this and other processes have learnt."""
        query = select(OUTSIDER_GROUP.c.conversation_id)
        found = await self._database.run(lambda connection: connection.execute(query).scalars().all())
        self._known = frozenset(found)

    async def store(self) -> None:
        """Store what was learnt since."""
        if not (new := dict(self._new)):
            return
        rows = [{"conversation_id": group, "seen_ms": to_ms(at)} for group, at in new.items()]
        insert = insert_into(OUTSIDER_GROUP, self._database.dialect).on_conflict_do_nothing()
        await self._database.execute(insert, rows)
        self._known |= new.keys()
        self._new = {group: at for group, at in self._new.items() if group not in new}

    async def run(self) -> None:
        """Store and load periodically. Unstored data is still known to this process."""
        while True:
            self._wakeup.clear()
            try:
                await self.store()
                await self.load()
            except StoreUnavailable as error:
                log.warning("outsiders.not_stored", error=error.detail)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                await self._wakeup.sleep(REFRESH_SECONDS)


class StoredPeople:
    """Stores people, for `bot.access.membership` and `bot.access.directory_sync`."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._now = now
        self._held: RecentItems[str, PersonRecord] = RecentItems(HELD)
        self._writes = 0
        self._departments: Mapping[str, ListedDepartment] = {}

    async def load_departments(self) -> None:
        """Load the departments, whose names belong to everybody's entry."""
        rows = await self._database.rows(select(DEPARTMENT))
        self._take_departments([ListedDepartment(row.id, row.name, row.parent_id) for row in rows])

    async def follow(self) -> None:
        """Follow the writes of other processes until cancelled. While the database does not answer, nothing in memory
        counts.
        """
        while True:
            await asyncio.sleep(NEWS_EVERY)
            try:
                await self.forget_news()
            except StoreUnavailable as error:
                self._forget_all()
                log.warning("people.news_missing", error=error.detail)

    async def forget_news(self) -> None:
        """Clear the recent writes of all processes. Raises `StoreUnavailable`."""
        query = select(_P.user_id).where(_P.written_us > to_us(self._now() - NEWS_WINDOW))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        self._writes += 1
        for row in rows:
            self._held.pop(row.user_id)

    async def find(self, user_id: str) -> PersonRecord | None:
        if (held := self._held.get(user_id)) is not None:
            return held
        writes = self._writes
        query = select(PERSON).where(_P.user_id == user_id)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            return None
        record = self._record(row)
        if writes == self._writes:
            self._held.put(user_id, record)
        return record

    async def administrators(self) -> tuple[str, ...]:
        """Return the organisation's administrators according to the directory, without those who left."""
        query = select(_P.user_id).where(_P.is_admin, _P.left_us.is_(None) | (_P.left_us < _P.checked_us))
        rows = await self._database.read(lambda connection: connection.execute(query.order_by(_P.user_id)).all())
        return tuple(row.user_id for row in rows)

    async def listed(self, text: str, limit: int) -> Sequence[ListedPerson]:
        """Return members by userId, without those who left."""
        query = select(PERSON).where(_P.left_us.is_(None) | (_P.left_us < _P.checked_us), _P.name != "")
        if text:
            query = query.where(_P.name.icontains(text, autoescape=True) | _P.user_id.icontains(text, autoescape=True))
        rows = await self._database.rows(query.order_by(_P.user_id).limit(limit))
        return [
            ListedPerson(
                user_id=found.user_id,
                name=found.entry.name,
                roles=tuple(sorted(found.entry.roles)),
                departments=tuple(sorted(found.entry.department_names)),
                is_admin=found.entry.is_admin,
            )
            for found in map(self._record, rows)
        ]

    async def record_entry(self, user_id: str, entry: DirectoryEntry, asked_at: datetime) -> None:
        await self.record_entries({user_id: entry}, asked_at)

    async def record_entries(self, entries: Mapping[str, DirectoryEntry], asked_at: datetime) -> None:
        rows = [
            {**_columns(entry), "user_id": user_id, "checked_us": to_us(asked_at)} for user_id, entry in entries.items()
        ]
        await self._write(rows, ("name", "roles", "departments", "is_admin", "manager", "checked_us"))

    async def record_left(self, user_ids: Iterable[str], at: datetime) -> None:
        await self._write([{**_NOBODY, "user_id": user_id, "left_us": to_us(at)} for user_id in user_ids], ("left_us",))

    async def record_changed(self, user_ids: Iterable[str], at: datetime) -> None:
        await self._write(
            [{**_NOBODY, "user_id": user_id, "changed_us": to_us(at)} for user_id in user_ids], ("changed_us",)
        )

    async def record_roles_changed(self, at: datetime) -> None:
        stale = (
            update(PERSON).where(_P.roles != _NOBODY["roles"]).values(changed_us=to_us(at), written_us=self._written())
        )
        await self._database.execute(stale)
        self._forget_all()

    async def record_writer(self, user_id: str, name: str, wrote_at: datetime) -> None:
        row = {**_NOBODY, "user_id": user_id, "name": name, "wrote_us": to_us(wrote_at)}
        await self._write([row], ("wrote_us",))

    async def begin_walk(self, now: datetime, every: timedelta) -> bool:
        """Return whether a walk is due, and record that this process begins it.

        An interrupted walk is due again after `_WALK_TAKES`. Departments found by another process are loaded.
        """
        await self.load_departments()
        first = insert_into(DIRECTORY_WALK, self._database.dialect).values(id=_WALK, began_us=to_us(now))
        ended = (_W.ended_us.is_not(None)) & (_W.began_us <= to_us(now - every))
        broken_off = (_W.ended_us.is_(None)) & (_W.began_us <= to_us(now - _WALK_TAKES))
        begin = first.on_conflict_do_update(
            index_elements=["id"], set_={"began_us": to_us(now), "ended_us": None}, where=ended | broken_off
        ).returning(_W.id)
        return await self._database.run(lambda connection: connection.scalar(begin)) is not None

    async def replace_departments(self, departments: Sequence[ListedDepartment]) -> None:
        rows = [{"id": each.id, "name": each.name, "parent_id": each.parent_id} for each in departments]

        def write(connection: Connection) -> None:
            connection.execute(delete(DEPARTMENT))
            connection.execute(insert(DEPARTMENT), rows)

        await self._database.run(write)
        self._take_departments(departments)

    async def end_walk(self, began_at: datetime, now: datetime) -> int:
        """Record the end of a walk; return the number of people it did not find, who must be looked up."""
        began = to_us(began_at)
        known = (_P.checked_us < began) & (_P.left_us.is_(None) | (_P.left_us < _P.checked_us))
        stale = update(PERSON).where(known).values(changed_us=began, written_us=self._written())
        ended = update(DIRECTORY_WALK).where(_W.id == _WALK).values(ended_us=to_us(now))

        def write(connection: Connection) -> int:
            connection.execute(ended)
            return connection.execute(stale).rowcount

        unlisted = await self._database.run(write)
        self._forget_all()
        return unlisted

    def _take_departments(self, departments: Sequence[ListedDepartment]) -> None:
        new = {department.id: department for department in departments}
        if new != self._departments:
            self._departments = new
            self._forget_all()

    def _written(self) -> int:
        return to_us(self._now())

    def _forget_all(self) -> None:
        self._writes += 1
        self._held.clear()

    async def _write(self, rows: Sequence[Mapping[str, Any]], changed: Sequence[str]) -> None:
        """Write whole rows for unknown people, and the columns in ``changed`` for the others."""
        if not rows:
            return
        upsert = _upsert(self._database.dialect, tuple(changed))
        written = self._written()
        whole = [{**dict.fromkeys(_TIMES), **row, "written_us": written} for row in rows]

        def write(connection: Connection) -> None:
            connection.execute(upsert, whole)

        await self._database.run(write)
        self._writes += 1
        for row in rows:
            self._held.pop(row["user_id"])

    def _record(self, row: Row[Any]) -> PersonRecord:
        departments = frozenset(orjson.loads(row.departments))
        return PersonRecord(
            user_id=row.user_id,
            entry=DirectoryEntry(
                name=row.name,
                roles=frozenset(orjson.loads(row.roles)),
                departments=departments,
                department_names=frozenset(self._names_upwards(departments)),
                is_admin=row.is_admin,
                manager=row.manager,
            ),
            checked_at=_moment(row.checked_us),
            changed_at=_moment(row.changed_us),
            left_at=_moment(row.left_us),
            wrote_at=_moment(row.wrote_us),
        )

    def _names_upwards(self, department_ids: Iterable[str]) -> Iterator[str]:
        """Yield the names of departments and all their parents."""
        waiting, seen = list(department_ids), set[str]()
        while waiting:
            department = self._departments.get(waiting.pop())
            if department is not None and department.id not in seen:
                seen.add(department.id)
                waiting.append(department.parent_id)
                if department.name:
                    yield department.name


@cache
def _upsert(dialect: str, changed: tuple[str, ...]) -> Insert:
    """Return the statement that writes whole rows for new people and the columns in ``changed`` for the others.

    Built once per kind of news: building takes as long as running it, and everybody's first message of a day runs it.
    """
    adding = insert_into(PERSON, dialect)
    new = {name: adding.excluded[name] for name in (*changed, "written_us")}
    return adding.on_conflict_do_update(index_elements=["user_id"], set_=new)


def _moment(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)


def _columns(entry: DirectoryEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "roles": orjson.dumps(sorted(entry.roles)).decode(),
        "departments": orjson.dumps(sorted(entry.departments)).decode(),
        "is_admin": entry.is_admin,
        "manager": entry.manager,
    }


def read_names(connection: Connection) -> NameFacts:
    """Return the people, departments and conversations that names in settings and rules may mean."""
    members = _P.left_us.is_(None) | (_P.left_us < _P.checked_us)
    people = connection.execute(select(_P.user_id, _P.name, _P.roles).where(members)).all()
    departments = connection.execute(select(DEPARTMENT.c.id, DEPARTMENT.c.name)).all()
    ended_us = connection.scalar(select(_W.ended_us).where(_W.id == _WALK))
    places = connection.execute(select(DELIVERY.c.place).where(DELIVERY.c.shown > 0).distinct()).scalars()
    conversations = {place.id for place in map(Place.parse, places) if place.kind is PlaceKind.GROUP}
    for column in (WELCOME.c.conversation_id, OUTSIDER_GROUP.c.conversation_id, QUOTA_MONTH.c.conversation):
        conversations.update(connection.execute(select(column).distinct()).scalars())
    return NameFacts(
        people={row.user_id: row.name for row in people},
        departments={row.id: row.name for row in departments},
        roles=frozenset(role for roles in {row.roles for row in people} for role in orjson.loads(roles)),
        conversations=frozenset(conversations - {""}),
        read_at=_moment(ended_us),
    )


def find_administrators(connection: Connection) -> tuple[str, ...]:
    """Return the userIds of the organisation's administrators, as far as its directory was read."""
    query = select(_P.user_id).where(_P.is_admin, _P.left_us.is_(None)).order_by(_P.user_id)
    return tuple(connection.execute(query).scalars())
