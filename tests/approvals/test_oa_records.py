"""What is remembered of approvals, on both databases, for two processes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.approvals.oa.forms import OaRecord, OaState
from bot.store.approvals.repository import StoredOaRecords
from bot.store.database import Database
from tests.approvals.company import NOW

Two = tuple[Database, Database]


async def test_a_record_comes_back_as_it_was_put(two: Two) -> None:
    one, other = map(StoredOaRecords, two)
    first = OaRecord(case="c-1", due_at=NOW)
    assert await one.missing(["c-1", "c-2"]) == {"c-1", "c-2"}
    assert await one.missing([]) == frozenset()
    assert await one.begin(first)
    assert not await other.begin(first)
    assert await other.missing(["c-1", "c-2"]) == {"c-2"}
    assert await other.under_way() == [first]
    full = replace(
        first,
        state=OaState.RUNNING,
        instance="i-1",
        originator="wu",
        started_at=NOW + timedelta(microseconds=3),
        tries=2,
        revision=7,
        done=(3, 4),
    )
    stored = await one.put(full)
    assert stored == replace(full, stamp=1)
    assert await other.under_way() == [stored]


async def test_of_two_who_change_a_record_one_does(two: Two) -> None:
    one, other = map(StoredOaRecords, two)
    record = OaRecord(case="c-1", due_at=NOW)
    await one.begin(record)
    assert await one.put(record) is not None
    assert await other.put(record) is None


async def test_what_is_heard_meanwhile_is_not_lost(two: Two) -> None:
    one, other = map(StoredOaRecords, two)
    record = OaRecord(case="c-1", due_at=NOW, state=OaState.RUNNING, instance="i-1")
    await one.begin(record)
    assert await other.mark_changed("i-1")
    assert not await other.mark_changed("i-2")
    assert await one.put(record) is not None
    (now,) = await one.under_way()
    assert (now.news, now.seen) == (1, 0)
    ended = replace(now, state=OaState.ENDED)
    assert await one.put(ended) is not None
    assert await one.under_way() == []
    assert not await other.mark_changed("i-1")


async def test_many_cases_at_once(two: Two) -> None:
    records = StoredOaRecords(two[0])
    cases = [f"c-{number}" for number in range(1200)]
    await records.begin(OaRecord(case="c-7", due_at=NOW))
    assert await records.missing(cases) == set(cases) - {"c-7"}
