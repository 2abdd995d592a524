"""Changes the keys of a database, whether the bot runs or not.

A running bot reads new keys when it meets a value that one of them sealed, and once a minute. Until then it seals by
the old key, which stays for an hour; the bot drops it once nothing is sealed by it any longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.engine import Connection

from bot.sealing import CompanyKey
from bot.store.data_keys import add_data_key, drop_data_keys, newest_since
from bot.store.database import Database
from bot.store.resealing import SealedTable, count_sealed_by, reseal_batch, sealed_tables
from bot.store.row_times import from_ms
from bot.store.transactions import begin_immediate

OLD_KEY_STAYS = timedelta(hours=1)
"""How long after a change a process may still seal by the old data key."""


async def change_data_key(database: Database, keys: Sequence[CompanyKey], now: datetime) -> int:
    """Wrap all data keys by the first of the company's keys, add a new data key, and seal everything by it.

    Return the number of rows that were sealed again. It may be repeated after an interruption. Raises
    `bot.sealing.WrongDataKey` and `StoreUnavailable`.
    """

    def add(connection: Connection) -> None:
        begin_immediate(connection)
        add_data_key(connection, keys, now)

    await database.run(add)
    await database.unlock()
    return await reseal_all(database)


async def reseal_all(database: Database) -> int:
    """Seal by the newest data key what an older one sealed, and return the number of rows."""
    return sum([await _reseal(database, where) for where in sealed_tables()])


async def drop_old_keys(database: Database, now: datetime, *, stays: timedelta = OLD_KEY_STAYS) -> int:
    """Delete the data keys that were replaced ``stays`` ago, once nothing is sealed by them; return their number."""
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
