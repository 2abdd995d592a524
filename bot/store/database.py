"""The bot's database: opened, upgraded to the current revision, and used from its own threads."""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Executable, Row, Select, create_engine, inspect, select, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError, StatementError
from sqlalchemy.pool import NullPool

from bot.mechanisms.leadership import TERM, LeadTerm
from bot.store.announcements import OPTION
from bot.store.data_keys import CompanyKeySource, DatabaseKeys, own_keys
from bot.store.engines import (
    POSTGRES_THREADS,
    LockTimeouts,
    looking_engine,
    make_engine,
    plain_connection,
    sqlite_file,
)
from bot.store.errors import LeadLost, StoreUnavailable, store_unavailable
from bot.store.first_tables import make_first_tables
from bot.store.revisions import MIGRATIONS, check_version, is_current, latest_revision
from bot.store.sealed_columns import sealed_by
from bot.store.tables.upkeep import DATA_KEY
from bot.words.errors import ConfigurationError, DingerpError
from bot.words.phrase import phrase
from bot.words.sealing import WrongDataKey

T = TypeVar("T")


_MAX_LOOP_WAIT = 0.002
"""The longest time in seconds that one turn of the event loop waits for SQLite's thread."""

_LOCK = 0x6D696772
"""Advisory lock of upgrades among all processes on PostgreSQL."""

_HOLD_TERM = text(
    "SELECT set_config('idle_in_transaction_session_timeout', :limit, true) FROM lead WHERE fence = :fence"
    " FOR KEY SHARE"
)
_TERM_IDLE = "4s"

_SEALED_SINCE = "0012"
"""The revision that sealed what older ones had stored in plain text."""


