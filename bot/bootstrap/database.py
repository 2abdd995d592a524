"""The bot's own database: opened with its key from the settings, and maintained while the bot runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from math import ceil

from bot.mechanisms.background import repeat
from bot.settings import Settings
from bot.store.data_keys import CompanyKeySource, GivenKeys, KeyFile
from bot.store.database import Database
from bot.store.engines import sqlite_file
from bot.store.errors import DatabaseInUse, StoreUnavailable
from bot.store.owner import own_database
from bot.store.replicas import BEAT_EVERY, LEASE, living_versions
from bot.store.revisions import stops_others
from bot.store.rotation import drop_old_keys
from bot.words.errors import ConfigurationError

_CHECKPOINT_EVERY = 1.0
_KEYS_READ_EVERY = 60.0


def make_database(settings: Settings, *, looking: bool = False) -> Database:
    """Return the unconnected database; ``looking``: read-only. Raises `ConfigurationError`."""
    keys, shared = _configured_keys(settings), settings.replicas > 1
    return Database(settings.database, keys, folder=settings.data_dir, looking=looking, shared=shared)


@asynccontextmanager
async def look_into_database(settings: Settings) -> AsyncIterator[Database]:
    """Provide the database read-only, and close it afterwards. Raises `ConfigurationError`."""
    database = make_database(settings, looking=True)
    try:
        yield database
    finally:
        await database.close()


async def open_database(stack: AsyncExitStack, settings: Settings) -> Database:
    """Own the database until ``stack`` ends, upgraded to this version. Raises `ConfigurationError`."""
    stack.enter_context(own_database(sqlite_file(settings.database)))
    database = make_database(settings)
    stack.push_async_callback(database.close)
    try:
        await wait_until_unused(database)
        await database.migrate()
        await database.unlock()
    except StoreUnavailable as error:
        raise ConfigurationError(f"the database cannot be used ({error.detail}); see `dingerp doctor`") from error
    return database


async def wait_until_unused(database: Database, wait: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Wait until no replica uses what an upgrade changes. One that was killed seems to live until its lease ends.

    Raises `DatabaseInUse` if it takes longer than that.
    """
    revision = await database.revision()
    if revision is None or not stops_others(revision):
        return
    for _ in range(ceil(LEASE.total_seconds() / BEAT_EVERY) + 1):
        if not (living := await database.run(living_versions)):
            return
        await wait(BEAT_EVERY)
    raise DatabaseInUse(
        f"this version changes the database in a way that {', '.join(living)} cannot work with; stop all replicas, "
        "then start them with this version"
    )


async def checkpoint_database(database: Database) -> None:
    """Keep the database's log short while the bot runs."""
    await repeat(database.checkpoint, every=_CHECKPOINT_EVERY, failed="store.not_tidied")


async def follow_data_keys(database: Database, now: Callable[[], datetime]) -> None:
    """Adopt a key created by an operator's command, and finish the change of keys it began."""

    async def follow() -> None:
        await database.unlock()
        await drop_old_keys(database, now())

    await repeat(follow, every=_KEYS_READ_EVERY, failed="store.keys_not_read")


def _configured_keys(settings: Settings) -> CompanyKeySource | None:
    """Return the source of the company's key; None for the file that the bot creates itself."""
    if given := settings.data_key.get_secret_value():
        return GivenKeys.parse(given)
    if settings.data_key_file is not None:
        return KeyFile(path=settings.data_key_file)
    return None
