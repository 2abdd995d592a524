"""Connections to the bot's database: SQLAlchemy's engines, and a plain one to an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import QueuePool

from bot.mechanisms.private_files import make_private_file, make_private_folder
from bot.store.errors import store_unavailable
from bot.words.errors import ConfigurationError
from bot.words.phrase import phrase

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

_PRIMARY_CODE = 0xFF

POSTGRES_THREADS = 4
"""SQLite has one writer and gets one thread; PostgreSQL is only waited for."""

_LOG_PAGES = 64_000
"""Pages (262 MB) of SQLite's log at which a commit moves them into the file, should `Database.checkpoint` fail to."""

_BUSY_MS = 2_000
"""The longest wait for SQLite's lock, which only commands beside the bot take, and for milliseconds."""

_BUSY_AGAIN_MS = 50
"""The wait once that was not enough. All writers share a thread: each would wait as long, and those behind it, too."""

_IDLE_SECONDS = 5.0
"""Seconds after which an idle connection to PostgreSQL is tried before use: firewalls end them, and tell nobody.

Trying each time would cost every transaction a round trip, a quarter of a short transaction. A server that stops tells
its clients, so that these connections are known without that. One that ends in use costs one call.
"""

_POSTGRES_REACH = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""How long a server that says nothing is waited for, unless the address says so itself; otherwise it may be hours."""

_POSTGRES_LIMITS = (
    "SET lock_timeout = '5s'",
    # A transaction that stays open, such as a frozen process's, holds its locks until then.
    "SET idle_in_transaction_session_timeout = '30s'",
)
"""On every connection to PostgreSQL."""

_LIMITS_OF_TRANSACTION = (
    "BEGIN{access}; SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '{idle}'"
)
"""The same in every transaction behind a pooler, which gives a connection to others in between."""
IDLE_IN_TRANSACTION = "30s"


_LEASE_REACH = {**_POSTGRES_REACH, "connect_timeout": "2", "tcp_user_timeout": "3000"}
_LEASE_LIMITS = ("SET lock_timeout = '2s'", "SET statement_timeout = '2s'")
"""The same for the one connection that renews a lease: a lease ends meanwhile, so it rather fails than waits."""


CONNECTION_PREFIX = "dingerp "
"""What the names of a process's connections to PostgreSQL begin with; the process's id follows."""


class LockTimeouts:
    """How long SQLite's connections wait for the lock: less while it is held for long."""

    def __init__(self) -> None:
        self.wait = _BUSY_MS
        """Milliseconds."""

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Set a connection's waiting time for now."""
        connection.execute(f"PRAGMA busy_timeout={self.wait}")

    def learn(self, error: BaseException | None) -> None:
        """Learn from the result of a use; None for success."""
        if error is None:
            self.wait = _BUSY_MS
        elif getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE == sqlite3.SQLITE_BUSY:
            self.wait = _BUSY_AGAIN_MS


class SqliteConnection:
    """Runs single statements, each its own transaction, in the database's one thread."""

    def __init__(
        self, file: str, prepare: Callable[[sqlite3.Connection], None], patience: LockTimeouts | None = None
    ) -> None:
        self._file = file
        self._prepare = prepare
        self._patience = patience or LockTimeouts()
        self._connection: sqlite3.Connection | None = None
        self._waits: int | None = None
        self._log = Path(f"{file}-wal")
        self._checkpointed_at = 0

    def execute(self, statement: str, parameters: tuple[object, ...]) -> None:
        """Run a statement without a result.

        Raises `sqlite3.IntegrityError` if a constraint forbids it and `StoreUnavailable` for all other errors; then
        nothing is stored.
        """
        try:
            if self._connection is None:
                self._connection, self._waits = self._connect(), None
            if self._waits != self._patience.wait:
                self._patience.prepare(self._connection)
                self._waits = self._patience.wait
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


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite database; None for one in memory, on a server, or at an invalid address."""
    try:
        return _file_of(make_url(url))
    except ArgumentError:
        return None


def _file_of(url: URL) -> Path | None:
    file = url.database
    if url.get_backend_name() != "sqlite" or url.query or not file or file == ":memory:":
        return None
    return Path(file)


def is_pooled(url: str | URL) -> bool:
    """Return whether an address leads to a pooler such as PgBouncer in transaction mode: ``…?pooled=true``.

    Between two transactions it gives the connection to others, so nothing that belongs to a connection lasts.
    """
    match make_url(url).query.get("pooled", "false"):
        case "true":
            return True
        case "false":
            return False
        case _:
            raise ConfigurationError(phrase("database_url: pooled is true or false"))


def lease_engine(url: str, *, process: str = "") -> Engine:
    """Return an engine with one connection to PostgreSQL of its own: a lease must not wait behind other work."""
    engine = make_engine(url, reach=_LEASE_REACH, connections=1, process=process)
    if not is_pooled(url):
        event.listen(engine, "connect", partial(_set_limits, _LEASE_LIMITS))
    return engine


def lease_arguments(url: str, *, process: str) -> Mapping[str, Any]:
    """Return the driver's own arguments for such a connection."""
    engine = make_engine(url, reach=_LEASE_REACH, connections=1, process=process)
    return engine.dialect.create_connect_args(engine.url)[1]


