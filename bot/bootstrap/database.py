"""The bot's own database: opened by the settings with its key, and looked after while the bot runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from bot.mechanisms.background import repeat
from bot.settings import Settings
from bot.store.data_keys import CompanyKeySource, GivenKeys, KeyFile
from bot.store.database import Database
from bot.store.engines import sqlite_file
from bot.store.errors import StoreUnavailable
from bot.store.owner import own_database
from bot.store.rotation import drop_old_keys
from bot.words.errors import ConfigurationError

_CHECKPOINT_EVERY = 1.0
_KEYS_READ_EVERY = 60.0


def make_database(settings: Settings, *, looking: bool = False) -> Database:
    """Return the database, not connected yet; ``looking``: to read it alone. Raises `ConfigurationError`."""
    return Database(settings.database, _configured_keys(settings), folder=settings.data_dir, looking=looking)


@asynccontextmanager
async def look_into_database(settings: Settings) -> AsyncIterator[Database]:
    """Give the database, to read it alone, and close it afterwards. Raises `ConfigurationError`."""
    database = make_database(settings, looking=True)
    try:
        yield database
    finally:
        await database.close()


async def open_database(stack: AsyncExitStack, settings: Settings) -> Database:
    """Own the database until ``stack`` ends, brought to this version. Raises `ConfigurationError`."""
    stack.enter_context(own_database(sqlite_file(settings.database)))
    database = make_database(settings)
    stack.push_async_callback(database.close)
    try:
        await database.migrate()
        await database.unlock()
    except StoreUnavailable as error:
        raise ConfigurationError(f"the database cannot be used ({error.detail}); see `dingerp doctor`") from error
    return database


async def checkpoint_database(database: Database) -> None:
    """Keep the log of changes short for as long as the bot runs."""
    await repeat(database.checkpoint, every=_CHECKPOINT_EVERY, failed="store.not_tidied")


async def follow_data_keys(database: Database, now: Callable[[], datetime]) -> None:
    """Seal by a key that an operator's command made, and end the change of keys that it began."""

    async def follow() -> None:
        await database.unlock()
        await drop_old_keys(database, now())

    await repeat(follow, every=_KEYS_READ_EVERY, failed="store.keys_not_read")


def _configured_keys(settings: Settings) -> CompanyKeySource | None:
    """Return where the company's key comes from; None for the file that the bot makes itself."""
    if given := settings.data_key.get_secret_value():
        return GivenKeys.parse(given)
    if settings.data_key_file is not None:
        return KeyFile(path=settings.data_key_file)
    return None
