"""The bot's database: opened, brought to the current revision, and used from threads of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from bot.errors import ConfigurationError
from bot.store.errors import StoreUnavailable

_LONG_LOG_PAGES = 32_000
"""Pages (131 MB) of the log: 14 000 questions without a moment in which nobody writes."""

_CHECKPOINT_ROUNDS = 8
"""How often what came meanwhile is moved before writers have to wait. There is less and less to do in each round, and
one that nobody writes in has the file reach the disk, which else takes 10 to 25 ms with writers waiting (measured)."""

_PATIENCE_MS = 20
"""How long writers are held up for a reader of what was there before the log; else it begins anew another time."""


class SqliteConnection:
    """Runs single statements, each of them a transaction of its own, in the database's one thread."""

    def __init__(self, file: str, prepare: Callable[[sqlite3.Connection], None]) -> None:
        self._file = file
        self._prepare = prepare
        self._connection: sqlite3.Connection | None = None
        self._log = Path(f"{file}-wal")
        self._tidied_at = 0

    def execute(self, statement: str, parameters: tuple[object, ...]) -> None:
        """Run a statement that brings nothing back.

        Raises `sqlite3.IntegrityError` when a constraint forbids it and `StoreUnavailable` for all other trouble; then
        nothing is stored.
        """
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._connection.execute(statement, parameters)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise StoreUnavailable(type(error).__name__) from error

    def checkpoint(self) -> None:
        """Move what the write-ahead log holds into the file, if there is anything new; for a thread of its own.

        Raises `StoreUnavailable`. Nobody is held up, unless the log became long because somebody wrote all the time:
        then writers wait, some 20 ms, until it can begin anew.
        """
        try:
            changed_at = self._log.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed_at == self._tidied_at:
            return
        try:
            connection = self._connect()
            try:
                _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if pages > _LONG_LOG_PAGES:
                    for _ in range(_CHECKPOINT_ROUNDS):
                        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                    connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
                    connection.execute("PRAGMA wal_checkpoint(RESTART)")
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise StoreUnavailable(type(error).__name__) from error
        self._tidied_at = changed_at

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None)
        self._prepare(connection)
        return connection

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


T = TypeVar("T")

MIGRATIONS = Path(__file__).parent / "migrations"

_POSTGRES_THREADS = 4
"""SQLite has one writer and gets one thread; PostgreSQL is only waited for."""

_MAX_LOOP_WAIT = 0.002
"""Seconds for which the event loop waits, in one of its turns, for SQLite's thread at most."""

_LOCK = 0x6D696772
"""Of upgrades among all processes on PostgreSQL."""

_LOG_PAGES = 64_000
"""Pages (262 MB) of SQLite's log at which a commit moves them into the file itself, should `Database.tidy` fail to."""

_IDLE_SECONDS = 5.0
"""Seconds after which a connection to PostgreSQL is tried before it is used: firewalls and restarts end idle ones.

Trying each time would cost every transaction a round trip, a quarter of what a short one takes. One that ends while it
is used costs that one call, and the pool then drops all others of its age.
"""

_PATIENCE = "SET lock_timeout = '5s'"
"""Of every connection to PostgreSQL: nobody waits longer for what another one holds."""


