"""The inbox table, written in batches: all frames of one moment share a commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Generic, TypeAlias, TypeVar

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

GATHER = 0.004
"""Seconds in which frames gather for the next commit while they keep coming.

Each commit takes the interpreter from the event loop three times, for as long as an answer takes half of (measured).
"""

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

    def __bool__(self) -> bool:
        return bool(self.rows or self.waiters)

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


_Letters: TypeAlias = _Batch[Letter, frozenset[str]]
_Marks: TypeAlias = _Batch[InboxState, None]


class StoredInbox:
    """Implements `bot.chat.inbox.Inbox`. `run` must be running: it ends the writing, and reports a defect in it.

    One job at a time is in the database's thread, which does there nothing but its statements: whatever Python a
    second thread runs, the event loop stands still for it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._letters: deque[_Letters] = deque([_Batch()])
        self._marks: _Marks = _Batch()
        self._marks_due = False
        self._writing = False
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
        self._write_soon(loop)
        return letter.msg_id in await waiter and not twin

    async def mark(self, msg_id: str, state: InboxState) -> None:
        """Return after the commit of the new state."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._marks.rows[msg_id] = state
        self._marks.waiters.append(waiter)
        self._write_marks(loop)
        await waiter

    def mark_soon(self, msg_id: str, state: InboxState) -> None:
        """Let the new state be committed within `MARK_WITHIN`."""
        self._marks.rows[msg_id] = state
        if self._later is None:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(MARK_WITHIN, self._write_marks, loop)

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
            letters, marks = loop.create_future(), loop.create_future()
            self._letters[-1].waiters.append(letters)
            self._marks.waiters.append(marks)
            self._write_marks(loop)
            for waiter in (letters, marks):
                with suppress(StoreUnavailable):  # logged already
                    await waiter
            raise

    def _write_marks(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._marks_due = True
        self._write_soon(loop)

    def _write_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._writing:
            self._writing = True
            self._write(loop)

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand what is due to the database's thread."""
        jobs: list[Callable[[], Callable[[], None]]] = []
        letters = self._letters.popleft()
        if not self._letters:
            self._letters.append(_Batch())
        if letters:
            jobs.append(partial(_outcome, letters, partial(self._insert, letters.rows)))
        if self._marks_due:
            marks, self._marks, self._marks_due = self._marks, _Batch(), False
            jobs.append(partial(_outcome, marks, partial(self._mark, marks.rows)))
        self._database.start(partial(self._do, loop, jobs))

    def _do(self, loop: asyncio.AbstractEventLoop, jobs: Sequence[Callable[[], Callable[[], None]]]) -> None:
        """Write, in the database's thread."""
        try:
            told = [job() for job in jobs]
        except Exception as defect:  # noqa: BLE001 - whatever it is, `run` raises it
            loop.call_soon_threadsafe(self._die, defect)
        else:
            loop.call_soon_threadsafe(self._written, loop, told)

    def _written(self, loop: asyncio.AbstractEventLoop, told: Sequence[Callable[[], None]]) -> None:
        """Tell those who waited, and go on with what has come meanwhile."""
        for tell in told:
            tell()
        if len(self._letters) > 1:
            self._write(loop)
        elif self._letters[0]:
            loop.call_later(GATHER, self._write, loop)
        elif self._marks_due:
            self._write(loop)
        else:
            self._writing = False

    def _die(self, defect: Exception) -> None:
        if self._died is not None and not self._died.done():
            self._died.set_exception(defect)

    def _insert(self, letters: Mapping[str, Letter]) -> frozenset[str]:
        if not letters:
            return frozenset()
        try:
            return self._database.state(partial(insert_letters, letters=letters))
        except SomeKnown:
            return self._database.transact(partial(insert_unknown_letters, letters=letters))

    def _mark(self, marks: Mapping[str, InboxState]) -> None:
        if marks:
            self._database.transact(partial(mark, marks=marks))


def _outcome(batch: _Batch[Row, Told], store: Callable[[], Told]) -> Callable[[], None]:
    """Write a batch and return what tells those who wait."""
    try:
        return partial(batch.settle, store())
    except StoreUnavailable as error:
        return partial(batch.fail, error)


def _take_stock(since_ms: int, connection: Connection) -> tuple[Letter, ...]:
    waiting = INBOX.c.state == InboxState.WAITING
    stranded = INBOX.c.state == InboxState.FALLING_BACK
    too_old = waiting & (INBOX.c.received_ms < since_ms)
    given_up = connection.execute(update(INBOX).where(too_old | stranded).values(state=InboxState.FAILED, payload=""))
    if given_up.rowcount:
        log.warning("inbox.given_up", questions=given_up.rowcount)
    rows = connection.execute(select(INBOX).where(waiting).order_by(INBOX.c.received_ms))
    return tuple(Letter(row.msg_id, row.payload, datetime.fromtimestamp(row.received_ms / 1000, UTC)) for row in rows)
