"""A connection to SQLite with nothing between: for a statement that comes all the time.

While a thread of the database runs Python, the event loop stands still. SQLAlchemy's part in a small commit is as long
as SQLite's own (measured), and only SQLite's leaves the interpreter to others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from bot.store.errors import StoreUnavailable


class Direct:
    """Runs single statements, each of them a transaction of its own, in the database's one thread."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None

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

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
