"""Opens the database and brings it to the current revision."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import event, inspect, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import ConfigurationError
from bot.store.errors import StoreUnavailable

MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """Return the newest revision: the files in ``migrations/versions`` are named ``<revision>_<words>.py``."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def make_engine(url: str) -> AsyncEngine:
    """Return an engine for SQLite or PostgreSQL; raises `ConfigurationError` for an address that cannot be read."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            return create_async_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        if parsed.get_backend_name() != "sqlite":
            raise ConfigurationError(f"no such database here: {parsed.get_backend_name()}")
        parsed = parsed.set(drivername="sqlite+aiosqlite")
    except (ArgumentError, ModuleNotFoundError) as error:
        # The address itself may hold a password and is not repeated.
        raise ConfigurationError(f"cannot use the database address: {type(error).__name__}") from None
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(parsed, connect_args={"timeout": 10})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # WAL with NORMAL survives the death of the process at any moment; only a power cut may lose the last commits,
    # and those questions are then simply asked again. FULL would add an fsync to every acknowledgement.
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def current_revision(engine: AsyncEngine) -> str | None:
    """Return the revision that the database is at; None for an empty one."""
    async with engine.connect() as connection:
        if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
            return None
        found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


async def migrate(engine: AsyncEngine) -> None:
    """Bring the database to the newest revision; a database that is there already costs one query."""
    if await current_revision(engine) == head():
        return
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    # Imported only when there is something to do: Alembic costs 0.2 s of every start otherwise.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def reachable(engine: AsyncEngine, timeout: float = 2.0) -> bool:
    """Whether the database is at the newest revision; raises `StoreUnavailable` if it is silent for ``timeout`` s."""
    try:
        async with asyncio.timeout(timeout):
            return await current_revision(engine) == head()
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise StoreUnavailable(type(error).__name__) from error
