"""The inbox table, written in batches: all frames of one moment share a commit."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from bot.chat.inbox import InboxState, Letter
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.inbox_sql import SomeKnown, insert_letters, insert_unknown_letters, mark, milliseconds
from bot.store.tables import INBOX

log = structlog.get_logger(__name__)

BATCH = 500
"""Rows per commit: bounds the time for which one commit holds the others up."""

GATHER = 0.002
"""Seconds in which frames gather for the next commit while they keep coming: a commit costs as much as twenty rows."""

KEEP = timedelta(hours=1)
"""How long answered questions are known, so that a late redelivery is not answered again (seen after 60 s)."""


@dataclass(slots=True)
class _Batch:
    letters: dict[str, Letter] = field(default_factory=dict)
    marks: dict[str, InboxState] = field(default_factory=dict)
    waiters: list[asyncio.Future[frozenset[str]]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.letters) + len(self.marks)

    def settle(self, new: frozenset[str]) -> None:
        """Tell those who wait which letters were new."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(new)

    def fail(self, error: StoreUnavailable) -> None:
        """Tell those who wait that nothing was stored.

        No ACK then, so DingTalk sends the question again. A lost mark costs at most a second try of the same card,
        which DingTalk recognises by its id.
        """
        log.error("inbox.not_written", rows=len(self), error=error.detail)
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(StoreUnavailable(error.detail))


class StoredInbox:
    """Implements `bot.chat.inbox.Inbox`. `run` must be running: it ends the writing, and reports a defect in it.

    Batches are handed over in the database's own thread, not by a task: a task would go
    through the busy event loop three times more for each batch, and ACKs would wait for that.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        """Guards the next two; held for a few instructions only."""
        self._batches: deque[_Batch] = deque([_Batch()])
        self._writing = False
        self._later: asyncio.TimerHandle | None = None
        self._died: asyncio.Future[None] | None = None

    async def accept(self, letter: Letter) -> bool:
        """Return, after the commit, whether the question is new; raises `StoreUnavailable`."""
        waiter: asyncio.Future[frozenset[str]] = asyncio.get_running_loop().create_future()
        with self._lock:
            batch = self._open_batch()
            twin = letter.msg_id in batch.letters
            if not twin:
                batch.letters[letter.msg_id] = letter
            batch.waiters.append(waiter)
        self._write_soon()
        return letter.msg_id in await waiter and not twin

    async def mark(self, msg_id: str, state: InboxState) -> None:
        """Return after the commit of the new state."""
        waiter: asyncio.Future[frozenset[str]] = asyncio.get_running_loop().create_future()
        with self._lock:
            batch = self._open_batch()
            batch.marks[msg_id] = state
            batch.waiters.append(waiter)
        self._write_soon()
        await waiter

    def mark_soon(self, msg_id: str, state: InboxState) -> None:
        """Let the new state be committed with the next batch."""
        with self._lock:
            self._open_batch().marks[msg_id] = state
        if self._later is None:  # nobody waits for a mark: it may go with the next letters
            self._later = asyncio.get_running_loop().call_later(GATHER, self._write_marks)

    async def unanswered(self, since: datetime) -> tuple[Letter, ...]:
        """Return what still waits, oldest first, and give up (as failed) what came before ``since``.

        Given up are also questions whose text may have arrived; the log says how many.
        """
        return await self._database.run(partial(_take_stock, milliseconds(since)))

    async def prune(self, now: datetime) -> None:
        """Forget what was received longer ago than `KEEP`."""
        old = delete(INBOX).where(INBOX.c.received_ms < milliseconds(now - KEEP))
        await self._database.run(lambda connection: connection.execute(old))

    async def run(self) -> None:
        """Wait until cancelled; what is still to be written then is written first. Raises a defect in the writing."""
        self._died = asyncio.get_running_loop().create_future()
        try:
            await self._died
        except asyncio.CancelledError:
            waiter: asyncio.Future[frozenset[str]] = asyncio.get_running_loop().create_future()
            with self._lock:
                self._batches[-1].waiters.append(waiter)
            self._write_soon()
            with suppress(StoreUnavailable):  # logged already
                await waiter
            raise

    def _open_batch(self) -> _Batch:
        if len(self._batches[-1]) >= BATCH:
            self._batches.append(_Batch())
        return self._batches[-1]

    def _write_marks(self) -> None:
        self._later = None
        self._write_soon()

    def _write_soon(self) -> None:
        with self._lock:
            if self._writing or not self._any():
                return
            self._writing = True
        self._database.start(partial(self._write, asyncio.get_running_loop()))

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write one batch, in the database's thread, and come back for the next one if there is one."""
        with self._lock:
            batch = self._batches.popleft()
            if not self._batches:
                self._batches.append(_Batch())
        try:
            loop.call_soon_threadsafe(batch.settle, self._stored(batch))
        except StoreUnavailable as error:
            loop.call_soon_threadsafe(batch.fail, error)
        except Exception as defect:  # noqa: BLE001 - whatever it is, `run` raises it
            loop.call_soon_threadsafe(self._die, defect)
            return
        if self._batches[0]:
            time.sleep(GATHER)
        with self._lock:
            self._writing = self._any()
        if self._writing:
            self._database.start(partial(self._write, loop))

    def _any(self) -> bool:
        return any(one or one.waiters for one in self._batches)

    def _die(self, defect: Exception) -> None:
        if self._died is not None and not self._died.done():
            self._died.set_exception(defect)

    def _stored(self, batch: _Batch) -> frozenset[str]:
        try:
            return self._database.transact(partial(_store, batch, insert_letters))
        except SomeKnown:
            return self._database.transact(partial(_store, batch, insert_unknown_letters))


def _store(
    batch: _Batch, insert: Callable[[Connection, Mapping[str, Letter]], frozenset[str]], connection: Connection
) -> frozenset[str]:
    """Write a batch and return the ids of the questions that are new."""
    new = insert(connection, batch.letters) if batch.letters else frozenset[str]()
    if batch.marks:
        mark(connection, batch.marks)
    return new


def _take_stock(since_ms: int, connection: Connection) -> tuple[Letter, ...]:
    waiting = INBOX.c.state == InboxState.WAITING
    stranded = INBOX.c.state == InboxState.FALLING_BACK
    too_old = waiting & (INBOX.c.received_ms < since_ms)
    given_up = connection.execute(update(INBOX).where(too_old | stranded).values(state=InboxState.FAILED, payload=""))
    if given_up.rowcount:
        log.warning("inbox.given_up", questions=given_up.rowcount)
    rows = connection.execute(select(INBOX).where(waiting).order_by(INBOX.c.received_ms))
    return tuple(Letter(row.msg_id, row.payload, datetime.fromtimestamp(row.received_ms / 1000, UTC)) for row in rows)
