"""Skips work of Tryton that clients cannot observe, and keeps its day. Runs in Tryton's own environment.

The server's configuration names `KeptConnections` as a mixin of Tryton's ``Database``; the rest is applied on import.
"""

from __future__ import annotations

import datetime as dt
import gc
import logging
import os
import sqlite3
from collections import defaultdict
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar
from weakref import WeakSet

from pwdlib.hashers.argon2 import Argon2Hasher
from trytond.backend.sqlite import database as backend


class LentConnection(backend.SQLiteConnection):  # type: ignore[misc]
    """A connection that threads use one after another."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options, check_same_thread=False)
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()

    def cursor(self, **options: Any) -> Any:
        cursor = super().cursor(**options)
        self._cursors.add(cursor)
        return cursor

    def rest(self) -> None:
        """End open statements: a row not read yet would keep the connection in the past."""
        for cursor in self._cursors:
            cursor.close()
        self.rollback()


class KeptConnections:
    """A database that reuses connections instead of closing them.

    Tryton itself does so for PostgreSQL. For SQLite it opens one per transaction, several in a request, and each reads
    the structure of all tables first: a third of the server's work.
    """

    name: str
    _conn: Any
    _left: ClassVar[dict[str, list[LentConnection]]] = defaultdict(list)

    def connect(self) -> Any:
        stop_the_calendar()
        if self._conn is None:
            with suppress(IndexError):
                self._conn = self._left[self.name].pop()
                return self
        return super().connect()  # type: ignore[misc]

    def __del__(self) -> None:
        if self._conn is not None:
            self._conn.rest()
            self._left[self.name].append(self._conn)


def _hash_quickly() -> None:
    """Skip the twentieth of a second that each login takes: these passwords are public."""
    *costs, length, salt, kind = Argon2Hasher.__init__.__defaults__ or ()
    assert len(costs) == 3
    Argon2Hasher.__init__.__defaults__ = (1, 8, 1, length, salt, kind)


@cache
def stop_the_calendar() -> None:
    """Let the day of the data stay the server's today, so that a run over midnight finds the same forecasts.

    It waits for the first connection, because Tryton's models need the backend to be imported.
    """
    day = os.environ.get("TRYTON_TODAY")
    if day is None:
        return
    from trytond.ir.date import Date

    today = dt.date.fromisoformat(day)
    Date.today = staticmethod(lambda timezone=None: today)


backend.SQLiteConnection = LentConnection
# The classes of the models and the caches are no garbage, and looking through them takes longer than most requests.
gc.set_threshold(100_000)
_hash_quickly()
logging.getLogger("werkzeug").setLevel(logging.WARNING)
