"""Whether the database can be written and read now, and the last report of the bot's health."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.outbox.delivery import Delivery
from bot.outbox.health_reports import HEALTH_REPORT
from bot.store.alerts.repository import wait_for_turn
from bot.store.database import Database, Stored
from bot.store.engines import look_into
from bot.store.errors import StoreUnavailable, store_unavailable
from bot.store.outbox.ledger import CardLedger
from bot.store.outbox.queue import enqueue
from bot.store.row_times import to_ms
from bot.store.statements import replace_into
from bot.store.tables import DELIVERY, HEARTBEAT

_SHARE = 50
"""The maximum share of time for checking pages is one part in this many."""

_D = DELIVERY.c
_LAST_REPORT = select(_D.ref).where(_D.kind == HEALTH_REPORT).order_by(_D.changed_ms.desc()).limit(1)


class StoredHeartbeat(Stored):
    """Writes a dummy value, to test writing."""

    def __init__(self, database: Database, ledger: CardLedger | None = None) -> None:
        """``ledger`` records the heartbeat outside the database."""
        super().__init__(database)
        self._ledger = ledger

    async def beat(self, now: datetime) -> None:
        """Write under the lock for changing alerts; raises `StoreUnavailable` on failure."""
        await self._database.run(partial(_beat, to_ms(now)))
        if self._ledger is not None:
            await asyncio.to_thread(self._ledger.try_to, partial(self._ledger.beat, to_ms(now)))


class SqlitePages:
    """Checks the pages of a SQLite file on a connection of its own: a damaged page can break a start or an answer at
    any time, and nothing else reveals it earlier.
    """

    def __init__(self, file: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._monotonic = monotonic
        self._next = 0.0
        self._damage: StoreUnavailable | None = None

    async def check(self) -> None:
        """Check, unless that was done a moment ago; the longer it takes, the less often. Raises `StoreUnavailable`."""
        began = self._monotonic()
        if began >= self._next:
            self._damage = await asyncio.to_thread(self._look)
            ended = self._monotonic()
            self._next = ended + (ended - began) * _SHARE
        if self._damage is not None:
            raise self._damage

    def _look(self) -> StoreUnavailable | None:
        try:
            connection = look_into(self._file)
            try:
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            finally:
                connection.close()
        except sqlite3.Error as error:
            return store_unavailable(error)
        return None if found == "ok" else store_unavailable(damaged(found))


class StoredHealthReports(Stored):
    """Queues health reports."""

    async def last(self) -> str | None:
        return await self._database.read(lambda connection: connection.execute(_LAST_REPORT).scalar())

    async def tell(self, deliveries: Sequence[Delivery]) -> None:
        await self._database.run(lambda connection: enqueue(connection, *deliveries, now=deliveries[0].due_at))


def damaged(found: str) -> sqlite3.DatabaseError:
    """Return SQLite's error for a damaged page, for a problem found by a check."""
    error = sqlite3.DatabaseError(found)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _beat(at: int, connection: Connection) -> None:
    wait_for_turn(connection)
    connection.execute(replace_into(HEARTBEAT, connection.dialect.name), {"id": 1, "at_ms": at})
