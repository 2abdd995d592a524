"""The inbox table, written in batches: all frames of one moment share a commit, and a batch is one statement."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import orjson
import structlog
from sqlalchemy import ColumnElement, delete, exists, select, true, update
from sqlalchemy.engine import Connection

from bot.chat.answers.ports import InboxMessage, InboxState, OnStored
from bot.mechanisms.batching import Batcher
from bot.store.database import Database, Stored
from bot.store.engines import SqliteConnection
from bot.store.errors import StoreUnavailable
from bot.store.replicas import DATABASE_US, living_replicas
from bot.store.row_times import from_ms, to_ms
from bot.store.sealed_columns import seal
from bot.store.statements import insert_into
from bot.store.tables import INBOX
from bot.store.unreadable_rows import read_readable
from bot.words.errors import DingerpError
from bot.words.phrase import phrase

_SETTLED = frozenset({InboxState.ANSWERED, InboxState.FAILED})

_INSERT = (
    "INSERT INTO inbox (msg_id, state, received_ms, payload) SELECT json_extract(value, '$[0]'), ?, "
    "json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)"
)
# Each state with whether it is settled: settled questions lose their payload.
_MARK = (
    "UPDATE inbox SET state = json_extract(mark.value, '$[0]'), "
    "payload = CASE json_extract(mark.value, '$[1]') WHEN 1 THEN '' ELSE payload END "
    "FROM json_each(?) AS mark WHERE msg_id = mark.key"
)


def insert_job(
    database: Database, messages: Mapping[str, InboxMessage], replica: str | None = None
) -> Callable[[], frozenset[str]]:
    """Return the job that stores the new ones among the messages and returns their ids."""
    one_by_one = partial(database.read_blocking, partial(insert_new, messages=messages, replica=replica))
    if database.sqlite is None:
        return one_by_one
    return partial(_insert_directly, database, database.sqlite, messages, one_by_one)


def mark_job(database: Database, marks: Mapping[str, InboxState], replica: str | None = None) -> Callable[[], None]:
    """Return the job that sets states; settled questions lose their payload with the secret reply address.

    A question that another ``replica`` has taken over stays as it is.
    """
    if database.sqlite is None:
        return partial(database.run_blocking, partial(_mark_all, marks=marks, replica=replica))
    states = {msg_id: (state.value, state in _SETTLED) for msg_id, state in marks.items()}
    return partial(database.sqlite.execute, _MARK, (orjson.dumps(states).decode(),))


def _insert_directly(
    database: Database,
    direct: SqliteConnection,
    messages: Mapping[str, InboxMessage],
    one_by_one: Callable[[], frozenset[str]],
) -> frozenset[str]:
    database.ensure_unlocked()
    rows = [
        (message.msg_id, to_ms(message.received_at), seal(INBOX.c.payload, message.payload, database.keys.ring))
        for message in messages.values()
    ]
    try:
        direct.execute(_INSERT, (InboxState.WAITING.value, orjson.dumps(rows).decode()))
    except sqlite3.IntegrityError:
        return one_by_one()  # some are stored already, so the statement stored none
    return frozenset(messages)


def _mark_all(connection: Connection, marks: Mapping[str, InboxState], replica: str | None) -> None:
    mine = true() if replica is None else INBOX.c.replica == replica
    by_state: dict[InboxState, list[str]] = {}
    for msg_id, state in marks.items():
        by_state.setdefault(state, []).append(msg_id)
    for state, ids in by_state.items():
        emptied = {"payload": ""} if state in _SETTLED else {}
        connection.execute(update(INBOX).where(INBOX.c.msg_id.in_(ids), mine).values(state=state, **emptied))


def insert_new(connection: Connection, messages: Mapping[str, InboxMessage], replica: str | None) -> frozenset[str]:
    """Store the new ones among the messages for a ``replica``, None for a bot that is alone; return their ids."""
    if not messages:
        return frozenset()
    insert = insert_into(INBOX, connection.dialect.name).on_conflict_do_nothing(index_elements=["msg_id"])
    rows = [
        {
            "msg_id": message.msg_id,
            "state": InboxState.WAITING,
            "received_ms": to_ms(message.received_at),
            "payload": message.payload,
            "replica": replica,
            "conversation": message.conversation if replica else None,
        }
        for message in messages.values()
    ]
    if replica:
        insert = insert.values(arrived_us=DATABASE_US)
    return frozenset(connection.execute(insert.returning(INBOX.c.msg_id), rows).scalars())


log = structlog.get_logger(__name__)

BATCH = 500
"""Rows per commit, so that no commit delays the others for long."""

MARK_DELAY = 0.05
"""Seconds in which marks without waiters gather: losing one to a crash is harmless."""

TURN_PAUSE = 0.02
"""Seconds until a replica looks again whether another one has answered an earlier question, and until that says so;
each further pause is twice as long."""
LONGEST_TURN_PAUSE = 0.3
LONGEST_TURN = 30.0
"""Seconds for which a question waits for an earlier one at another replica."""

RETENTION = timedelta(hours=1)
"""The retention of answered questions, so that a late redelivery (60 s were seen) is not answered again."""


class _Turn(NamedTuple):
    """The replica that has a question, None if it is settled for long; ``waits`` if another has an earlier one."""

    holder: str | None
    waits: bool

    def is_taken_by_others(self, replica: str | None) -> bool:
        """Return whether another replica has taken it over."""
        return self.holder not in (None, replica)


_GONE = _Turn(None, waits=False)


class _Accepted(NamedTuple):
    message: InboxMessage
    on_stored: OnStored


@dataclass(slots=True)
class _Marks:
    """States to be written, by message id, and the calls waiting for that."""

    states: dict[str, InboxState] = field(default_factory=dict)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)

    def settle(self) -> None:
        """Release the waiting calls."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)

    def fail(self, error: StoreUnavailable) -> None:
        """Release the waiting calls with an error: nothing was stored.

        A lost mark costs at most a second attempt at the same card, which DingTalk recognises by its id.
        """
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(StoreUnavailable(error.explain()))


