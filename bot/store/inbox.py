"""The inbox table, written in batches: all frames of one moment share a commit."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import ReturningInsert, Update

from bot.chat.inbox import InboxState, Letter
from bot.store.errors import StoreUnavailable
from bot.store.tables import INBOX
from bot.store.upsert import insert_into

log = structlog.get_logger(__name__)

BATCH = 500
"""Rows per commit: bounds the time for which one commit holds the others up."""

KEEP = timedelta(hours=1)
"""How long answered questions are known, so that a late redelivery is not answered again (seen after 60 s)."""


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@dataclass(slots=True)
class _Batch:
    letters: dict[str, Letter] = field(default_factory=dict)
    marks: dict[str, InboxState] = field(default_factory=dict)
    waiters: list[asyncio.Future[frozenset[str]]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.letters) + len(self.marks)


class StoredInbox:
    """Implements `bot.chat.inbox.Inbox`. `run` must be running for anything to be written."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._insert = _insert_new(engine.dialect.name)
        self._update = _update_state()
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
        """Return what still waits, oldest first, and give up (as failed) what came before ``since``."""
        waiting = INBOX.c.state == InboxState.WAITING
        stranded = INBOX.c.state == InboxState.FALLING_BACK
        too_old = waiting & (INBOX.c.received_ms < _milliseconds(since))
        async with self._engine.begin() as connection:
            await connection.execute(
                update(INBOX).where(too_old | stranded).values(state=InboxState.FAILED, payload="")
            )
            rows = await connection.execute(select(INBOX).where(waiting).order_by(INBOX.c.received_ms))
            return tuple(
                Letter(row.msg_id, row.payload, datetime.fromtimestamp(row.received_ms / 1000, UTC)) for row in rows
            )

    async def prune(self, now: datetime) -> None:
        """Forget what was received longer ago than `KEEP`."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(INBOX).where(INBOX.c.received_ms < _milliseconds(now - KEEP)))

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

    async def _write(self, batch: _Batch) -> None:
        try:
            async with self._engine.begin() as connection:
                new = await self._insert_letters(connection, batch)
                if batch.marks:
                    marks = [{"id": msg_id, "new_state": state} for msg_id, state in batch.marks.items()]
                    await connection.execute(self._update, marks)
        except (SQLAlchemyError, OSError) as error:
            # Whoever waits gets the error: no ACK, so DingTalk sends the question again. A lost mark costs at most a
            # second try of the same card, which DingTalk recognises by its id.
            log.error("inbox.not_written", rows=len(batch), error=type(error).__name__)
            for waiter in batch.waiters:
                if not waiter.done():
                    waiter.set_exception(StoreUnavailable(type(error).__name__))
        else:
            for waiter in batch.waiters:
                if not waiter.done():
                    waiter.set_result(new)

    async def _insert_letters(self, connection: AsyncConnection, batch: _Batch) -> frozenset[str]:
        if not batch.letters:
            return frozenset()
        rows = [
            {
                "msg_id": letter.msg_id,
                "state": InboxState.WAITING,
                "received_ms": _milliseconds(letter.received_at),
                "payload": letter.payload,
            }
            for letter in batch.letters.values()
        ]
        result = await connection.execute(self._insert, rows)
        return frozenset(result.scalars())

    def _open_batch(self) -> _Batch:
        if len(self._batches[-1]) >= BATCH:
            self._batches.append(_Batch())
        return self._batches[-1]

    async def _committed(self, batch: _Batch) -> frozenset[str]:
        waiter: asyncio.Future[frozenset[str]] = asyncio.get_running_loop().create_future()
        batch.waiters.append(waiter)
        self._wake.set()
        return await waiter


def _insert_new(dialect: str) -> ReturningInsert[str]:
    return insert_into(INBOX, dialect).on_conflict_do_nothing(index_elements=["msg_id"]).returning(INBOX.c.msg_id)


def _update_state() -> Update:
    # The reply address in the payload is a secret and is not kept longer than needed; FALLING_BACK is never read again.
    return update(INBOX).where(INBOX.c.msg_id == bindparam("id")).values(state=bindparam("new_state"), payload="")
