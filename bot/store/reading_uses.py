"""What people and conversations used of their limits, counted by all replicas together (on PostgreSQL alone)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.engine import Connection

from bot.access.shared_limits import CountedUse, Decision
from bot.store.database import Stored
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import replace_into
from bot.store.tables import READING_USE

T = TypeVar("T")

_KEPT = timedelta(days=2)
_U = READING_USE.c


class StoredUses(Stored):
    """Stores each question, document and file as a row of its own, so that no row is written by everybody."""

    async def decide(self, parties: Collection[str], kind: str, since: datetime, decide: Decision[T]) -> T:
        """See `bot.access.shared_limits.UseStore`."""
        return await self._database.run(partial(_decide, sorted(parties), kind, to_ms(since), decide))

    async def forget(self, now: datetime) -> None:
        """Drop what no limit looks back to."""
        await self._database.execute(delete(READING_USE).where(_U.at_ms < to_ms(now - _KEPT)))


def _decide(parties: list[str], kind: str, since_ms: int, decide: Decision[T], connection: Connection) -> T:
    for party in parties:  # in one order, so that nobody waits for one another
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(party, 0))))
    query = select(READING_USE).where(_U.party.in_(parties), _U.kind == kind, _U.at_ms >= since_ms).order_by(_U.at_ms)
    counted = [CountedUse(row.party, row.kind, row.subject, from_ms(row.at_ms)) for row in connection.execute(query)]
    result, new = decide(counted)
    rows = [{"party": use.party, "kind": use.kind, "subject": use.subject, "at_ms": to_ms(use.at)} for use in new]
    if rows:
        connection.execute(replace_into(READING_USE, connection.dialect.name), rows)
    return result
