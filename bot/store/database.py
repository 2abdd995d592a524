"""The bot's database: opened, brought to the current revision, and used from threads of its own."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Row, create_engine, event, inspect, select, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError, StatementError
from sqlalchemy.pool import NullPool, QueuePool

from bot.errors import ConfigurationError, DingerpError
from bot.private_files import make_private_file, make_private_folder
from bot.sealing import WrongDataKey
from bot.store.data_keys import CompanyKeySource, DatabaseKeys, own_keys
from bot.store.errors import DatabaseIsNewer, StoreUnavailable, store_unavailable
from bot.store.sealed_columns import sealed_by
from bot.store.tables.upkeep import DATA_KEY

_LONG_LOG_PAGES = 32_000
"""Pages (131 MB) of the log: 14 000 questions without a pause in the writing."""

_CHECKPOINT_ROUNDS = 8
"""Rounds in which new pages are moved before writers have to wait.

Each round has less to do. A round in which nothing is written brings the file to the disk; with writers waiting that
takes 10 to 25 ms (measured).
"""

_RESTART_WAIT_MS = 20
"""How long the restart of the log waits for readers of older pages, and writers with it; after that it is left to the
next checkpoint."""


class LockPatience:
    """How long SQLite's connections wait for the lock: less while somebody holds it for long."""

    def __init__(self) -> None:
        self._wait = _BUSY_MS

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Let a connection wait as long as is worth while now."""
        connection.execute(f"PRAGMA busy_timeout={self._wait}")

    def learn(self, error: BaseException | None) -> None:
        """Learn from how a use ended; None for well."""
        if error is None:
            self._wait = _BUSY_MS
        elif getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE == sqlite3.SQLITE_BUSY:
            self._wait = _BUSY_AGAIN_MS


_PRIMARY_CODE = 0xFF


class SqliteConnection:
    """Runs single statements, each of them a transaction of its own, in the database's one thread."""

    def __init__(
        self, file: str, prepare: Callable[[sqlite3.Connection], None], patience: LockPatience | None = None
    ) -> None:
        self._file = file
        self._prepare = prepare
        self._patience = patience or LockPatience()
        self._connection: sqlite3.Connection | None = None
        self._log = Path(f"{file}-wal")
        self._checkpointed_at = 0

    def execute(self, statement: str, parameters: tuple[object, ...]) -> None:
        """Run a statement that returns nothing.

        Raises `sqlite3.IntegrityError` when a constraint forbids it and `StoreUnavailable` for all other trouble; then
        nothing is stored.
        """
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._patience.prepare(self._connection)
            self._connection.execute(statement, parameters)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            self._patience.learn(error)
            raise store_unavailable(error) from error
        self._patience.learn(None)

    def checkpoint(self) -> None:
        """Move new pages of the write-ahead log into the file; for a thread of its own. Raises `StoreUnavailable`.

        Writers do not wait, unless constant writing has made the log long: then they wait some 20 ms until it restarts.
        """
        try:
            changed_at = self._log.stat().st_mtime_ns
        except FileNotFoundError:
            return
        if changed_at == self._checkpointed_at:
            return
        try:
            connection = self._connect()
            try:
                _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if pages > _LONG_LOG_PAGES:
                    for _ in range(_CHECKPOINT_ROUNDS):
                        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                    connection.execute(f"PRAGMA busy_timeout={_RESTART_WAIT_MS}")
                    connection.execute("PRAGMA wal_checkpoint(RESTART)")
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise store_unavailable(error) from error
        self._checkpointed_at = changed_at

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None)
        self._prepare(connection)
        return connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


T = TypeVar("T")

MIGRATIONS = Path(__file__).parent / "migrations"

_POSTGRES_THREADS = 4
"""SQLite has one writer and gets one thread; PostgreSQL is only waited for."""

_MAX_LOOP_WAIT = 0.002
"""The longest time in seconds that one turn of the event loop waits for SQLite's thread."""

_LOCK = 0x6D696772
"""Advisory lock of upgrades among all processes on PostgreSQL."""

_SEALED_SINCE = "0012"
"""The revision that sealed what older ones had stored in plain text."""

_LOG_PAGES = 64_000
"""Pages (262 MB) of SQLite's log at which a commit moves them into the file, should `Database.checkpoint` fail to."""

_BUSY_MS = 2_000
"""The longest wait for SQLite's lock, which only commands beside the bot take, and for milliseconds."""

_BUSY_AGAIN_MS = 50
"""The wait once that was not enough. All writers share a thread: each would wait as long, and those behind it, too."""

