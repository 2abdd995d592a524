"""Traces are kept by their reference, for a bounded time and in a bounded number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.mechanisms.tracing import Trace
from bot.store.database import Database
from bot.store.traces import StoredTraces

NOW = datetime(2026, 12, 2, 8, tzinfo=UTC)


def trace(age: timedelta = timedelta()) -> Trace:
    made = Trace(NOW - age, "question", command="order", outcome="answered", rule="sales")
    made.add("erp order", "main", "ok", 0.25)
    made.end()
    return made


async def test_a_trace_is_found_as_it_ended(database: Database) -> None:
    stored, kept = StoredTraces(database), trace()
    stored.keep(kept)
    assert await stored.find(kept.reference) is None
    await stored.flush()
    await stored.flush()
    found = await stored.find(kept.reference)
    assert found is not None
    for name in ("at", "what", "reference", "command", "outcome", "rule", "steps", "left_out", "took"):
        assert getattr(found, name) == getattr(kept, name)


async def test_the_oldest_go_by_age_and_by_number(database: Database) -> None:
    stored, ages = StoredTraces(database), [timedelta(hours=hours) for hours in range(6)]
    kept = [trace(age) for age in ages]
    for each in kept:
        stored.keep(each)
    await stored.flush()

    async def found() -> list[int]:
        return [number for number, each in enumerate(kept) if await stored.find(each.reference)]

    await stored.prune(NOW, keep=timedelta(hours=4), most=100)
    assert await found() == [0, 1, 2, 3, 4]
    await stored.prune(NOW, keep=timedelta(hours=4), most=3)
    assert await found() == [0, 1, 2]
