"""Data kept of ERPs: their last known answers, and their invalid records.

Both are written later: no answer waits for the database. Data still unwritten at a crash is lost, and the stored copy
is slightly older.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Column, Table, delete, func, select, true
from sqlalchemy.engine import Connection

from bot.erp.cache import dump, load
from bot.erp.validation import QuarantinedRecord
from bot.store.database import Database
from bot.store.errors import StoreUnavailable
from bot.store.record_codec import IN_MILLISECONDS, RecordCodec
from bot.store.row_times import duration_to_ms, from_ms, to_ms
from bot.store.statements import replace_into
from bot.store.tables import ERP_COPY, ERP_REJECTED
from bot.store.unreadable_rows import read_readable

log = structlog.get_logger(__name__)

KEPT_COPIES, KEPT_REJECTED = 500, 1_000
"""Rows per table; the oldest are deleted first."""
MAX_AGE = timedelta(days=30)
"""The default age at which answers and records are deleted."""

_Key = tuple[str, str, str]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRecord:
    """An invalid record, as JSON, with the times when it was first and last seen.

    ``area`` and ``defect`` are stored texts, perhaps from an earlier version.
    """

    source: str
    area: str
    key: str
    defect: str
    why: str
    record: str
    first: datetime
    last: datetime


_REJECTED = RecordCodec(RejectedRecord, IN_MILLISECONDS, names={"first": "first_ms", "last": "last_ms"})


def read_rejected(connection: Connection, *, source: str, area: str, limit: int) -> tuple[list[RejectedRecord], int]:
    """Return the ``limit`` records seen last, and their total; empty ``source`` and ``area`` mean all."""
    columns = ERP_REJECTED.c
    wanted = (columns.source == source if source else true()) & (columns.area == area if area else true())
    newest = select(ERP_REJECTED).where(wanted).order_by(columns.last_ms.desc(), *ERP_REJECTED.primary_key).limit(limit)
    records = [_REJECTED.read_row(row) for row in read_readable(connection, ERP_REJECTED, newest)]
    return records, connection.scalar(select(func.count()).select_from(ERP_REJECTED).where(wanted)) or 0


def count_rejected(connection: Connection) -> dict[str, int]:
    """Return how many records of each source were kept aside."""
    counted = select(ERP_REJECTED.c.source, func.count()).group_by(ERP_REJECTED.c.source)
    return {str(row[0]): int(row[1]) for row in connection.execute(counted)}


class StoredErpRecords:
    """Stores last known answers and quarantined records; `run` must be running."""

    def __init__(self, database: Database, *, keep: timedelta = MAX_AGE) -> None:
        """``keep`` is the retention of answers and invalid records."""
        self._database = database
        self._keep_ms = duration_to_ms(keep)
        self._loaded: dict[_Key, tuple[str, datetime]] = {}
        self._changed: dict[_Key, tuple[Any, datetime] | None] = {}
        """Answers to write; None stands for an answer to delete."""
        self._rejected: dict[tuple[str, str, str, str], QuarantinedRecord] = {}

    async def load(self) -> None:
        """Load the answers that earlier processes stored."""
        rows = await self._database.run(lambda connection: read_readable(connection, ERP_COPY, select(ERP_COPY)))
        self._loaded = {(row.source, row.call, row.asked): (row.value, from_ms(row.as_of_ms)) for row in rows}

    def put(self, source: str, call: str, asked: str, value: Any, as_of: datetime) -> None:
        """Store an answer. When too many queue up, the newest are left out: the process itself still has them."""
        key = (source, call, asked)
        if key in self._changed or len(self._changed) < KEPT_COPIES:
            self._changed[key] = (value, as_of)
        self._loaded.pop(key, None)

    def forget(self, source: str, call: str, asked: str) -> None:
        """Delete an answer."""
        key = (source, call, asked)
        self._changed[key] = None
        self._loaded.pop(key, None)

    def get(self, source: str, call: str, asked: str) -> tuple[Any, datetime] | None:
        """Return an answer stored by an earlier process."""
        text, as_of = self._loaded.get((source, call, asked), ("", _EPOCH))
        value = load(call, text) if text else None
        return None if value is None else (value, as_of)

    def add(self, kept: QuarantinedRecord) -> None:
        """Store an invalid record."""
        key = (kept.source, kept.area.value, kept.key, kept.defect.value)
        if key in self._rejected or len(self._rejected) < KEPT_REJECTED:
            self._rejected[key] = kept

    async def run(self, pause: float = 5.0) -> None:
        """Write queued data every ``pause`` seconds, and once more at the end."""
        try:
            while True:
                await asyncio.sleep(pause)
                await self.write()
        finally:
            await self.write()

    async def write(self) -> None:
        """Write queued data; while the database does not answer, it stays queued."""
        changed, self._changed = self._changed, {}
        rejected, self._rejected = self._rejected, {}
        if not changed and not rejected:
            return
        try:
            await self._database.run(lambda connection: self._store(connection, changed, rejected))
        except StoreUnavailable as error:
            log.warning("erp_records.not_written", rows=len(changed) + len(rejected), error=error.detail)
            self._changed = changed | self._changed
            self._rejected = rejected | self._rejected

    def _store(
        self,
        connection: Connection,
        changed: dict[_Key, tuple[Any, datetime] | None],
        rejected: dict[tuple[str, str, str, str], QuarantinedRecord],
    ) -> None:
        copies = [
            {"source": source, "call": call, "asked": asked, "as_of_ms": to_ms(kept[1]), "value": dump(kept[0])}
            for (source, call, asked), kept in changed.items()
            if kept is not None
        ]
        for (source, call, asked), kept in changed.items():
            if kept is None:
                where = (ERP_COPY.c.source == source, ERP_COPY.c.call == call, ERP_COPY.c.asked == asked)
                connection.execute(delete(ERP_COPY).where(*where))
        if copies:
            connection.execute(replace_into(ERP_COPY, self._database.dialect), copies)
            newest = max(to_ms(kept[1]) for kept in changed.values() if kept is not None)
            _prune(connection, ERP_COPY, ERP_COPY.c.as_of_ms, most=KEPT_COPIES, before=newest - self._keep_ms)
        if rejected:
            upsert = replace_into(ERP_REJECTED, self._database.dialect, keep={"first_ms"})
            connection.execute(upsert, [_row(kept) for kept in rejected.values()])
            newest = max(to_ms(kept.at) for kept in rejected.values())
            _prune(connection, ERP_REJECTED, ERP_REJECTED.c.last_ms, most=KEPT_REJECTED, before=newest - self._keep_ms)


def _prune(connection: Connection, table: Table, changed_ms: Column[int], *, most: int, before: int) -> None:
    """Delete rows last changed before a time, and the oldest of more than ``most`` rows."""
    oldest = connection.scalar(select(changed_ms).order_by(changed_ms.desc()).offset(most).limit(1))
    connection.execute(delete(table).where(changed_ms <= max(before, -1 if oldest is None else oldest)))


def _row(kept: QuarantinedRecord) -> dict[str, Any]:
    at = to_ms(kept.at)
    return {
        "source": kept.source,
        "area": kept.area.value,
        "key": kept.key,
        "defect": kept.defect.value,
        "why": kept.why,
        "record": kept.record,
        "first_ms": at,
        "last_ms": at,
    }
