"""The inbox table, written in batches: all frames of one moment share a commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
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

GATHER = 0.004
"""Seconds in which frames gather for the next commit while they keep coming: a commit costs as much as fifty rows."""

KEEP = timedelta(hours=1)
"""How long answered questions are known, so that a late redelivery is not answered again (seen after 60 s)."""


@dataclass(slots=True)
class _Batch:
    letters: dict[str, Letter] = field(default_factory=dict)
    marks: dict[str, InboxState] = field(default_factory=dict)
    waiters: list[asyncio.Future[frozenset[str]]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.letters) + len(self.marks)


class StoredInbox:
    """Implements `bot.chat.inbox.Inbox`. `run` must be running for anything to be written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batches: deque[_Batch] = deque([_Batch()])
        self._wake = asyncio.Event()

    async def accept(self, letter: Letter) -> bool:
        """Return, after the commit, whether the question is new; raises `StoreUnavailable`."""
        batch = self._open_batch()
        if letter.msg_id in batch.letters:
            await self._committed(batch)
            return False
        batch.letters[letter.msg_id] = letter
        return letter.msg_id in await self._committed(batch)

    async def mark(self, msg_id: str, state: InboxState) -> None:
        """Return after the commit of the new state."""
        batch = self._open_batch()
        batch.marks[msg_id] = state
        await self._committed(batch)

    def mark_soon(self, msg_id: str, state: InboxState) -> None:
        """Let the new state be committed with the next batch."""
        self._open_batch().marks[msg_id] = state
        self._wake.set()

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
        """Write batch after batch until cancelled; what is still waiting then is written last."""
        try:
            while True:
                await self._wake.wait()
                await self._write_all()
        finally:
            await self._write_all()

    async def _write_all(self) -> None:
        while any(self._batches):
            self._wake.clear()
            batch = self._batches.popleft()
            if not self._batches:
                self._batches.append(_Batch())
            await self._write(batch)
            if any(self._batches):
                await asyncio.sleep(GATHER)

    async def _write(self, batch: _Batch) -> None:
        try:
            new = await self._stored(batch)
        except StoreUnavailable as error:
            # Whoever waits gets the error: no ACK, so DingTalk sends the question again. A lost mark costs at most a
            # second try of the same card, which DingTalk recognises by its id.
            log.error("inbox.not_written", rows=len(batch), error=error.detail)
            for waiter in batch.waiters:
                if not waiter.done():
                    waiter.set_exception(StoreUnavailable(error.detail))
        else:
            for waiter in batch.waiters:
                if not waiter.done():
                    waiter.set_result(new)

    async def _stored(self, batch: _Batch) -> frozenset[str]:
        try:
            return await self._database.run(partial(_store, batch, insert_letters))
        except SomeKnown:
            return await self._database.run(partial(_store, batch, insert_unknown_letters))

    def _open_batch(self) -> _Batch:
        if len(self._batches[-1]) >= BATCH:
            self._batches.append(_Batch())
        return self._batches[-1]

    async def _committed(self, batch: _Batch) -> frozenset[str]:
        waiter: asyncio.Future[frozenset[str]] = asyncio.get_running_loop().create_future()
        batch.waiters.append(waiter)
        self._wake.set()
        return await waiter


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