class StoredInbox(Stored):
    """The inbox of questions.

    `run` must be running: it finishes the writing at the end and raises defects.

    Batches are written one after another. The first holds the messages from before `flush`, or from one turn of the
    event loop; the next holds those that arrived while the first was written. Marks have batches of their own.
    """

    def __init__(self, database: Database, replica: str | None = None, *, shared: bool = False) -> None:
        """``replica`` names this process on PostgreSQL; ``shared``: others answer questions as well."""
        super().__init__(database)
        self._replica = replica
        self._shared = shared
        self._turns: Batcher[str, _Turn] = Batcher(self._read_turns)
        self._accepted: list[_Accepted] = []
        """Messages not yet being written."""
        self._soon: asyncio.Handle | None = None
        """Writes the next batch in the next turn of the event loop."""
        self._inserting = False
        self._marks = _Marks()
        self._marking = False
        self._in_doubt: set[str] = set()
        """Questions marked as falling back. A crash gives them up, so their next state is written at once."""
        self._hurry = False
        self._later: asyncio.TimerHandle | None = None
        self._died: asyncio.Future[None] | None = None
        self._all_stored: asyncio.Future[None] | None = None

    def accept(self, message: InboxMessage, on_stored: OnStored) -> None:
        """Store a question; ``on_stored`` is then called with whether it is new, or with `StoreUnavailable`."""
        self._accepted.append(_Accepted(message, on_stored))
        if not self._inserting and self._soon is None:
            self._soon = asyncio.get_running_loop().call_soon(self._insert)

    def flush(self) -> None:
        """Write accepted messages now, not in the next turn of the event loop."""
        if self._soon is not None:
            self._soon.cancel()
            self._insert()

    async def mark(self, msg_id: str, state: InboxState) -> None:
        """See `bot.chat.answers.ports.Inbox.mark`. Raises `StoreUnavailable` if another replica has the question."""
        if self._shared and (await self._turns(msg_id)).is_taken_by_others(self._replica):
            raise StoreUnavailable(phrase("another replica has taken the question over"))
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._marks.states[msg_id] = state
        self._marks.waiters.append(waiter)
        if state is InboxState.FALLING_BACK:
            self._in_doubt.add(msg_id)
        self._mark(loop)
        await waiter

    def mark_soon(self, msg_id: str, state: InboxState) -> None:
        """Commit the new state within `MARK_DELAY`, or at once if a crash would leave it in doubt."""
        self._marks.states[msg_id] = state
        if msg_id in self._in_doubt:
            self._in_doubt.remove(msg_id)
            self._hurry = True
            self._mark(asyncio.get_running_loop())
        elif self._later is None:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(TURN_PAUSE if self._shared else MARK_DELAY, self._mark, loop)

    async def unanswered(self, since: datetime) -> tuple[InboxMessage, ...]:
        """Return unanswered questions, oldest first; those before ``since`` are too old.

        Questions whose text may have arrived are given up (as failed); the log has their number.
        """
        return await self._database.run(partial(_read_unanswered, to_ms(since), self._replica))

    async def wait_turn(self, msg_id: str) -> bool:
        """See `bot.chat.answers.ports.Inbox.wait_turn`; while the database does not answer, nobody waits."""
        if not self._shared:
            return True
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + LONGEST_TURN, TURN_PAUSE
        while True:
            try:
                turn = await self._turns(msg_id)
            except StoreUnavailable:
                return True
            if turn.is_taken_by_others(self._replica):
                return False
            if not turn.waits or loop.time() >= until:
                return True
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_TURN_PAUSE)

    async def _read_turns(self, msg_ids: Sequence[str]) -> Sequence[_Turn]:
        found = await self._database.read(partial(_read_turns, msg_ids))
        return [found.get(msg_id, _GONE) for msg_id in msg_ids]

    async def prune(self, now: datetime) -> None:
        """Delete messages received longer ago than `RETENTION`."""
        old = delete(INBOX).where(INBOX.c.received_ms < to_ms(now - RETENTION))
        await self._database.execute(old)

    async def run(self) -> None:
        """Wait until cancelled, then write the rest. Raises a defect in the writing."""
        loop = asyncio.get_running_loop()
        self._died = loop.create_future()
        try:
            await self._died
        except asyncio.CancelledError:
            with suppress(StoreUnavailable):  # logged already
                await self._all_written(loop)
            raise

    async def _all_written(self, loop: asyncio.AbstractEventLoop) -> None:
        self.flush()
        if self._inserting:
            self._all_stored = loop.create_future()
            await self._all_stored
        if self._marks.states or self._marking:
            marked: asyncio.Future[None] = loop.create_future()
            self._marks.waiters.append(marked)
            self._mark(loop)
            await marked

    def _insert(self) -> None:
        """Write the messages gathered so far; later ones follow."""
        self._soon, self._inserting = None, True
        batch, self._accepted = self._accepted[:BATCH], self._accepted[BATCH:]
        try:
            messages = {message.msg_id: message for message, _ in batch}
            job = self._database.start(insert_job(self._database, messages, self._replica))
        except Exception as defect:  # noqa: BLE001 - `run` raises it
            self._die(defect)
            self._go_on()
            return
        self._database.call_when_done(job, partial(self._inserted, batch))

    def _inserted(self, batch: Sequence[_Accepted], job: Future[frozenset[str]]) -> None:
        """Report a whole batch. Of messages with the same id only the first is new."""
        try:
            new = set(job.result())
        except StoreUnavailable as error:
            # Without an ACK DingTalk sends the questions again.
            log.error("inbox.not_written", rows=len(batch), error=error.detail)
            unavailable = error
            self._report(batch, lambda _: unavailable)
        except Exception as defect:  # noqa: BLE001 - `run` raises it
            self._die(defect)
        else:
            self._report(batch, partial(_is_new, new))
        self._go_on()

    def _go_on(self) -> None:
        """Continue with messages that arrived meanwhile, or release those waiting for the end of the writing."""
        if self._accepted:
            self._soon = asyncio.get_running_loop().call_soon(self._insert)
            return
        self._inserting = False
        if self._all_stored is not None:
            self._all_stored.set_result(None)

    def _report(self, batch: Sequence[_Accepted], result_of: Callable[[InboxMessage], bool | DingerpError]) -> None:
        for message, on_stored in batch:
            try:
                on_stored(result_of(message))
            except Exception as defect:  # noqa: BLE001 - `run` raises it; the others are still told
                self._die(defect)

    def _die(self, defect: Exception) -> None:
        if self._died is not None and not self._died.done():
            self._died.set_exception(defect)

    def _mark(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write the marks gathered so far; later ones follow."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._marking:
            return
        self._marking, self._hurry = True, False
        marks, self._marks = self._marks, _Marks()
        job = self._database.start(mark_job(self._database, marks.states, self._replica))
        self._database.call_when_done(job, partial(self._marked, loop, marks))

    def _marked(self, loop: asyncio.AbstractEventLoop, marks: _Marks, job: Future[None]) -> None:
        self._marking = False
        try:
            job.result()
        except StoreUnavailable as error:
            log.error("inbox.not_written", rows=len(marks.states), error=error.detail)
            marks.fail(error)
        except Exception as defect:  # noqa: BLE001 - `run` raises it
            self._die(defect)
            for unwritten in (marks, self._marks):
                unwritten.fail(StoreUnavailable(type(defect).__name__))
            return
        else:
            marks.settle()
        if self._marks.waiters or self._hurry:
            self._mark(loop)
        elif self._marks.states and self._later is None:
            self._later = loop.call_later(MARK_DELAY, self._mark, loop)


def _is_new(new: set[str], message: InboxMessage) -> bool:
    """Return whether a message is new, once per id."""
    if message.msg_id not in new:
        return False
    new.remove(message.msg_id)
    return True


def _read_turns(msg_ids: Sequence[str], connection: Connection) -> Mapping[str, _Turn]:
    """Return who has each question, and whether another replica has an earlier one of its conversation."""
    earlier, mine = INBOX.alias(), INBOX
    before = exists().where(
        earlier.c.conversation == mine.c.conversation,
        earlier.c.state.in_((InboxState.WAITING, InboxState.FALLING_BACK)),
        earlier.c.replica != mine.c.replica,
        earlier.c.arrived_us < mine.c.arrived_us,
    )
    query = select(mine.c.msg_id, mine.c.replica, before).where(mine.c.msg_id.in_(msg_ids))
    return {msg_id: _Turn(holder, bool(waits)) for msg_id, holder, waits in connection.execute(query)}


def _take_over(replica: str, connection: Connection) -> ColumnElement[bool]:
    """Take over the unanswered questions of replicas that do not live, and return which they are.

    Of replicas that do so at the same time, the second waits for the first and finds that a living one has them.
    """
    left = INBOX.c.state.in_((InboxState.WAITING, InboxState.INTERIM, InboxState.FALLING_BACK))
    theirs = INBOX.c.replica.is_(None) | INBOX.c.replica.not_in(living_replicas())
    taken = update(INBOX).where(left, theirs).values(replica=replica).returning(INBOX.c.msg_id)
    return INBOX.c.msg_id.in_(connection.execute(taken).scalars().all())


def _read_unanswered(since_ms: int, replica: str | None, connection: Connection) -> tuple[InboxMessage, ...]:
    left = true() if replica is None else _take_over(replica, connection)
    waiting, interim = INBOX.c.state == InboxState.WAITING, INBOX.c.state == InboxState.INTERIM
    stranded = (INBOX.c.state == InboxState.FALLING_BACK) & left
    given_up = connection.execute(update(INBOX).where(stranded).values(state=InboxState.FAILED, payload=""))
    if given_up.rowcount:
        log.warning("inbox.given_up", questions=given_up.rowcount)
    oldest_first = select(INBOX).where(waiting | interim, left).order_by(INBOX.c.received_ms)
    rows = read_readable(connection, INBOX, oldest_first)
    return tuple(
        InboxMessage(
            row.msg_id,
            row.payload,
            from_ms(row.received_ms),
            interim=row.state == InboxState.INTERIM,
            too_old=row.state == InboxState.WAITING and row.received_ms < since_ms,
        )
        for row in rows
    )
