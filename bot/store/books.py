"""Opens the ledger: one transaction each, and among all processes one at a time.

Whoever changes an alert has read it before, so two at a time would overwrite each other's changes: on PostgreSQL an
advisory lock of the transaction keeps them apart, SQLite has one process with one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import delete, or_, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError

from bot.alerts.intake.kept import StoredEvent
from bot.alerts.ledger import Ledger
from bot.alerts.running import Book
from bot.store.alert_rows import milliseconds
from bot.store.alerts import StoredLedger
from bot.store.database import Database
from bot.store.events import mark_done, mark_rejected, take_waiting
from bot.store.tables import ALERT, ALERT_CARD, ALERT_CARD_MEMBER, ALERT_NOTE, MUTE

T = TypeVar("T")

KEEP = timedelta(days=90)
"""How long alerts that are over, their cards and the story are known."""
PRUNED_AT_ONCE = 2_000
"""Rows per transaction: others want to write in between."""

_LOCK = 0x616C6572
_TRY = text("SELECT pg_try_advisory_xact_lock(:lock)")
_WAIT = text("SELECT pg_advisory_xact_lock(:lock)")


class Unstorable(Exception):
    """The database is there and refuses a value: a defect of ours, which trying again does not mend."""


class StoredBook(StoredLedger):
    """Implements `bot.alerts.running.Book`."""

    def waiting(self, limit: int) -> Sequence[StoredEvent]:
        """Return the waiting events that came first, in their order."""
        return take_waiting(self._connection, limit)

    def done(self, seqs: Sequence[int]) -> None:
        """Mark events as worked on."""
        mark_done(self._connection, seqs)

    def reject(self, seq: int, reason: str) -> None:
        """Set an event aside with the reason."""
        mark_rejected(self._connection, {seq: reason})


class StoredBooks:
    """Implements `bot.alerts.noticeboard.Books` and `bot.alerts.running.DeskBooks`."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def within(self, work: Callable[[Ledger], T]) -> T:
        """Return what ``work`` returns, after the commit; waits for whoever is at it. Raises `StoreUnavailable`."""
        return await self._database.run(partial(self._wait_and_work, work))

    async def turn(self, work: Callable[[Book], T]) -> T | None:
        """Return what ``work`` returns, after the commit; None if another process is at it."""
        return await self._database.run(partial(self._try_and_work, work))

    async def prune(self, now: datetime) -> None:
        """Forget what was over `KEEP` ago; what is open is never forgotten."""
        before = milliseconds(now - KEEP)
        for forget in (_forget_alerts, _forget_cards, _forget_notes, _forget_mutes):
            while await self._database.run(partial(forget, before)):
                pass

    def _wait_and_work(self, work: Callable[[Book], T], connection: Connection) -> T:
        if connection.dialect.name == "postgresql":
            connection.execute(_WAIT, {"lock": _LOCK})
        return self._work(work, connection)

    def _try_and_work(self, work: Callable[[Book], T], connection: Connection) -> T | None:
        if connection.dialect.name == "postgresql" and not connection.scalar(_TRY, {"lock": _LOCK}):
            return None
        return self._work(work, connection)

    def _work(self, work: Callable[[Book], T], connection: Connection) -> T:
        book = StoredBook(connection, self._now())
        try:
            result = work(book)
            book.flush()
        except (DataError, IntegrityError) as error:
            raise Unstorable(type(error).__name__) from error
        return result


def _forget_alerts(before: int, connection: Connection) -> int:
    old = select(ALERT.c.number).where(ALERT.c.state != "open", ALERT.c.last_ms < before).limit(PRUNED_AT_ONCE)
    return connection.execute(delete(ALERT).where(ALERT.c.number.in_(old))).rowcount


def _forget_cards(before: int, connection: Connection) -> int:
    long_ago = or_(ALERT_CARD.c.changed_ms < before, ALERT_CARD.c.changed_ms.is_(None))
    old = select(ALERT_CARD.c.id).where(ALERT_CARD.c.state == "closed", long_ago, ALERT_CARD.c.opened_ms < before)
    some = connection.execute(old.limit(PRUNED_AT_ONCE)).scalars().all()
    for start in range(0, len(some), 500):
        ids = some[start : start + 500]
        connection.execute(delete(ALERT_CARD_MEMBER).where(ALERT_CARD_MEMBER.c.card.in_(ids)))
        connection.execute(delete(ALERT_CARD).where(ALERT_CARD.c.id.in_(ids)))
    return len(some)


def _forget_notes(before: int, connection: Connection) -> int:
    old = select(ALERT_NOTE.c.number).where(ALERT_NOTE.c.at_ms < before).limit(PRUNED_AT_ONCE)
    return connection.execute(delete(ALERT_NOTE).where(ALERT_NOTE.c.number.in_(old))).rowcount


def _forget_mutes(before: int, connection: Connection) -> int:
    return connection.execute(delete(MUTE).where(MUTE.c.until_ms < before)).rowcount