def make_engine(
    url: str,
    *,
    reach: Mapping[str, str] = _POSTGRES_REACH,
    connections: int = POSTGRES_THREADS,
    process: str = "",
) -> Engine:
    """Return the engine for an address; the rest applies to PostgreSQL, where connections bear the ``process``."""
    try:
        parsed = make_url(url)
        match parsed.get_backend_name():
            case "postgresql":
                return _postgres_engine(
                    parsed.update_query_dict({**reach, **parsed.query, **_named(process)}), connections
                )
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


def _postgres_engine(address: URL, connections: int) -> Engine:
    pooled = is_pooled(address)
    engine = create_engine(
        address.set(drivername="postgresql+psycopg").difference_update_query(["pooled"]),
        pool_size=connections,
        # What was prepared at one connection would be asked of another one.
        connect_args={"prepare_threshold": None} if pooled else {},
    )
    if pooled:
        event.listen(engine, "begin", _begin_with_limits)
    else:
        event.listen(engine, "connect", partial(_set_limits, _POSTGRES_LIMITS))
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _try_if_idle)
    return engine


def _begin_with_limits(connection: Connection) -> None:
    """Begin a transaction that has its limits from the first: in one message.

    A process that stands still has perhaps sent the beginning already. The pooler then gives it a connection, even one
    after the other to each of its transactions that waited, and without limits nobody else would ever get these again.
    """
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    # psycopg would send a beginning of its own before.
    connection.connection.dbapi_connection.autocommit = True  # type: ignore[union-attr]  # there is one
    access = " READ ONLY" if options.get("postgresql_readonly") else ""
    connection.exec_driver_sql(_LIMITS_OF_TRANSACTION.format(access=access, idle=IDLE_IN_TRANSACTION))


def _named(process: str) -> Mapping[str, str]:
    return {"application_name": f"{CONNECTION_PREFIX}{process}"} if process else {}


def plain_connection(url: URL, patience: LockTimeouts) -> SqliteConnection | None:
    file = _file_of(url)
    if file is None:
        return None
    return SqliteConnection(str(file), lambda connection: _prepare_sqlite(connection, None), patience)


def looking_engine(url: str) -> Engine:
    """Return a read-only engine."""
    file = sqlite_file(url)
    if file is None:
        engine = make_engine(url)
        if engine.dialect.name == "postgresql":
            if is_pooled(url):
                return engine.execution_options(postgresql_readonly=True)
            event.listen(engine, "connect", _forbid_writing)
        return engine
    return create_engine("sqlite://", creator=lambda: look_into(file), poolclass=QueuePool, pool_size=1, max_overflow=0)


def look_into(file: Path) -> sqlite3.Connection:
    """Return a read-only connection that creates no file."""
    # Without a log nobody uses the file now, and "immutable" keeps SQLite from making one only to read.
    is_used = Path(f"{file}-wal").exists()
    address = f"{file.absolute().as_uri()}?{'mode=ro' if is_used else 'mode=ro&immutable=1'}"
    connection = sqlite3.connect(address, uri=True, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    return connection


@contextmanager
def keep_from_moving(file: Path) -> Iterator[None]:
    """Hold a file so that `look_into` may read it for long: nobody can write past its readers.

    While a file is not in use, `look_into` treats it as immutable, and would not notice a command that starts changing
    it. Raises `StoreUnavailable`.
    """
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as held:
            held.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
            held.execute("BEGIN")
            held.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield
    except sqlite3.Error as error:
        raise store_unavailable(error) from error


def _forbid_writing(connection: Any, _record: object) -> None:
    connection.execute("SET default_transaction_read_only = on")
    connection.commit()


def _make_folder(folder: Path) -> None:
    try:
        make_private_folder(folder)
    except OSError as error:
        raise ConfigurationError(f"cannot make the database's folder {folder}: {error.strerror}") from None


def _set_limits(limits: Sequence[str], connection: Any, _record: object) -> None:
    for limit in limits:
        connection.execute(limit)
    connection.commit()


def _note_use(_connection: object, record: Any) -> None:
    record.info["used"] = monotonic()


def _try_if_idle(connection: Any, record: Any, _proxy: object) -> None:
    if monotonic() - record.info.get("used", monotonic()) < _IDLE_SECONDS and not _was_told(connection):
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except connection.Error as error:
        raise DisconnectionError("ended while it was idle") from error  # the pool opens another one


def _was_told(connection: Any) -> bool:
    """Return whether the server said something unasked, which is mostly that it has ended the connection."""
    with DefaultSelector() as unread:
        unread.register(connection, EVENT_READ)
        return bool(unread.select(0))


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
