"""Approvals in DingTalk's own app, as the bot's database remembers them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, select, update
from sqlalchemy.engine import Connection

from bot.approvals.native.oa_forms import NativeRecord, NativeState
from bot.store.database import Database
from bot.store.record_codec import PlainCodec, RecordCodec
from bot.store.row_times import from_us, to_us
from bot.store.statements import chunks, insert_into
from bot.store.tables import APPROVAL_NATIVE

_N = APPROVAL_NATIVE.c
_COLUMNS = frozenset({"case", "state", "due_at", "instance", "news", "seen", "stamp"})
_BODY = RecordCodec(
    NativeRecord, {datetime: PlainCodec(to_us, from_us)}, names={"started_at": "started"}, skip=_COLUMNS
)
"""What a row holds as JSON: the fields that are no columns."""


class StoredNativeRecords:
    """Implements `bot.approvals.native.oa_forms.NativeRecords`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def under_way(self) -> Sequence[NativeRecord]:
        wanted = select(APPROVAL_NATIVE).where(_N.state != NativeState.ENDED.value).order_by(_N.due_us, _N.case_id)
        rows = await self._database.run(lambda connection: connection.execute(wanted).all())
        return [_record(row) for row in rows]

    async def missing(self, cases: Collection[str]) -> frozenset[str]:
        """Return the cases without a record."""
        wanted = sorted(cases)

        def read(connection: Connection) -> set[str]:
            queries = (select(_N.case_id).where(_N.case_id.in_(some)) for some in chunks(wanted))
            return {row.case_id for query in queries for row in connection.execute(query)}

        return frozenset(wanted) - await self._database.run(read) if wanted else frozenset()

    async def begin(self, record: NativeRecord) -> bool:
        first = insert_into(APPROVAL_NATIVE, self._database.dialect).values(**_row(record), news=0)
        new = first.on_conflict_do_nothing().returning(_N.case_id)
        return await self._database.run(lambda connection: connection.scalar(new)) is not None

    async def put(self, record: NativeRecord) -> NativeRecord | None:
        """Store a record and return it; None where another process changed it since it was read."""
        stored = replace(record, stamp=record.stamp + 1)
        # Only `mark_changed` writes ``news``, so that no event is lost that comes meanwhile.
        still = (_N.case_id == record.case, _N.stamp == record.stamp)
        change = update(APPROVAL_NATIVE).where(*still).values(**_row(stored)).returning(_N.case_id)
        done = await self._database.run(lambda connection: connection.scalar(change))
        return stored if done is not None else None

    async def mark_changed(self, instance: str) -> bool:
        """Count an event about an approval; False for one that is not ours, or has ended."""
        ours = (_N.instance == instance, _N.state == NativeState.RUNNING.value)
        counted = update(APPROVAL_NATIVE).where(*ours).values(news=_N.news + 1).returning(_N.case_id)
        return await self._database.run(lambda connection: connection.scalar(counted)) is not None


def _row(record: NativeRecord) -> dict[str, Any]:
    return {
        "case_id": record.case,
        "instance": record.instance or None,
        "state": record.state.value,
        "due_us": to_us(record.due_at),
        "seen": record.seen,
        "stamp": record.stamp,
        "body": orjson.dumps(_BODY.write(record)).decode(),
    }


def _record(row: Row[Any]) -> NativeRecord:
    return _BODY.read(
        orjson.loads(row.body),
        case=row.case_id,
        state=NativeState(row.state),
        due_at=from_us(row.due_us),
        instance=row.instance or "",
        news=row.news,
        seen=row.seen,
        stamp=row.stamp,
    )
