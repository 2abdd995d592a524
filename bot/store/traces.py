"""Traces of what was answered, for a bounded time: written in batches, never while somebody waits."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial

import orjson
from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from bot.mechanisms.tracing import Trace, TracedLine, TraceStep
from bot.store.database import Database, Stored
from bot.store.row_times import from_ms, to_ms
from bot.store.statements import insert_into
from bot.store.tables import TRACE

_MOST_WAITING = 10_000
"""Traces that wait for a database that is away; further ones take the place of the oldest."""
_T = TRACE.c


class StoredTraces(Stored):
    """Keeps traces by their reference."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._waiting: deque[Trace] = deque(maxlen=_MOST_WAITING)

    def keep(self, trace: Trace) -> None:
        """Keep a trace that has ended, with the next `flush`."""
        self._waiting.append(trace)

    async def flush(self) -> None:
        """Write what waits; raises `StoreUnavailable`, and then it waits on."""
        traces = tuple(self._waiting)
        if not traces:
            return
        insert = insert_into(TRACE, self._database.dialect).on_conflict_do_nothing(index_elements=["reference"])
        rows = [
            {"reference": trace.reference, "at_ms": to_ms(trace.at), "told": orjson.dumps(_told(trace)).decode()}
            for trace in traces
        ]
        await self._database.execute(insert, rows)
        written = set(map(id, traces))
        self._waiting = deque((trace for trace in self._waiting if id(trace) not in written), _MOST_WAITING)

    async def find(self, reference: str) -> Trace | None:
        """Return a kept trace; raises `StoreUnavailable`."""
        query = select(_T.at_ms, _T.told).where(_T.reference == reference)
        for row in await self._database.rows(query):
            told = orjson.loads(row.told)
            steps = [TraceStep(**step) for step in told.pop("steps")]
            lines = [TracedLine(from_ms(line.pop("at_ms")), **line) for line in told.pop("lines", ())]
            return Trace(from_ms(row.at_ms), reference=reference, steps=steps, lines=lines, **told)
        return None

    async def prune(self, now: datetime, *, keep: timedelta, most: int) -> None:
        """Drop what is older than ``keep``, and the oldest beyond ``most``."""
        await self._database.run(partial(_prune, to_ms(now - keep), most))


def _told(trace: Trace) -> dict[str, object]:
    names = ("what", "command", "outcome", "rule", "left_out", "took")
    told = {name: getattr(trace, name) for name in names}
    return {**told, "steps": list(map(_step_told, trace.steps)), "lines": list(map(_line_told, trace.lines))}


def _step_told(step: TraceStep) -> dict[str, object]:
    told = asdict(step)
    # Versions before it would not understand it.
    del told["within"]
    return told


def _line_told(asked: TracedLine) -> dict[str, object]:
    told = asdict(asked)
    return {"at_ms": to_ms(told.pop("at")), **told}


def _prune(before_ms: int, most: int, connection: Connection) -> None:
    newest_beyond = select(_T.at_ms).order_by(_T.at_ms.desc()).offset(most).limit(1)
    beyond_ms = connection.scalar(newest_beyond)
    connection.execute(delete(TRACE).where(_T.at_ms < before_ms))
    if beyond_ms is not None:
        connection.execute(delete(TRACE).where(_T.at_ms <= beyond_ms))