_IDLE_SECONDS = 5.0
"""Seconds after which an idle connection to PostgreSQL is tried before use: firewalls and restarts end idle ones.

Trying each time would cost every transaction a round trip, a quarter of a short transaction. A connection that ends in
use costs one call, and the pool then drops all others of its age.
"""

_POSTGRES_LIMITS = (
    "SET lock_timeout = '5s'",
    # A transaction that stays open, such as that of a frozen process, keeps its locks from all others until then.
    "SET idle_in_transaction_session_timeout = '30s'",
)
"""On every connection to PostgreSQL."""


class Database:
    """Runs functions in transactions, and keeps the keys by which sealed columns are read and written."""

    def __init__(
        self, url: str, keys: CompanyKeySource | None = None, *, folder: Path = Path("data"), looking: bool = False
    ) -> None:
        """Open no connection yet. Raises `ConfigurationError` for an address that cannot be read.

        ``keys`` gives the company's key; by default it lies in a file beside the database, or in ``folder`` where the
        database is no file. ``looking`` opens it for reading alone: nothing changes, not even the files of a database
        that is not there.
        """
        self._engine = _looking_engine(url) if looking else _make_engine(url)
        self._looks, self._looks_at = looking, sqlite_file(url) if looking else None
        file = make_url(url).database or "" if self.dialect == "sqlite" else None
        in_memory = file in ("", ":memory:")
        self.keys = DatabaseKeys(keys or own_keys(file, folder), None if in_memory else self._read_keys_aside)
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        threads = 1 if self.dialect == "sqlite" else _POSTGRES_THREADS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self._patience = LockPatience()
        self.sqlite = None if looking else _sqlite_connection(self._engine.url, self._patience)
        """For frequent single statements; None where the database is not a plain SQLite file."""

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    async def run(self, call: Callable[[Connection], T], *, durable: bool = False) -> T:
        """Return what ``call`` returns, after the commit; raises `StoreUnavailable`, and then nothing is stored.

        What is ``durable`` survives a power cut from then on, and so does all that was committed before it.
        """
        work = partial(self.run_blocking, call, durable=durable)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def read(self, call: Callable[[Connection], T]) -> T:
        """Return what ``call`` reads; raises `StoreUnavailable`.

        There is no transaction: on PostgreSQL, beginning and ending one are two of the three round trips that reading a
        row takes. Each statement sees what was stored when it began.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_blocking, call)

    async def revision(self, timeout: float = 2.0) -> str | None:
        """Return the revision that the database is at, None for an empty one.

        Raises `StoreUnavailable`, also when the answer takes longer than ``timeout`` seconds.
        """
        if self._looks_at is not None and not self._looks_at.exists():
            return None
        try:
            async with asyncio.timeout(timeout):
                return await self.run(_revision)
        except TimeoutError as error:
            raise StoreUnavailable(f"no answer for {timeout:g} s (TimeoutError)") from error

    async def migrate(self) -> None:
        """Bring the database to the newest revision; where it is up to date, that costs one query.

        Raises `DatabaseIsNewer`.
        """
        before = await self.run(_revision)
        check_version(before)
        if before != latest_revision():
            await self.run(_upgrade)
            if before is not None and before < _SEALED_SINCE and self.dialect == "sqlite":
                await self.read(_rewrite_file)

    async def unlock(self) -> None:
        """Read the keys of sealed columns, and make the first ones if there are none.

        Raises `bot.sealing.WrongDataKey` if the company's key does not fit, and `StoreUnavailable`.
        """
        await self.run(self.keys.read if self._looks else self.keys.unlock)

    async def close(self) -> None:
        """Let running calls finish and close the connections."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._disconnect)
        self._threads.shutdown(wait=False)

    def start(self, job: Callable[[], T]) -> Future[T]:
        """Run ``job`` in a thread of the database, after the jobs that wait there."""
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
        """Move what SQLite's log holds into its file while others write. Raises `StoreUnavailable`.

        That waits for the disk. When commits did it themselves, one in fifty took 6 to 10 ms instead of 0.4 (measured).
        """
        if self.sqlite is not None:
            await asyncio.to_thread(self.sqlite.checkpoint)

    @contextmanager
    def _prepared(self, connection: Connection, durable: bool) -> Iterator[None]:
        """Let SQLite wait for the lock as long as is worth while, and for the disk at commits that are ``durable``.

        PostgreSQL does both by itself.
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

    def _disconnect(self) -> None:
        if self.sqlite is not None:
            self.sqlite.close()
        self._engine.dispose()

    def read_blocking(self, call: Callable[[Connection], T]) -> T:
        """Do what `read` does, for jobs that run in a thread of the database already.

        A single statement that writes is a transaction of its own, which the database begins and ends within it.
        """
        with _translated_errors(), sealed_by(self.keys):
            self.ensure_unlocked()
            with self._autocommit.connect() as connection:
                return call(connection)

    def run_blocking(self, call: Callable[[Connection], T], *, durable: bool = False) -> T:
        """Do what `run` does, for jobs that run in a thread of the database already."""
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
        """Read the keys before the first statement that may need them; for the threads of the database.

        A database without tables has none yet. A wrong key is told by `unlock`, and by the first sealed value: what
        is not sealed can be read without it.
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


