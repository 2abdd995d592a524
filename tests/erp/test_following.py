"""Following an area in streams: no record is missed or comes twice, and full pages of known records are passed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.erp.errors import Invalid
from bot.erp.following import StreamPage, follow, latest
from bot.erp.model import Area, Changes
from tests.rows import each_row

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
STEP = timedelta(seconds=1)
Stream = list[tuple[str, int]]


class Source:
    """Streams of keys and steps; a stream is cut off like an ERP's list."""

    def __init__(self, *streams: Stream) -> None:
        self.streams = streams
        self.asked: list[int] = []

    async def read(self, since: datetime | None, count: int) -> Sequence[StreamPage]:
        self.asked.append(count)
        return [self._page(stream, since, count) for stream in self.streams]

    def _page(self, stream: Stream, since: datetime | None, count: int) -> StreamPage:
        ordered = sorted((START + step * STEP, key) for key, step in stream)
        rows = [(key, at) for at, key in ordered if since is None or at >= since][:count]
        return StreamPage(latest(rows), rows[-1][1] if len(rows) == count else None)

    async def next(self, cursor: str, limit: int, least: int = 0) -> Changes:
        return await follow(Area.SALES, cursor, limit=limit, overlap=5 * STEP, read=self.read, least=least)

    async def all(self, limit: int) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        cursor = ""
        while True:
            changes = await self.next(cursor, limit)
            assert len(changes.items) <= limit
            found += [(change.key, (change.changed_at - START) // STEP) for change in changes.items]
            if not changes.more:
                return found
            assert changes.cursor != cursor
            cursor = changes.cursor


streams = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 12)), max_size=20)


@given(streams, streams, st.integers(1, 4))
async def test_everything_comes_once_at_its_latest_time(first: Stream, second: Stream, limit: int) -> None:
    found = await Source(first, second).all(limit)
    assert len(found) == len(set(found))
    assert set(found) <= {*first, *second}
    last: dict[str, int] = {}
    for key, step in (*first, *second):
        last[key] = max(step, last.get(key, step))
    assert {*last.items()} <= set(found)


async def test_one_stream_does_not_overtake_another() -> None:
    source = Source([("a", 1), ("a", 2), ("a", 3), ("a", 4)], [("b", 9)])
    assert [change.key for change in (await source.next("", 1)).items] == ["a"]
    assert await source.all(1) == [("a", 2), ("a", 3), ("a", 4), ("b", 9)]


async def test_a_record_is_not_told_at_an_earlier_time_than_what_was_told_before() -> None:
    """Many rows of few records: a page that begins earlier and ends before the last one is read on."""
    source = Source([("c", 6), ("b", 5), ("b", 4), ("c", 4), ("b", 4), ("b", 3)])
    assert await source.all(1) == [("b", 4), ("b", 5), ("c", 6)]


async def test_a_full_page_of_what_is_known_is_passed() -> None:
    source = Source([("a", 0)])
    cursor = (await source.next("", 9)).cursor
    source.streams = ([*[("a", 0)] * 10, ("b", 0)],)
    changes = await source.next(cursor, 1)
    assert ([change.key for change in changes.items], changes.more) == (["b"], False)
    assert source.asked[1:] == [3, 12]


async def test_the_smallest_question() -> None:
    source = Source([])
    assert (await source.next("", 1, least=200)).items == ()
    assert source.asked == [200]


async def test_times_that_no_stream_tells() -> None:
    async def complete(known: dict[str, datetime]) -> dict[str, datetime]:
        del known["gone"]
        return {**known, "a": START + 9 * STEP}

    source = Source([("a", 1), ("gone", 2), ("b", 3)])
    changes = await follow(Area.SALES, "", limit=5, overlap=STEP, read=source.read, complete=complete)
    assert [(change.key, (change.changed_at - START) // STEP) for change in changes.items] == [("b", 3), ("a", 9)]
    assert all(change.changed_at.tzinfo is UTC for change in changes.items)


async def test_an_overlap_that_depends_on_the_time() -> None:
    asked: list[datetime | None] = []

    async def read(since: datetime | None, count: int) -> list[StreamPage]:
        asked.append(since)
        return [StreamPage({"a": START})]

    cursor = (await follow(Area.SALES, "", limit=5, overlap=lambda _: 7 * STEP, read=read)).cursor
    again = await follow(Area.SALES, cursor, limit=5, overlap=lambda _: 7 * STEP, read=read)
    assert (asked, again.items) == ([None, START - 7 * STEP], ())


@each_row("cursor", ["x", '["0001-01-01T00:00:00+00:00",[]]', '["9999-12-31T00:00:00+00:00",[]]'])
async def test_a_cursor_of_another_kind_is_refused(cursor: str) -> None:
    source = Source([])
    with pytest.raises(Invalid):
        await source.next(cursor, 1)
    assert not source.asked
