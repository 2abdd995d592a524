"""A connection to SQLite with nothing between: for a statement that comes all the time.

While a thread of the database runs Python, the event loop stands still. SQLAlchemy's part in a small commit is as long
as SQLite's own (measured), and only SQLite's leaves the interpreter to others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from bot.store.errors import StoreUnavailable

_LONG = 32_000
"""Pages (131 MB) of the log: 14 000 questions without a moment in which nobody writes."""

_ROUNDS = 8
"""How often what came meanwhile is moved before writers have to wait. There is less and less to do in each round, and
one that nobody writes in has the file reach the disk, which else takes 10 to 25 ms with writers waiting (measured)."""

_PATIENCE_MS = 20
"""How long writers are held up for a reader of what was there before the log; else it begins anew another time."""


class Direct:
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
                if pages > _LONG:
                    for _ in range(_ROUNDS):
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
