"""The company's database: read-only connections in threads of their own, where every failure is one of ours.

Every call is one trip to a thread and one transaction there, so that an order and its lines are of one moment and the
event loop never waits for a driver. Nothing is ever committed.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, create_engine, event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from bot.erp.errors import AuthFailed, ErpError, Invalid, NotPermitted, Unavailable
from bot.erp.http import words
from bot.words.errors import ConfigurationError

T = TypeVar("T")

_STEPS = 2_000
"""Steps of SQLite's machine between two looks at the clock: some tens of microseconds."""

_READ_ONLY: Mapping[str, tuple[str, ...]] = {
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_execution_time = {milliseconds}"),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_statement_time = {seconds}"),
    "mssql": (
        "SET DATEFORMAT ymd",
        "SET LOCK_TIMEOUT {milliseconds}",
        "SET DEADLOCK_PRIORITY LOW",
        "IF EXISTS (SELECT 1 FROM sys.databases WHERE database_id = DB_ID() AND snapshot_isolation_state = 1) "
        "SET TRANSACTION ISOLATION LEVEL SNAPSHOT",
    ),
}
"""What makes a session read-only and bounded, where the driver has no switch for it.

SQL Server has no read-only session: there it never waits long for a lock, gives way to the ERP in a deadlock, and reads
versions instead of locks where the database allows that (docs: platform/erp/sql.md#sql-server).
"""

_WRONG_ACCOUNT = ("password authentication failed", "no password supplied", "pg_hba.conf", "access denied for user")

_PYMSSQL = "mssql+pymssql"

_DRIVERS_WORDS = "DB-Lib error message"
"""The driver's own words follow the server's behind it."""

_LOGIN_NUMBERS = frozenset({4060, 4064, 18452, 18456, 18487, 18488})
"""The password is wrong or has expired, or the account may not open this database."""
_RIGHT_NUMBERS = frozenset({229, 230, 262, 297, 300, 916, 3906})
_QUERY_NUMBERS = frozenset(
    {102, 137, 156, 170, 207, 208, 209, 241, 242, 245, 248, 319, 402, 8114, 8115, 8120, 8134, 8152}
)
"""Syntax, a table or column that is not there, a value that does not fit its type."""


class ReadOnlyDatabase:
    """Runs functions on connections that cannot write."""

    def __init__(self, url: str, *, timeout: float, connections: int, source: str) -> None:
        """Connect nowhere yet; raises `ConfigurationError` for an address that cannot be used."""
        self._source = source
        self._timeout = timeout
        self._engine = _make_engine(url, timeout, connections, source)
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix=f"sql-{source}")
        self._under_way: set[Future[Any]] = set()
        self._closed = False

    @property
    def dialect(self) -> str:
        """``sqlite``, ``postgresql`` or another name of SQLAlchemy's."""
        return self._engine.dialect.name

    async def run(self, call: Callable[[Connection], T], *, seconds: float | None = None) -> T:
        """Return what ``call`` makes of a connection; ``seconds`` is a shorter time than the source's.

        Raises `Unavailable` (also when it takes longer than its time), `AuthFailed`, `NotPermitted` or
        `Invalid` as the database says.
        """
        if self._closed:
            raise Unavailable("the source is closed", source=self._source)
        limit = min(self._timeout, seconds or self._timeout)
        deadline = time.monotonic() + limit
        try:
            async with asyncio.timeout(limit):
                under_way = self._threads.submit(self._read, call, deadline)
                self._under_way.add(under_way)
                under_way.add_done_callback(self._under_way.discard)
                return await asyncio.wrap_future(under_way)
        except TimeoutError:
            raise Unavailable("no answer in time", source=self._source) from None

    async def close(self) -> None:
        """Give the connections back, after calls under way or when their time is over."""
        if self._closed:
            return
        self._closed = True
        self._threads.shutdown(wait=False)
        await asyncio.to_thread(self._give_back)

    def _give_back(self) -> None:
        wait(set(self._under_way), timeout=self._timeout)
        self._engine.dispose()

    def _read(self, call: Callable[[Connection], T], deadline: float) -> T:
        if time.monotonic() > deadline:
            raise Unavailable("no connection was free in time", source=self._source)
        try:
            with self._engine.connect() as connection:
                driver = connection.connection.dbapi_connection
                if isinstance(driver, sqlite3.Connection):
                    driver.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
                # Left without a commit: whatever was done is rolled back.
                return call(connection)
        except ErpError:
            raise
        except DBAPIError as error:
            raise self._refusal(error) from None
        except (SQLAlchemyError, OSError) as error:
            raise Unavailable(type(error).__name__, source=self._source) from None

    def _refusal(self, error: DBAPIError) -> ErpError:
        """Return our error for the driver's; its first line only, since others repeat the query."""
        told = told_by_sqlserver(error.orig)
        if told is not None:
            kind, text = told.kind, words(told.text)
        else:
            text = words(str(error.orig).partition("\n")[0])
            kind = _kind(error, text)
        if kind is AuthFailed:
            return kind("the account is refused", source=self._source)
        return kind(": ".join((*error.detail, text)), source=self._source)


