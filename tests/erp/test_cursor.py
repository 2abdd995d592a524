"""The cursor by time: whatever happens in the ERP, no record is missed and none comes twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.erp.cursor import TimeCursor
from bot.erp.errors import Invalid
from bot.erp.model import Area, Change
from tests.rows import each_row

START = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
STEP = timedelta(seconds=1)


@dataclass
class Source:
    """An ERP that only knows when a record was last changed, and reads its rows by time and key."""

    overlap: timedelta = timedelta(0)
    times: dict[str, datetime] = field(default_factory=dict)

    def read(self, cursor: TimeCursor, limit: int) -> list[Change]:
        since = cursor.since(self.overlap)
        rows = sorted((at, key) for key, at in self.times.items() if since is None or at >= since)
        return [Change(area=Area.SALES, key=key, changed_at=at) for at, key in rows[: cursor.fetch_size(limit)]]

    def follow(self, text: str, limit: int) -> tuple[list[Change], str]:
        changes_seen: list[Change] = []
        while True:
            cursor = TimeCursor.parse(text)
            changes = cursor.next_changes(Area.SALES, self.read(cursor, limit), limit=limit, overlap=self.overlap)
            assert len(changes.items) <= limit
            changes_seen += changes.items
            text = changes.cursor
            if not changes.more:
                return changes_seen, text


edits = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 3)), max_size=12)
"""Edited records, and the seconds that passed before each edit."""


@given(rounds=st.lists(edits, max_size=6), limit=st.integers(1, 5))
def test_every_edit_that_is_still_visible_comes_once(rounds: list[list[tuple[str, int]]], limit: int) -> None:
    source, text, now = Source(), "", START
    seen: set[tuple[str, datetime]] = set()
    for edited in rounds:
        for key, seconds in edited:
            now += seconds * STEP
            source.times[key] = now
        changes_seen, text = source.follow(text, limit)
        pairs = {(change.key, change.changed_at) for change in changes_seen}
        assert len(pairs) == len(changes_seen)
        assert not pairs & seen
        seen |= pairs
        assert set(source.times.items()) <= seen


@given(late=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 5)), max_size=20), limit=st.integers(1, 5))
def test_what_is_committed_late_comes_within_the_overlap(late: list[tuple[str, int]], limit: int) -> None:
    source, text, now = Source(overlap=5 * STEP), "", START
    seen: set[tuple[str, datetime]] = set()
    for key, seconds in late:
        # A long transaction ends: its record bears the time at which it began.
        now += STEP
        if source.times.get(key, START) < now - seconds * STEP:
            source.times[key] = now - seconds * STEP
        source.times["clock"] = now
        changes_seen, text = source.follow(text, limit)
        pairs = {(change.key, change.changed_at) for change in changes_seen}
        assert not pairs & seen
        seen |= pairs
        assert set(source.times.items()) <= seen


def test_the_cursor_stays_small() -> None:
    source, text = Source(overlap=5 * STEP), ""
    for n in range(500):
        source.times[f"SO-{n}"] = START + n * STEP
        _, text = source.follow(text, 10)
    assert len(TimeCursor.parse(text).seen) == 6


def test_nothing_new_leaves_the_cursor_alone() -> None:
    source = Source(times={"a": START, "b": START})
    _, text = source.follow("", 10)
    assert source.follow(text, 10) == ([], text)
    assert str(TimeCursor.parse(text)) == text
    assert TimeCursor.parse("") == TimeCursor()
    assert str(TimeCursor()) == ""


def test_zones_do_not_matter() -> None:
    source = Source(times={"a": START})
    _, text = source.follow("", 10)
    source.times["a"] = START.astimezone(None)
    assert source.follow(text, 10)[0] == []


@each_row(
    "text",
    ["x", "[]", "[1, 2]", "{}", "null", '["2026-11-24T02:30:00", []]', '["2026-11-24T02:30:00+00:00", 5]', "[[]]"],
)
def test_a_cursor_of_somebody_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        TimeCursor.parse(text)