class Database:
    """Runs functions in transactions, and keeps the keys of sealed columns."""

    def __init__(
        self,
        url: str,
        keys: CompanyKeySource | None = None,
        *,
        folder: Path = Path("data"),
        looking: bool = False,
        shared: bool = False,
    ) -> None:
        """Open no connection yet. Raises `ConfigurationError` for an invalid address.

        ``keys`` provides the company's key; by default it is in a file beside the database, or in ``folder`` if the
        database is not a file. ``looking`` opens it read-only: nothing changes, not even the files of a database that
        does not exist. ``shared``: other replicas are told what is stored for them.
        """
        self.process = secrets.token_hex(8)
        """An id that no other process on the database has; its connections to PostgreSQL bear it."""
        self._engine = looking_engine(url) if looking else make_engine(url, process=self.process)
        if shared and self.dialect == "postgresql":
            self._engine = self._engine.execution_options(**{OPTION: True})
        self._looks, self._looks_at = looking, sqlite_file(url) if looking else None
        file = make_url(url).database or "" if self.dialect == "sqlite" else None
        in_memory = file in ("", ":memory:")
        self.keys = DatabaseKeys(keys or own_keys(file, folder), None if in_memory else self._read_keys_aside)
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        threads = 1 if self.dialect == "sqlite" else POSTGRES_THREADS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self._is_closed = False
        self._patience = LockTimeouts()
        self.sqlite = None if looking else plain_connection(self._engine.url, self._patience)
        """For frequent single statements; None where the database is not a plain SQLite file."""

    def worker(self, name: str) -> str:
        """Return a name for a worker of this process that no other worker has or had; it begins with the process."""
        return f"{self.process} {name}"

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    async def run(self, call: Callable[[Connection], T], *, durable: bool = False) -> T:
        """Return the result of ``call`` after the commit; raises `StoreUnavailable`, and then nothing is stored.

        A ``durable`` commit survives a power cut, and so does everything committed before it. Work that only a leader
        does (`bot.mechanisms.leadership`) is refused with `LeadLost` once another replica leads.
        """
        term = TERM.get()
        if term is not None and term.fence is not None:
            call = partial(_within_term, term, term.fence, call)
        work = partial(self.run_blocking, call, durable=durable)
        try:
            return await asyncio.wrap_future(self.start(work))
        except LeadLost:
            if term is not None:
                term.end()
            raise

    async def rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """Return the rows of one query; raises as `run` does."""
        return await self.run(lambda connection: connection.execute(query).all())

    async def execute(self, statement: Executable, values: Sequence[Mapping[str, Any]] | None = None) -> None:
        """Run one statement, with each of the ``values``; raises as `run` does."""
        await self.run(lambda connection: connection.execute(statement, values))

    async def read(self, call: Callable[[Connection], T]) -> T:
        """Return the result of ``call``; raises `StoreUnavailable`.

        There is no transaction: on PostgreSQL, beginning and ending one are two of the three round trips for reading a
        row. Each statement sees the data as of its start.
        """
        return await asyncio.wrap_future(self.start(partial(self.read_blocking, call)))

    async def revision(self, timeout: float = 2.0) -> str | None:
        """Return the database's revision, None for an empty one.

        Raises `StoreUnavailable`, also if the answer takes longer than ``timeout`` seconds.
        """
        if self._looks_at is not None and not self._looks_at.exists():
            return None
        try:
            async with asyncio.timeout(timeout):
                return await self.run(_revision)
        except TimeoutError as error:
            raise StoreUnavailable(
                phrase("no answer for %(seconds)d s (%(error)s)", seconds=round(timeout), error="TimeoutError")
            ) from error

    async def migrate(self) -> None:
        """Upgrade the database to the newest revision; if it is up to date, that costs one query.

        What a newer version has only added stays. Raises `DatabaseIsNewer`.
        """
        before, newest = await self.run(_revision), latest_revision()
        check_version(before)
        if is_current(before):
            return
        on_sqlite = self.dialect == "sqlite"
        if before is None and on_sqlite and await self.run(partial(make_first_tables, revision=newest)):
            return
        await self.run(_upgrade)
        if before is not None and before < _SEALED_SINCE and on_sqlite:
            await self.read(_rewrite_file)

    async def unlock(self) -> None:
        """Load the keys of sealed columns, and create the first ones if there are none.

        Raises `bot.words.sealing.WrongDataKey` if the company's key does not fit, and `StoreUnavailable`.
        """
        await self.run(self.keys.read if self._looks else self.keys.unlock)

    async def close(self) -> None:
        """Let running calls finish and close the connections; later calls raise `StoreUnavailable`.

        Shared work (`bot.mechanisms.single_flight`) may go on longer than the caller that the end of the bot cancels.
        """
        self._is_closed = True
        await asyncio.to_thread(self._end)

    def start(self, job: Callable[[], T]) -> Future[T]:
        """Run ``job`` in a thread of the database, after the jobs waiting there."""
        if self._is_closed:
            refused: Future[T] = Future()
            refused.set_exception(StoreUnavailable(phrase("the bot is stopping, and its database is closed")))
            return refused
        return self._threads.submit(job)

    def call_when_done(self, job: Future[T], on_done: Callable[[Future[T]], object]) -> None:
        """Let the event loop call ``on_done`` when ``job`` is done, at once where SQLite is quick.

        A busy event loop starves other threads: it releases the interpreter's lock for moments too short for another
        thread to wake up in. So a commit of SQLite took several milliseconds and stopped the loop for 0.6 ms in all; in
        a thread that is left alone it takes 0.2 to 0.5 ms (measured). Hence the loop waits for it, up to
        `_MAX_LOOP_WAIT` in each turn, so that a slow disk makes turns longer by no more than that. PostgreSQL works
        outside this process and is not waited for.
        """
        loop = asyncio.get_running_loop()
        if self.sqlite is None:
            job.add_done_callback(lambda done: loop.call_soon_threadsafe(on_done, done))
            return
        try:
            job.exception(timeout=_MAX_LOOP_WAIT)
        except TimeoutError:
            loop.call_soon(self.call_when_done, job, on_done)
        else:
            on_done(job)

    async def checkpoint(self) -> None:
        """Move SQLite's log into its file while others write. Raises `StoreUnavailable`.

        That waits for the disk. When commits did it themselves, one in fifty took 6 to 10 ms instead of 0.4 (measured).
        """
        if self.sqlite is not None:
            await asyncio.to_thread(self.sqlite.checkpoint)

    @contextmanager
    def _prepared(self, connection: Connection, durable: bool) -> Iterator[None]:
        """Let SQLite wait a reasonable time for the lock, and for the disk on ``durable`` commits.

        PostgreSQL does both on its own.
        """
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            yield
            return
        self._patience.prepare(driver)
        if not durable:
            yield
            return
        driver.execute("PRAGMA synchronous=FULL")
        try:
            yield
        finally:
            driver.execute("PRAGMA synchronous=NORMAL")

    def _end(self) -> None:
        self._threads.shutdown()  # on PostgreSQL several calls may be running
        if self.sqlite is not None:
            self.sqlite.close()
        self._engine.dispose()

    def read_blocking(self, call: Callable[[Connection], T]) -> T:
        """Run like `read`, for jobs already in a thread of the database.

        A single writing statement is its own transaction, which the database begins and ends.
        """
        with _translated_errors(), sealed_by(self.keys):
            self.ensure_unlocked()
            with self._autocommit.connect() as connection:
                return call(connection)

    def run_blocking(self, call: Callable[[Connection], T], *, durable: bool = False) -> T:
        """Run like `run`, for jobs already in a thread of the database."""
        with _translated_errors(), sealed_by(self.keys):
            try:
                self.ensure_unlocked()
                with self._engine.connect() as connection, self._prepared(connection, durable), connection.begin():
                    result = call(connection)
            except (SQLAlchemyError, OSError) as error:
                self._patience.learn(getattr(error, "orig", None) or error)
                raise
            self._patience.learn(None)
            return result

    def ensure_unlocked(self) -> None:
        """Load the keys before the first statement that may need them; for the database's threads.

        A database without tables has none yet. A wrong key is reported by `unlock`, and by the first sealed value:
        unsealed data can be read without it.
        """
        if self.keys.unlocked:
            return
        with (
            self._engine.connect() as connection,
            self._prepared(connection, durable=False),
            connection.begin(),
            suppress(WrongDataKey),
        ):
            if inspect(connection).has_table(DATA_KEY.name):
                (self.keys.read if self._looks else self.keys.unlock)(connection)

    def _read_keys_aside(self) -> Sequence[Row[Any]]:
        engine = create_engine(self._engine.url, poolclass=NullPool)
        with engine.connect() as connection:
            return connection.execute(select(DATA_KEY).order_by(DATA_KEY.c.number)).all()