def _kind(error: DBAPIError, text: str) -> type[ErpError]:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    message = text.casefold()
    if isinstance(error.orig, sqlite3.Error):
        if "readonly" in message or "query_only" in message or "not authorized" in message:
            return NotPermitted
        wrong = message.startswith(
            ("no such", "near ", "ambiguous", "wrong number", "row value", "unrecognized", "sub-")
        )
        return Invalid if wrong else Unavailable
    if state.startswith("28") or any(sign in message for sign in _WRONG_ACCOUNT):
        return AuthFailed
    if state == "42501" or state.startswith("25"):
        # 25006 is a write in a read-only transaction, 25001 the attempt to make it another.
        return NotPermitted
    # 57014: the statement's time is over; without a state there was no connection.
    wrong = state[:2] in {"22", "42", "21", "0A"} or type(error).__name__ in {"ProgrammingError", "DataError"}
    return Invalid if wrong else Unavailable


def _make_engine(url: str, timeout: float, connections: int, source: str) -> Engine:
    where = f"ERP source {source!r}: url"
    try:
        parsed = make_url(url)
        match parsed.get_backend_name():
            case "sqlite":
                return _sqlite(parsed, timeout, connections, where)
            case "postgresql" | "postgres":
                return _postgresql(parsed, timeout, connections)
            case "mssql" if parsed.drivername in {"mssql", _PYMSSQL}:
                own = sqlserver_arguments(timeout)
                return _other(parsed.set(drivername=_PYMSSQL), "mssql", timeout, connections, own)
            case backend:
                return _other(parsed, backend, timeout, connections)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        # The address itself may hold a password and is not repeated.
        raise ConfigurationError(
            f"{where}: is no address, or its driver is not installed ({type(error).__name__}); an example: "
            "postgresql://reader:password@host/database"
        ) from None