class Database:
    """Runs functions in transactions."""

    def __init__(self, url: str) -> None:
        """Connect nowhere yet; raises `ConfigurationError` for an address that cannot be read."""
        self._engine = _make_engine(url)
        self._looking = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        threads = 1 if self.dialect == "sqlite" else _POSTGRES_THREADS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self.sqlite = _sqlite_connection(self._engine.url)
        """For single statements that come all the time; None for what is no plain file of SQLite."""

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    async def run(self, call: Callable[[Connection], T]) -> T:
        """Return what ``call`` returns, after the commit; raises `StoreUnavailable`, and then nothing is stored."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.run_blocking, call)

    async def read(self, call: Callable[[Connection], T]) -> T:
        """Return what ``call`` reads; raises `StoreUnavailable`.

        Each of its statements sees what was stored when it began, as in a transaction, but there is none to begin and
        end: on PostgreSQL those are two round trips of the three that a single row takes.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_blocking, call)

    async def revision(self, timeout: float = 2.0) -> str | None:
        """Return the revision that the database is at, None for an empty one.

        Raises `StoreUnavailable`, also when the answer takes longer than ``timeout`` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self.run(_revision)
        except TimeoutError as error:
            raise StoreUnavailable("TimeoutError") from error

    async def migrate(self) -> None:
        """Bring the database to the newest revision; one that is there already costs one query."""
        if await self.run(_revision) != latest_revision():
            await self.run(_upgrade)

    async def close(self) -> None:
        """Let calls under way finish and give the connections back."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._disconnect)
        self._threads.shutdown(wait=False)

    def start(self, job: Callable[[], T]) -> Future[T]:
        """Let ``job`` run in a thread of the database, behind what waits there already."""
        return self._threads.submit(job)

    def call_when_done(self, job: Future[T], told: Callable[[Future[T]], object]) -> None:
        """Let the event loop call ``told`` when ``job`` is done, at once if SQLite does it in no time.

        A busy event loop hardly lets another thread in: whenever the loop waits for the system it wakes the thread, and
        goes on before that is awake, up to a switch interval long. So a commit of SQLite took several milliseconds and
        stopped the loop for 0.6 ms in all. Left alone it is done in 0.2 to 0.5 ms (all measured), and the loop leaves
        it alone: for `_MAX_LOOP_WAIT`, and where that is not enough, again in each turn, so that a slow disk makes
        turns longer by no more than that. PostgreSQL works elsewhere and is not waited for.
        """
        loop = asyncio.get_running_loop()
        if self.sqlite is None:
            job.add_done_callback(lambda done: loop.call_soon_threadsafe(told, done))
            return
        try:
            job.exception(timeout=_MAX_LOOP_WAIT)
        except TimeoutError:
            loop.call_soon(self.call_when_done, job, told)
        else:
            told(job)

    async def checkpoint(self) -> None:
        """Move what SQLite's log holds into its file, beside the writing; raises `StoreUnavailable`.

        That waits for the disk. When commits did it themselves, one of fifty took 6 to 10 ms instead of 0.4 (measured).
        """
        if self.sqlite is not None:
            await asyncio.to_thread(self.sqlite.checkpoint)

    def _disconnect(self) -> None:
        if self.sqlite is not None:
            self.sqlite.close()
        self._engine.dispose()

    def read_blocking(self, call: Callable[[Connection], T]) -> T:
        """Do what `look` does, for jobs that are in a thread of the database already.

        A single statement that writes is a transaction of its own, which the database begins and ends within it.
        """
        try:
            with self._looking.connect() as connection:
                return call(connection)
        except (SQLAlchemyError, OSError) as error:
            raise StoreUnavailable(type(error).__name__) from error

    def run_blocking(self, call: Callable[[Connection], T]) -> T:
        """Do what `run` does, for jobs that are in a thread of the database already."""
        try:
            with self._engine.begin() as connection:
                return call(connection)
        except (SQLAlchemyError, OSError) as error:
            raise StoreUnavailable(type(error).__name__) from error


def latest_revision() -> str:
    """Return the newest revision: the files in ``migrations/versions`` are named ``<revision>_<words>.py``."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _make_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        match parsed.get_backend_name():
            case "postgresql":
                drivername = "postgresql+psycopg"
                engine = create_engine(parsed.set(drivername=drivername), pool_size=_POSTGRES_THREADS)
                event.listen(engine, "connect", _prepare_postgres)
                event.listen(engine, "checkin", _note_use)
                event.listen(engine, "checkout", _try_if_idle)
                return engine
            case "sqlite":
                parsed = parsed.set(drivername="sqlite")
            case other:
                raise ConfigurationError(f"no such database here: {other}")
    except (ArgumentError, ValueError, ModuleNotFoundError) as error:
        # The address itself may hold a password and is not repeated.
        raise ConfigurationError(f"cannot use the database address: {type(error).__name__}") from None
    if parsed.database and parsed.database != ":memory:":
        _make_folder(Path(parsed.database).parent)
    # One connection for the one thread; without check_same_thread it may also be closed from elsewhere.
    engine = create_engine(
        parsed, poolclass=QueuePool, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _sqlite_connection(url: URL) -> SqliteConnection | None:
    file = url.database
    if url.get_backend_name() != "sqlite" or url.query or not file or file == ":memory:":
        return None
    return SqliteConnection(file, lambda connection: _prepare_sqlite(connection, None))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"cannot make the database's folder {folder}: {error.strerror}") from None


def _prepare_postgres(connection: Any, _record: object) -> None:
    connection.execute(_PATIENCE)
    connection.commit()


def _note_use(_connection: object, record: Any) -> None:
    record.info["used"] = monotonic()


def _try_if_idle(connection: Any, record: Any, _proxy: object) -> None:
    if monotonic() - record.info.get("used", monotonic()) < _IDLE_SECONDS:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except connection.Error as error:
        raise DisconnectionError("ended while it was idle") from error  # the pool opens another one


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # WAL with NORMAL survives the death of the process at any moment; only a power cut may lose the last commits,
    # and those questions are then simply asked again. FULL would add an fsync to every acknowledgement.
    # Half a megabyte of pages for each connection instead of two: the system's own cache holds the file anyway.
    cursor = connection.cursor()
    for pragma in (
        "busy_timeout=10000",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "cache_size=-512",
        f"wal_autocheckpoint={_LOG_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _upgrade(connection: Connection) -> None:
    # Imported only when there is something to do: Alembic costs 0.2 s of every start otherwise.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        # Processes that start together would all make the same tables, and all but one would fail. Alembic reads the
        # revision after this: who waited finds the work done. That may take longer than anything else.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(config, "head")
