"""What people begin, in the bot's database: a change and its entry in the audit log are one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.engine import Connection

from bot.access.audit import AuditEntry
from bot.creation.cards import CREATION_SOURCE
from bot.creation.creation import Creation, CreationLine, CreationState
from bot.store.audit.entries import append_entries
from bot.store.chat.standing_answers import redraw_answers
from bot.store.database import Database
from bot.store.record_codec import DECIMAL, ListCodec, PlainCodec, RecordCodec
from bot.store.row_times import from_us, to_us
from bot.store.statements import replace_into
from bot.store.tables import CREATION
from bot.store.transactions import StoredTransactions, begin_immediate
from bot.store.unreadable_rows import read_readable
from bot.words.phrase import Phrase, pack_words, phrase, unpack_words

_C = CREATION.c
_TIME = PlainCodec(to_us, from_us)
_BODY = RecordCodec(
    Creation,
    {
        datetime: _TIME,
        CreationLine: ListCodec(CreationLine, {Decimal: DECIMAL}),
        Phrase: PlainCodec(pack_words, unpack_words),
    },
    skip={"id", "user_id", "state", "made_at", "due_at"},
)
"""A row's JSON: the fields without columns."""


class StoredCreationRows:
    """Implements `bot.creation.creation.CreationRepository` within one transaction; `flush` writes the log.

    Answers that show a creation are drawn again when it changes.
    """

    def __init__(self, connection: Connection, now: datetime, *, locking: bool = True) -> None:
        """Without ``locking`` it is read-only."""
        self.now = now
        self._connection = connection
        self._locking = locking
        self._changed: dict[tuple[str, str], datetime] = {}
        self._entries: list[AuditEntry] = []

    def find(self, creation: str) -> Creation | None:
        query = select(CREATION).where(_C.id == creation)
        row = self._connection.execute(query.with_for_update() if self._locking else query).one_or_none()
        return None if row is None else _creation(row)

    def put(self, creation: Creation) -> None:
        self._connection.execute(replace_into(CREATION, self._connection.dialect.name).values(_row(creation)))

    def redraw(self, creation: Creation) -> None:
        self._changed[CREATION_SOURCE, creation.id] = self.now

    def due(self, limit: int) -> Sequence[str]:
        query = select(_C.id).where(_C.due_us <= to_us(self.now)).order_by(_C.due_us, _C.id).limit(limit)
        return self._connection.execute(query).scalars().all()

    def next_due(self) -> datetime | None:
        after = self._connection.scalar(select(func.min(_C.due_us)).where(_C.due_us > to_us(self.now)))
        return None if after is None else from_us(after)

    def record(self, entry: AuditEntry) -> None:
        self._entries.append(entry)

    def flush(self) -> None:
        """Have the cards drawn again, and write the entries."""
        redraw_answers(self._connection, self._changed, self.now)
        if self._entries:
            # Last, since all processes wait for the end of the one chain.
            append_entries(self._connection, self._entries)
        self._entries, self._changed = [], {}


class StoredCreations(StoredTransactions[StoredCreationRows]):
    """Transactions on what people begin."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        super().__init__(
            database,
            begin=begin_immediate,
            writing=lambda connection: StoredCreationRows(connection, now()),
            reading=lambda connection: StoredCreationRows(connection, now(), locking=False),
        )


def end_open_creations(connection: Connection, now: datetime) -> None:
    """Drop the previews that a restored backup brought back, and look for what may have been written since."""
    rows = StoredCreationRows(connection, now)
    still_open = select(CREATION).where(_C.state.in_([CreationState.PREVIEW.value, CreationState.WRITING.value]))
    for row in read_readable(connection, CREATION, still_open):
        found = _creation(row)
        if found.state is CreationState.PREVIEW:
            found = found.moved(CreationState.DROPPED, phrase("A backup was restored: ask again."))
        else:
            found = found.moved(CreationState.UNKNOWN, due_at=now, attempted_at=found.attempted_at or now)
        rows.put(found)
        rows.redraw(found)
    rows.flush()


def forget_creations(connection: Connection, before: datetime) -> int:
    """Delete those of before then with which nothing is to be done, and return their number. The audit log stays."""
    over = delete(CREATION).where(_C.made_us < to_us(before), _C.due_us.is_(None))
    return connection.execute(over).rowcount


def _row(creation: Creation) -> dict[str, Any]:
    return {
        "id": creation.id,
        "user_id": creation.user_id,
        "state": creation.state.value,
        "made_us": to_us(creation.made_at),
        "due_us": None if creation.due_at is None else to_us(creation.due_at),
        "body": orjson.dumps(_BODY.write(creation)).decode(),
    }


def _creation(row: Any) -> Creation:
    return _BODY.read(
        orjson.loads(row.body),
        id=row.id,
        user_id=row.user_id,
        state=CreationState(row.state),
        made_at=from_us(row.made_us),
        due_at=None if row.due_us is None else from_us(row.due_us),
    )
