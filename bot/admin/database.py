"""Opens the bot's own database for an operator, whether the bot runs or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.bootstrap.database import make_database
from bot.errors import ConfigurationError
from bot.settings import Settings
from bot.store.database import Database, latest_revision
from bot.store.errors import StoreUnavailable


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database | None]:
    """Open the bot's database; None if no bot has used it yet.

    Raises `ConfigurationError` for a database of another version, one of another key, or one that cannot be used.
    """
    database = make_database(settings)
    try:
        revision = await database.revision()
        if revision not in (None, latest_revision()):
            raise ConfigurationError("the database is of another version; `dingerp db upgrade` brings it to this one")
        if revision is not None:
            await database.unlock()
        yield None if revision is None else database
    except StoreUnavailable as error:
        raise ConfigurationError(f"the database cannot be used ({error.detail}); see `dingerp doctor`") from error
    finally:
        await database.close()


async def upgrade_database(settings: Settings) -> str:
    """Bring the database to this version, make its key if there is none, and return its revision."""
    database = make_database(settings)
    try:
        await database.migrate()
        await database.unlock()
    finally:
        await database.close()
    return latest_revision()


def require_database(database: Database | None) -> Database:
    """Return the database. Raises `ConfigurationError` if no bot has used it yet."""
    if database is None:
        raise ConfigurationError("there is no database yet; `dingerp run` makes it, and so does `dingerp db upgrade`")
    return database
