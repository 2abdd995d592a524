"""Changes the keys of a database, whether the bot runs or not.

A running bot loads new keys when it meets a value sealed with one, and once a minute. Until then it seals with the old
key, which stays for an hour; the bot drops it once it no longer seals anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Row, Text, bindparam, column, select, table, text, tuple_, update
from sqlalchemy.engine import Connection

from bot.store.data_keys import add_data_key, drop_data_keys, newest_since
from bot.store.database import Database
from bot.store.row_times import from_ms
from bot.store.sealed_columns import Sealed, SealedKey
from bot.store.tables import METADATA
from bot.store.transactions import begin_immediate
from bot.words.sealing import CompanyKey, KeyRing, sealed_prefix

OLD_KEY_STAYS = timedelta(hours=1)
"""How long after a change a process may still seal with the old data key."""

BATCH = 1_000
"""Rows per transaction: with two sealed columns some 20 ms."""


async def change_data_key(database: Database, keys: Sequence[CompanyKey], now: datetime) -> int:
    """Wrap all data keys with the first of the company's keys, add a new data key, and reseal everything with it.

    Return the number of resealed rows. It can be repeated after an interruption. Raises
    `bot.words.sealing.WrongDataKey` and `StoreUnavailable`.
    """

    def add(connection: Connection) -> None:
        begin_immediate(connection)
        add_data_key(connection, keys, now)

    await database.run(add)
    await database.unlock()
    return await reseal_all(database)


async def reseal_all(database: Database) -> int:
    """Reseal with the newest data key everything sealed with an older one, and return the number of rows."""
    return sum([await _reseal(database, where) for where in sealed_tables()])


async def drop_old_keys(database: Database, now: datetime, *, stays: timedelta = OLD_KEY_STAYS) -> int:
    """Delete the data keys replaced ``stays`` ago that no longer seal anything; return their number."""
    ring = database.keys.ring
    old = ring.numbers - {ring.newest}
    if not old or now - from_ms(await database.run(newest_since)) < stays:
        return 0
    await reseal_all(database)

    def drop(connection: Connection) -> int:
        begin_immediate(connection)
        unused = frozenset(number for number in old if not _is_used(connection, number))
        drop_data_keys(connection, unused)
        return len(unused)

    dropped = await database.run(drop)
    await database.unlock()
    return dropped


async def _reseal(database: Database, where: SealedTable) -> int:
    count, last = 0, None
    while True:
        changed, last = await database.run(partial(_reseal_batch, database, where, last))
        count += changed
        if last is None:
            return count


def _reseal_batch(
    database: Database, where: SealedTable, after: tuple[object, ...] | None, connection: Connection
) -> tuple[int, tuple[object, ...] | None]:
    begin_immediate(connection)
    return reseal_batch(connection, where, database.keys.ring, after)


def _is_used(connection: Connection, number: int) -> bool:
    return any(count_sealed_by(connection, where, number) for where in sealed_tables())


class SealedTable(NamedTuple):
    """A table with its sealed columns in their stored form."""

    name: str
    keys: tuple[str, ...]
    columns: Mapping[str, Sealed]


class Batch(NamedTuple):
    """The result of one batch; ``last`` is where the next one begins, None at the end."""

    changed: int
    last: tuple[Any, ...] | None


def sealed_tables() -> tuple[SealedTable, ...]:
    """Return the tables with values sealed by a data key. Searchable values have a key that never changes."""
    found = []
    for each in METADATA.sorted_tables:
        types = {
            c.name: c.type for c in each.columns if isinstance(c.type, Sealed) and not isinstance(c.type, SealedKey)
        }
        if types:
            found.append(SealedTable(each.name, tuple(c.name for c in each.primary_key), types))
    return tuple(found)


def reseal_batch(connection: Connection, where: SealedTable, ring: KeyRing, after: tuple[Any, ...] | None) -> Batch:
    """Reseal with the newest key everything an older data key sealed, in the rows after ``after``."""
    newest = sealed_prefix(ring.newest)

    def reseal(stored: str, kind: Sealed) -> str:
        return stored if stored.startswith(newest) else ring.seal(ring.open(stored, kind.place), kind.place)

    return _change_batch(connection, where, reseal, after)


def seal_plain(connection: Connection, where: SealedTable, ring: KeyRing) -> int:
    """Seal all plain values of a table, for migrations. Return the number of rows."""
    count, last = 0, None
    while True:
        changed, last = _change_batch(connection, where, lambda plain, kind: kind.seal(plain, ring), last)
        count += changed
        if last is None:
            return count


def count_sealed_by(connection: Connection, where: SealedTable, number: int) -> int:
    """Return the number of rows with a value sealed by a data key."""
    prefix = sealed_prefix(number)
    conditions = " OR ".join(f"{name} LIKE :prefix" for name in where.columns)
    found = connection.scalar(text(f"SELECT count(*) FROM {where.name} WHERE {conditions}"), {"prefix": f"{prefix}%"})  # noqa: S608 - names of our tables
    return int(found or 0)


def _change_batch(
    connection: Connection,
    where: SealedTable,
    change: Callable[[str, Sealed], str],
    after: tuple[Any, ...] | None,
) -> Batch:
    plain = table(
        where.name, *(column(name, Text()) if name in where.columns else column(name) for name in _names(where))
    )
    keys = [plain.c[name] for name in where.keys]
    query = select(plain).order_by(*keys).limit(BATCH).with_for_update()
    if after is not None:
        query = query.where(tuple_(*keys) > after)
    rows = connection.execute(query).all()
    changes = [
        {f"key_{name}": getattr(row, name) for name in where.keys} | new
        for row in rows
        if (new := _new(row, where, change))
    ]
    if changes:
        this = [plain.c[name] == bindparam(f"key_{name}") for name in where.keys]
        values = {name: bindparam(f"new_{name}", type_=Text()) for name in where.columns}
        with _changeable(connection, where.name):
            connection.execute(update(plain).where(*this).values(values), changes)
    last = tuple(getattr(rows[-1], name) for name in where.keys) if len(rows) == BATCH else None
    return Batch(len(changes), last)


def _names(where: SealedTable) -> Sequence[str]:
    return [*where.keys, *(name for name in where.columns if name not in where.keys)]


def _new(row: Row[Any], where: SealedTable, change: Callable[[str, Sealed], str]) -> dict[str, str]:
    """Return the new values of all sealed columns of a row; empty if none of them changes."""
    stored = {name: getattr(row, name) for name in where.columns}
    new = {name: change(value, where.columns[name]) if value else value for name, value in stored.items()}
    return {f"new_{name}": value for name, value in new.items()} if new != stored else {}


@contextmanager
def _changeable(connection: Connection, name: str) -> Iterator[None]:
    """Lift the triggers that protect an append-only table, for this transaction: its content stays the same."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ALTER TABLE {name} DISABLE TRIGGER USER"))
        yield
        connection.execute(text(f"ALTER TABLE {name} ENABLE TRIGGER USER"))
        return
    found = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    triggers = connection.execute(found, {"table": name}).all()
    for trigger in triggers:
        connection.execute(text(f"DROP TRIGGER {trigger.name}"))
    yield
    for trigger in triggers:
        connection.exec_driver_sql(trigger.sql)
