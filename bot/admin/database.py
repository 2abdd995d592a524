"""Opens the bot's own database for an operator, whether the bot runs or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.bootstrap.database import make_database
from bot.errors import ConfigurationError
from bot.settings import Settings
from bot.store.database import Database, check_version, latest_revision, sqlite_file
from bot.store.errors import StoreUnavailable
from bot.store.owner import own_database


@asynccontextmanager
async def open_database(settings: Settings, *, writing: bool = False) -> AsyncIterator[Database | None]:
    """Open the bot's database, to read it unless ``writing``; None if no bot has used it yet.

    Raises `ConfigurationError` for a database of another version, one of another key, or one that cannot be used.
    """
    database = make_database(settings, looking=not writing)
    try:
        revision = await database.revision()
        check_version(revision)
        if revision not in (None, latest_revision()):
            raise ConfigurationError("the database is of an older version; `dingerp db upgrade` brings it to this one")
        if revision is not None:
            await database.unlock()
        yield None if revision is None else database
    except StoreUnavailable as error:
        raise ConfigurationError(f"the database cannot be used ({error.detail}); see `dingerp doctor`") from error
    finally:
        await database.close()


def require_database(database: Database | None) -> Database:
    """Return the database. Raises `ConfigurationError` if no bot has used it yet."""
    if database is None:
        raise ConfigurationError("there is no database yet; `dingerp run` makes it, and so does `dingerp db upgrade`")
    return database


async def upgrade_database(settings: Settings) -> str:
    """Bring the database to this version, which no bot may use meanwhile, and make its key if there is none.

    Returns the revision that it is at then. Raises `ConfigurationError`.
    """
    with own_database(sqlite_file(settings.database)):
        database = make_database(settings)
        try:
            await database.migrate()
            await database.unlock()
        except StoreUnavailable as error:
            raise ConfigurationError(f"the database cannot be used: {error.detail}") from error
        finally:
            await database.close()
    return latest_revision()
