"""What programs ask of people, in the bot's database: a change, its cards and its entry in the audit log are one
transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

import orjson
from sqlalchemy import ColumnElement, Table, delete, insert, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.access.audit import AuditEntry
from bot.chat.program_asks import AskConflict, ProgramAsk
from bot.outbox.delivery import Delivery
from bot.store.audit.entries import append_entries
from bot.store.chat.standing_answers import redraw_answers
from bot.store.database import Database
from bot.store.outbox.queue import enqueue
from bot.store.record_codec import RecordCodec, pack_body
from bot.store.row_times import from_us, to_us
from bot.store.transactions import StoredTransactions, begin_immediate
from bot.store.unreadable_rows import read_readable

A = TypeVar("A", bound=ProgramAsk)
R = TypeVar("R", bound="StoredAsks[Any]")

_LOCK = text("SELECT pg_advisory_xact_lock(:area, hashtext(:name))")
WITH_COLUMNS = frozenset({"id", "key", "asked_as", "state", "asked_at"})
"""The fields that each table has columns for."""
_LOCK_AREA = 0x67617465
"""Distinguishes these locks from other advisory locks in the database."""


class StoredAsks(Generic[A]):
    """Implements `bot.chat.program_asks.AskRepository` within one transaction; `flush` writes the cards and the log.

    Answers that show one are drawn again when it changes.
    """

    table: ClassVar[Table]
    codec: ClassVar[RecordCodec[Any]]
    """Of the fields without columns, which are a row's sealed JSON."""
    columns: ClassVar[tuple[str, ...]] = ()
    """Further fields with columns of the same names."""
    states: ClassVar[type[StrEnum]]
    source: ClassVar[str]
    """What stands for their source where cards follow documents."""

    def __init__(self, connection: Connection, now: datetime, *, locking: bool = True) -> None:
        """Without ``locking`` it is read-only."""
        self.now = now
        self._connection = connection
        self._locking = locking
        self._known: dict[str, tuple[str, A]] = {}
        """What is stored by id, each with its JSON."""
        self._changed: dict[tuple[str, str], datetime] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._entries: list[AuditEntry] = []

    def cards_of(self, ask: A) -> Iterable[Delivery]:
        """Return the deliveries of its newest state."""
        raise NotImplementedError

    def find(self, ask: str) -> A | None:
        return self._one(self.table.c.id == ask)

    def asked_as(self, key: str, asked_as: str) -> A | None:
        return self._one(self.table.c.key_id == key, self.table.c.asked_as == asked_as)

    def put(self, ask: A) -> None:
        self._changed[self.source, ask.id] = self.now
        self._deliveries |= {card.card: card for card in self.cards_of(ask)}
        row = self._row(ask)
        if ask.id in self._known:
            self._connection.execute(update(self.table).where(self.table.c.id == ask.id).values(row))
        else:
            try:
                self._connection.execute(insert(self.table).values(row))
            except IntegrityError as error:
                raise AskConflict(ask.id) from error
        self._known[ask.id] = row["body"], ask

    def due(self, limit: int) -> Sequence[str]:
        due = self.table.c.due_us
        query = select(self.table.c.id).where(due <= to_us(self.now)).order_by(due).limit(limit)
        return self._connection.execute(query).scalars().all()

    def record(self, entry: AuditEntry) -> None:
        self._entries.append(entry)

    def flush(self) -> None:
        """Write the queued cards and the entries."""
        enqueue(self._connection, *self._deliveries.values(), now=self.now)
        redraw_answers(self._connection, self._changed, self.now)
        if self._entries:
            # Last, since all processes wait for the end of the one chain.
            append_entries(self._connection, self._entries)
        self._deliveries, self._entries, self._changed = {}, [], {}

    def readable(self, which: ColumnElement[bool]) -> Sequence[A]:
        """Return those that can be read, locked."""
        rows = read_readable(self._connection, self.table, select(self.table).where(which))
        return [found for row in rows if (found := self.find(row.id)) is not None]

    def read(self, query: Any) -> list[A]:
        """Return what a query finds; it is not locked."""
        return [self._ask(row) for row in self._connection.execute(query)]

    def lock(self, name: str) -> None:
        """Make others who want the same name wait until the end of the transaction."""
        if self._locking and self._connection.dialect.name == "postgresql":
            self._connection.execute(_LOCK, {"area": _LOCK_AREA, "name": name})

    def _one(self, *conditions: Any) -> A | None:
        query = select(self.table).where(*conditions)
        row = self._connection.execute(query.with_for_update() if self._locking else query).one_or_none()
        if row is None:
            return None
        found = self._ask(row)
        self._known[row.id] = row.body, found
        return found

    def _row(self, ask: A) -> dict[str, Any]:
        body, known = self._known.get(ask.id, ("", None))
        return {
            "id": ask.id,
            "key_id": ask.key,
            "asked_as": ask.asked_as,
            "state": ask.state.value,
            "asked_us": to_us(ask.asked_at),
            "due_us": None if ask.due_at is None else to_us(ask.due_at),
            "body": pack_body(self.codec.write(ask), body, None if known is None else self.codec.write(known)),
            **{name: getattr(ask, name) for name in self.columns},
        }

    def _ask(self, row: Any) -> A:
        found: A = self.codec.read(
            orjson.loads(row.body),
            id=row.id,
            key=row.key_id,
            asked_as=row.asked_as,
            state=self.states(row.state),
            asked_at=from_us(row.asked_us),
            **{name: getattr(row, name) for name in self.columns},
        )
        return found


class StoredAskTransactions(StoredTransactions[R]):
    """Transactions on what programs ask."""

    def __init__(self, database: Database, now: Callable[[], datetime], asks: Callable[..., R]) -> None:
        super().__init__(
            database,
            begin=begin_immediate,
            writing=lambda connection: asks(connection, now()),
            reading=lambda connection: asks(connection, now(), locking=False),
        )


def forget_asks(connection: Connection, before: datetime, table: Table) -> int:
    """Delete what was asked before then and time changes no more; return the number. The audit log stays."""
    over = delete(table).where(table.c.asked_us < to_us(before), table.c.due_us.is_(None))
    return connection.execute(over).rowcount