def latest_revision() -> str:
    """Return the newest revision: the files in ``migrations/versions`` are named ``<revision>_<words>.py``."""
    return max(_known_revisions())


def check_version(revision: str | None) -> None:
    """Check that this version knows a revision. Raises `DatabaseIsNewer`."""
    if revision is not None and revision not in _known_revisions():
        raise DatabaseIsNewer(
            f"a newer version of dingerp has used the database (it is at revision {revision}, this version knows up to "
            f"{latest_revision()}); install that version again, or restore a backup from before the upgrade"
        )


def check_folder(url: str) -> None:
    """Check that a SQLite database can be made or changed where it is. Raises `ConfigurationError`."""
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


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite database; None for a database in memory, on a server, or at an unreadable address."""
    try:
        return _file_of(make_url(url))
    except ArgumentError:
        return None


def _file_of(url: URL) -> Path | None:
    file = url.database
    if url.get_backend_name() != "sqlite" or url.query or not file or file == ":memory:":
        return None
    return Path(file)


def _known_revisions() -> frozenset[str]:
    return frozenset(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


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
    file = parsed.database if parsed.database != ":memory:" and not parsed.query else None
    if file:
        _make_folder(Path(file).parent)
    # One connection for the one thread; without check_same_thread it may also be closed from elsewhere.
    engine = create_engine(
        parsed, poolclass=QueuePool, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False}
    )
    if file:
        event.listen(engine, "do_connect", lambda *_: make_private_file(Path(file)))
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _sqlite_connection(url: URL, patience: LockPatience) -> SqliteConnection | None:
    file = _file_of(url)
    if file is None:
        return None
    return SqliteConnection(str(file), lambda connection: _prepare_sqlite(connection, None), patience)


def _looking_engine(url: str) -> Engine:
    """Return an engine that can only read."""
    file = sqlite_file(url)
    if file is None:
        engine = _make_engine(url)
        if engine.dialect.name == "postgresql":
            event.listen(engine, "connect", _forbid_writing)
        return engine
    return create_engine("sqlite://", creator=lambda: look_into(file), poolclass=QueuePool, pool_size=1, max_overflow=0)


def look_into(file: Path) -> sqlite3.Connection:
    """Return a connection that only reads, and makes no file to do so."""
    # Without a log nobody uses the file now, and "immutable" keeps SQLite from making one only to read.
    is_used = Path(f"{file}-wal").exists()
    address = f"{file.absolute().as_uri()}?{'mode=ro' if is_used else 'mode=ro&immutable=1'}"
    connection = sqlite3.connect(address, uri=True, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    return connection


def _forbid_writing(connection: Any, _record: object) -> None:
    connection.execute("SET default_transaction_read_only = on")
    connection.commit()


def _make_folder(folder: Path) -> None:
    try:
        make_private_folder(folder)
    except OSError as error:
        raise ConfigurationError(f"cannot make the database's folder {folder}: {error.strerror}") from None


def _prepare_postgres(connection: Any, _record: object) -> None:
    for limit in _POSTGRES_LIMITS:
        connection.execute(limit)
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
    # WAL with NORMAL survives the death of the process at any moment. A power cut may lose the last commits: questions
    # are then asked again, and cards are sent again under the same id. What was promised to somebody is committed
    # with FULL (`Database.run`); to do so always would add an fsync to every acknowledgement.
    # Each connection caches half a megabyte instead of two: the system's own cache holds the file anyway.
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "fullfsync=ON",  # without it macOS leaves what it was told to write in the disk's own cache
        "checkpoint_fullfsync=ON",
        "foreign_keys=ON",
        "secure_delete=ON",
        "cache_size=-512",
        f"wal_autocheckpoint={_LOG_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _rewrite_file(connection: Connection) -> None:
    """Write SQLite's file and log anew: pages that were free before deletion was secure still hold plain text."""
    connection.exec_driver_sql("VACUUM")
    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


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
        # Of processes that start together all but one would fail to make the same tables. Alembic reads the revision
        # after this lock: a process that had to wait finds the work done. Upgrades may take long, so it waits as long.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(config, "head")
