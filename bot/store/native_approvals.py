"""What is remembered of approvals in DingTalk's own app, in the bot's database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Row, select, update
from sqlalchemy.engine import Connection

from bot.approvals.native.oa_forms import NativeRecord, NativeState
from bot.store.database import Database
from bot.store.row_times import from_us, to_us
from bot.store.statements import insert_into
from bot.store.tables import APPROVAL_NATIVE

_N = APPROVAL_NATIVE.c
_AT_ONCE = 500
"""Values in one IN: SQLite of old takes 999."""


class StoredNativeRecords:
    """Implements `bot.approvals.native.oa_forms.NativeRecords`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def under_way(self) -> Sequence[NativeRecord]:
        """Return those that have not ended, the one that is due first at the beginning."""
        wanted = select(APPROVAL_NATIVE).where(_N.state != NativeState.ENDED.value).order_by(_N.due_us, _N.case_id)
        rows = await self._database.run(lambda connection: connection.execute(wanted).all())
        return [_record(row) for row in rows]

    async def missing(self, cases: Collection[str]) -> frozenset[str]:
        """Return those cases that never had one."""
        wanted = sorted(cases)
        pieces = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]

        def read(connection: Connection) -> set[str]:
            queries = (select(_N.case_id).where(_N.case_id.in_(some)) for some in pieces)
            return {row.case_id for query in queries for row in connection.execute(query)}

        return frozenset(wanted) - await self._database.run(read) if wanted else frozenset()

    async def begin(self, record: NativeRecord) -> bool:
        """Store the first record of a case; False where there is one already."""
        first = insert_into(APPROVAL_NATIVE, self._database.dialect).values(**_row(record), news=0)
        new = first.on_conflict_do_nothing().returning(_N.case_id)
        return await self._database.run(lambda connection: connection.scalar(new)) is not None

    async def put(self, record: NativeRecord) -> NativeRecord | None:
        """Store a record and return it; None where somebody else changed it since it was read."""
        stored = replace(record, stamp=record.stamp + 1)
        # ``news`` belongs to `hear` alone: an event that comes meanwhile is not forgotten.
        still = (_N.case_id == record.case, _N.stamp == record.stamp)
        change = update(APPROVAL_NATIVE).where(*still).values(**_row(stored)).returning(_N.case_id)
        done = await self._database.run(lambda connection: connection.scalar(change))
        return stored if done is not None else None

    async def mark_changed(self, instance: str) -> bool:
        """Note that something happened to an approval; False for one that is not ours, or has ended."""
        ours = (_N.instance == instance, _N.state == NativeState.RUNNING.value)
        heard = update(APPROVAL_NATIVE).where(*ours).values(news=_N.news + 1).returning(_N.case_id)
        return await self._database.run(lambda connection: connection.scalar(heard)) is not None


def _row(record: NativeRecord) -> dict[str, Any]:
    body = {
        "originator": record.originator,
        "started": None if record.started_at is None else to_us(record.started_at),
        "tries": record.tries,
        "revision": record.revision,
        "done": record.done,
    }
    return {
        "case_id": record.case,
        "instance": record.instance or None,
        "state": record.state.value,
        "due_us": to_us(record.due_at),
        "seen": record.seen,
        "stamp": record.stamp,
        "body": orjson.dumps(body).decode(),
    }


def _record(row: Row[Any]) -> NativeRecord:
    body = orjson.loads(row.body)
    return NativeRecord(
        case=row.case_id,
        state=NativeState(row.state),
        due_at=from_us(row.due_us),
        instance=row.instance or "",
        originator=body["originator"],
        started_at=None if body["started"] is None else from_us(body["started"]),
        tries=body["tries"],
        revision=body["revision"],
        done=tuple(body["done"]),
        news=row.news,
        seen=row.seen,
        stamp=row.stamp,
    )