def _sqlite(url: URL, timeout: float, connections: int, where: str) -> Engine:
    file = url.database
    if not file or file == ":memory:":
        raise ConfigurationError(f"{where}: names no file; an example: sqlite:////srv/company/orders.db")
    address = f"file:{quote(file)}?mode=ro"

    def connect() -> sqlite3.Connection:
        # In autocommit of the driver, so that a transaction begins where we say and not only at a write.
        connection = sqlite3.connect(
            address, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.text_factory = _decode
        connection.execute("PRAGMA query_only = ON")
        return connection

    engine = create_engine(
        "sqlite://", creator=connect, poolclass=QueuePool, pool_size=connections, max_overflow=0, pool_timeout=timeout
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _decode(data: bytes) -> str:
    # One text in a wrong encoding must not hide the whole list; the character U+FFFD shows where it is.
    return data.decode("utf-8", errors="replace")


def _postgresql(url: URL, timeout: float, connections: int) -> Engine:
    if url.drivername not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("another driver")
    # Both the session's default and each transaction are read-only; statements end on the server, and a connection that
    # went silent ends here.
    milliseconds = max(1, int(timeout * 1000))
    own = str(url.query.get("options", ""))
    seconds = max(2, round(timeout))
    return create_engine(
        url.set(drivername="postgresql+psycopg").difference_update_query(["options"]),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=timeout,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
        connect_args={
            "options": f"{own} -c default_transaction_read_only=on -c statement_timeout={milliseconds}".strip(),
            "connect_timeout": seconds,
            "tcp_user_timeout": milliseconds,
            "keepalives_idle": seconds,
            "keepalives_interval": seconds,
            "keepalives_count": 2,
        },
    )


def _other(
    url: URL, backend: str, timeout: float, connections: int, arguments: Mapping[str, Any] | None = None
) -> Engine:
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=timeout,
        pool_pre_ping=True,
        poolclass=QueuePool,
        connect_args=dict(arguments or {}),
    )
    event.listen(engine, "connect", lambda connection, _record: prepare_session(connection, backend, timeout))
    return engine


def prepare_session(connection: Any, backend: str, timeout: float) -> None:
    """Make a new connection of a driver read-only and bounded, in the words of the server that it reached."""
    cursor = connection.cursor()
    if backend == "mysql":
        # The drivers of MySQL reach MariaDB too, which knows the time limit by another name and refuses MySQL's.
        cursor.execute("SELECT VERSION()")
        version = str(cursor.fetchone()[0])
        backend = "mariadb" if "mariadb" in version.casefold() else backend
    for command in session_commands(backend, timeout):
        cursor.execute(command)
    cursor.close()
    if backend == "mssql":
        # The driver has begun a transaction by now, and one that began otherwise cannot go on as a snapshot (3951).
        connection.rollback()


def session_commands(backend: str, timeout: float) -> tuple[str, ...]:
    """Return what is sent to a new connection of a database that has no switch for read-only connections."""
    return tuple(
        command.format(milliseconds=max(1, int(timeout * 1000)), seconds=timeout)
        for command in _READ_ONLY.get(backend, ())
    )


@dataclass(frozen=True, slots=True)
class SqlServerError:
    """An error of the server: what it means here, and its words."""

    kind: type[ErpError]
    text: str


def sqlserver_arguments(timeout: float) -> Mapping[str, Any]:
    """Return what the driver is told: read-only intent, UTF-8 whatever the code page, times in whole seconds."""
    seconds = max(1, math.ceil(timeout))
    return {
        "charset": "UTF-8",
        "appname": "dingerp",
        "read_only": True,
        "timeout": seconds,
        "login_timeout": seconds,
    }


def told_by_sqlserver(error: BaseException | None) -> SqlServerError | None:
    """Return what an error of pymssql says, None for an error of another driver."""
    if not type(error).__module__.startswith("pymssql"):
        return None
    match getattr(error, "args", None):
        # The driver puts a failed login and its reason into a pair of its own.
        case (int() as number, (str() | bytes()) as told):
            return SqlServerError(_kind_of_number(number), _servers_words(told))
        case ((int() as number, (str() | bytes()) as told),):
            return SqlServerError(_kind_of_number(number), _servers_words(told))
        case _:
            return None


def _kind_of_number(number: int) -> type[ErpError]:
    if number in _LOGIN_NUMBERS:
        return AuthFailed
    if number in _RIGHT_NUMBERS:
        return NotPermitted
    return Invalid if number in _QUERY_NUMBERS else Unavailable


def _servers_words(told: str | bytes) -> str:
    text = told.decode("utf-8", errors="replace") if isinstance(told, bytes) else told
    lines = [line for line in text.replace(_DRIVERS_WORDS, f"\n{_DRIVERS_WORDS}").splitlines() if line.strip()]
    return next((line.strip() for line in lines if not line.startswith(_DRIVERS_WORDS)), "")