def _within_term(term: LeadTerm, fence: int, call: Callable[[Connection], T], connection: Connection) -> T:
    """Return the result of ``call`` while no other replica can take the lead over: it waits for this transaction.

    One that stays open, because its process stands still, is ended before the others have waited long.
    """
    if term.is_over or connection.execute(_HOLD_TERM, {"fence": fence, "limit": _TERM_IDLE}).first() is None:
        raise LeadLost(phrase("another replica leads by now"))
    return call(connection)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except StatementError as error:
        if isinstance(error.orig, (DingerpError, UnicodeError)):  # a value that could not be sealed
            raise error.orig from None
        raise store_unavailable(error) from error
    except (SQLAlchemyError, OSError) as error:
        raise store_unavailable(error) from error


def check_folder(url: str) -> None:
    """Check that a SQLite database can be created or changed at its place. Raises `ConfigurationError`."""
    file = sqlite_file(url)
    if file is None:
        return
    if file.exists() and not file.is_file():
        raise ConfigurationError(f"{file} is no file")
    there = next(folder for folder in file.absolute().parents if folder.exists())
    for place in (there, file) if file.exists() else (there,):
        if not os.access(place, os.W_OK):
            raise ConfigurationError(f"{place} cannot be written")
    if not there.is_dir():
        raise ConfigurationError(f"{there} is no folder")


def _rewrite_file(connection: Connection) -> None:
    """Rewrite SQLite's file and log: pages freed before secure deletion still hold plain text."""
    connection.exec_driver_sql("VACUUM")
    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _upgrade(connection: Connection) -> None:
    # Imported only when there is a migration: Alembic costs 0.2 s of every start otherwise.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        # Of processes that start together all but one would fail to make the same tables. Alembic reads the revision
        # after this lock: a process that had to wait finds the work done. Upgrades may take long, so it waits as long.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(config, "head")


class Stored:
    """Base of classes that store data in the bot's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
