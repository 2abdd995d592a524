"""The only connection to the demo ERP's SQLite database, in its own thread.

Every call is one trip to that thread, however many statements it needs: that keeps the event loop free, costs a third
of an asynchronous driver (which makes a trip for each cursor, statement and fetch), and shows every call one state of
the data without any lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.pool import StaticPool

from bot.erp.errors import Unavailable
from bot.mechanisms.private_files import make_private_file, make_private_folder
from bot.words.errors import ConfigurationError

T = TypeVar("T")

# No WAL: two processes that switch the same new file to it at once get "database is locked" whatever the timeout, and
# a demo writes too rarely to gain from it.
_PRAGMAS = ("busy_timeout = 4000", "synchronous = NORMAL")


class DemoDatabase:
    """Runs functions on the connection, one after another."""

    def __init__(self, place: str | Path) -> None:
        self._file = _file(place)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="demo-erp")
        self._connection: Connection | None = None
        self._closed = False

    async def open(self, prepare: Callable[[Connection], None]) -> None:
        """Connect and let ``prepare`` set up the content; raises `Unavailable` and is then closed."""
        try:
            await self._in_thread(lambda: self._open(prepare))
        except BaseException:
            await self.close()
            raise

    def _open(self, prepare: Callable[[Connection], None]) -> None:
        if self._file != ":memory:":
            make_private_folder(Path(self._file).parent)
            make_private_file(Path(self._file))
        engine = create_engine(f"sqlite:///{self._file}", poolclass=StaticPool, isolation_level="AUTOCOMMIT")
        self._connection = engine.connect()
        for pragma in _PRAGMAS:
            self._connection.exec_driver_sql(f"PRAGMA {pragma}")
        prepare(self._connection)

    async def run(self, call: Callable[[Connection], T]) -> T:
        """Return the result of ``call`` on the connection; raises `Unavailable` if the database fails or is closed."""
        return await self._in_thread(lambda: call(self._connected()))

    def _connected(self) -> Connection:
        if self._connection is None:
            raise Unavailable("the demo database is not open")
        return self._connection

    async def _in_thread(self, call: Callable[[], T]) -> T:
        if self._closed:
            raise Unavailable("the demo database is closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except (DatabaseError, OSError) as error:
            raise Unavailable(f"demo database: {type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connection and end the thread; running calls finish first."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection.engine.dispose()
            self._connection = None


@contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """Run the block atomically; other processes writing to the same file wait their turn."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise


def _file(place: str | Path) -> str:
    """Return the file behind a path or an SQLAlchemy URL of any SQLite driver."""
    if isinstance(place, Path) or "://" not in place:
        return str(place)
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        # The address itself may hold a password and is not repeated.
        raise ConfigurationError("the demo ERP's database address cannot be read") from None
    if url.get_backend_name() != "sqlite":
        raise ConfigurationError("the demo ERP keeps its data in SQLite only")
    return url.database or ":memory:"
