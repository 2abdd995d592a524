"""Lengths of time, as people type them."""

from __future__ import annotations

from datetime import timedelta

from bot.chat.parsing import normalise, parse_duration
from tests.rows import each_row


@each_row(
    ("text", "length"),
    [
        ("2h", timedelta(hours=2)),
        ("２Ｈ", timedelta(hours=2)),
        ("2 hours", timedelta(hours=2)),
        ("1.5h", timedelta(minutes=90)),
        ("30m", timedelta(minutes=30)),
        ("90 分钟", timedelta(minutes=90)),
        ("两小时", timedelta(hours=2)),
        ("三个小时", timedelta(hours=3)),
        ("半小时", timedelta(minutes=30)),
        ("半个小时", timedelta(minutes=30)),
        ("半天", timedelta(hours=12)),
        ("1d", timedelta(days=1)),
        ("3天", timedelta(days=3)),
        ("一周", timedelta(weeks=1)),
        ("2 weeks", timedelta(weeks=2)),
        ("0h", timedelta(0)),
    ],
)
def test_lengths(text: str, length: timedelta) -> None:
    assert parse_duration(normalise(text)) == length


@each_row("text", ["", "h", "2", "2x", "two hours", "-2h", "2h30", "99999h", "2h 3h", "半", "1e3h", "2.h"])
def test_what_is_no_length(text: str) -> None:
    assert parse_duration(normalise(text)) is None
