"""The inbox table, written in batches: all frames of one moment share a commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Generic, TypeVar

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from bot.chat.inbox import InboxState, Letter
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.inbox_sql import SomeKnown, inserting, inserting_unknown, marking, milliseconds
from bot.store.tables import INBOX

log = structlog.get_logger(__name__)

BATCH = 500
"""Rows per commit: bounds the time for which one commit holds the others up."""

GATHER = 0.001
"""Seconds in which frames gather for the next commit while they keep coming: each one stops the event loop thrice."""

MARK_WITHIN = 0.05
"""Seconds in which marks that nobody waits for gather: a crash makes them harmless, so they need no commit each."""

KEEP = timedelta(hours=1)
"""How long answered questions are known, so that a late redelivery is not answered again (seen after 60 s)."""

Row = TypeVar("Row")
Told = TypeVar("Told")


@dataclass(slots=True)
class _Batch(Generic[Row, Told]):
    """What one statement writes, by message id, and who waits for it."""

    rows: dict[str, Row] = field(default_factory=dict)
    waiters: list[asyncio.Future[Told]] = field(default_factory=list)

    def settle(self, told: Told) -> None:
        """Tell those who wait."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(told)

    def fail(self, error: StoreUnavailable) -> None:
        """Tell those who wait that nothing was stored.

        No ACK then, so DingTalk sends the question again. A lost mark costs at most a second try of the same card,
        which DingTalk recognises by its id.
        """
        log.error("inbox.not_written", rows=len(self.rows), error=error.detail)
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(StoreUnavailable(error.detail))


class StoredInbox:
    """Implements `bot.chat.inbox.Inbox`. `run` must be running: it ends the writing, and reports a defect in it.

    Letters, and marks beside them, are written one batch after the other; what comes meanwhile is the next batch. Jobs
    are handed to the database's thread and come back by callbacks: a task would go through the busy event loop twice
    more for each batch, and ACKs would wait for that.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._letters: deque[_Batch[Letter, frozenset[str]]] = deque([_Batch()])
        self._marks: _Batch[InboxState, None] = _Batch()
        self._inserting = False
        self._marking = False
        self._in_doubt: set[str] = set()
        """Questions marked as falling back: a crash gives them up, so what becomes of them is written at once."""
        self._hurry = False
        self._later: asyncio.TimerHandle | None = None
        self._died: asyncio.Future[None] | None = None

    async def accept(self, letter: Letter) -> bool:
        """Return, after the commit, whether the question is new; raises `StoreUnavailable`."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[frozenset[str]] = loop.create_future()
        batch = self._letters[-1]
        if len(batch.rows) >= BATCH:
            self._letters.append(batch := _Batch())
        twin = letter.msg_id in batch.rows
        if not twin:
            batch.rows[letter.msg_id] = letter
        batch.waiters.append(waiter)
        if not self._inserting:
            self._inserting = True
            self._insert(loop)
        return letter.msg_id in await waiter and not twin

    async def mark(self, msg_id: str, state: InboxState) -> None:
        """Return after the commit of the new state."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._marks.rows[msg_id] = state
        self._marks.waiters.append(waiter)
        if state is InboxState.FALLING_BACK:
            self._in_doubt.add(msg_id)
        self._mark(loop)
        await waiter

    def mark_soon(self, msg_id: str, state: InboxState) -> None:
        """Let the new state be committed within `MARK_WITHIN`; at once where a crash would leave it in doubt."""
        self._marks.rows[msg_id] = state
        if msg_id in self._in_doubt:
            self._in_doubt.remove(msg_id)
            self._hurry = True
            self._mark(asyncio.get_running_loop())
        elif self._later is None:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(MARK_WITHIN, self._mark, loop)

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
        loop = asyncio.get_running_loop()
        self._died = loop.create_future()
        try:
            await self._died
        except asyncio.CancelledError:
            with suppress(StoreUnavailable):  # logged already
                await self._all_written(loop)
            raise

    async def _all_written(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._inserting:
            written: asyncio.Future[frozenset[str]] = loop.create_future()
            self._letters[-1].waiters.append(written)
            with suppress(StoreUnavailable):
                await written
        if self._marks.rows or self._marking:
            marked: asyncio.Future[None] = loop.create_future()
            self._marks.waiters.append(marked)
            self._mark(loop)
            await marked

    def _insert(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write the next letters."""
        batch = self._letters.popleft()
        if not self._letters:
            self._letters.append(_Batch())
        self._hand_over(loop, inserting(self._database, batch.rows), self._inserted, batch)

    def _inserted(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: _Batch[Letter, frozenset[str]],
        job: Future[frozenset[str]],
    ) -> None:
        try:
            batch.settle(job.result())
        except SomeKnown:
            self._hand_over(loop, inserting_unknown(self._database, batch.rows), self._inserted, batch)
            return
        except StoreUnavailable as error:
            batch.fail(error)
        if len(self._letters) > 1:
            self._insert(loop)
        elif self._letters[0].waiters:
            loop.call_later(GATHER, self._insert, loop)
        else:
            self._inserting = False

    def _mark(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write the marks that there are; those that come meanwhile follow."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._marking:
            return
        self._marking, self._hurry = True, False
        batch, self._marks = self._marks, _Batch()
        self._hand_over(loop, marking(self._database, batch.rows), self._marked, batch)

    def _marked(self, loop: asyncio.AbstractEventLoop, batch: _Batch[InboxState, None], job: Future[None]) -> None:
        self._marking = False
        try:
            batch.settle(job.result())
        except StoreUnavailable as error:
            batch.fail(error)
        if self._marks.waiters or self._hurry:
            self._mark(loop)
        elif self._marks.rows and self._later is None:
            self._later = loop.call_later(MARK_WITHIN, self._mark, loop)

    def _hand_over(
        self,
        loop: asyncio.AbstractEventLoop,
        job: Callable[[], Told],
        back: Callable[[asyncio.AbstractEventLoop, _Batch[Row, Told], Future[Told]], None],
        batch: _Batch[Row, Told],
    ) -> None:
        """Let ``job`` run in the database's thread, and ``back`` in the event loop when it has."""

        def come_back(done: Future[Told]) -> None:
            try:
                back(loop, batch, done)
            except Exception as defect:  # noqa: BLE001 - whatever it is, `run` raises it
                if self._died is not None and not self._died.done():
                    self._died.set_exception(defect)

        self._database.start(job).add_done_callback(lambda done: loop.call_soon_threadsafe(come_back, done))


def _take_stock(since_ms: int, connection: Connection) -> tuple[Letter, ...]:
    waiting = INBOX.c.state == InboxState.WAITING
    stranded = INBOX.c.state == InboxState.FALLING_BACK
    too_old = waiting & (INBOX.c.received_ms < since_ms)
    given_up = connection.execute(update(INBOX).where(too_old | stranded).values(state=InboxState.FAILED, payload=""))
    if given_up.rowcount:
        log.warning("inbox.given_up", questions=given_up.rowcount)
    rows = connection.execute(select(INBOX).where(waiting).order_by(INBOX.c.received_ms))
    return tuple(Letter(row.msg_id, row.payload, datetime.fromtimestamp(row.received_ms / 1000, UTC)) for row in rows)
