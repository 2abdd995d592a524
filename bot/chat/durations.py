"""Lengths of time as people type them: ``2h``, ``90 分钟``, ``半天``, ``1.5 days``."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

_UNITS = {
    timedelta(minutes=1): ("m", "min", "mins", "minute", "minutes", "分", "分钟"),
    timedelta(hours=1): ("h", "hr", "hrs", "hour", "hours", "小时", "个小时", "时", "钟头", "个钟头"),
    timedelta(days=1): ("d", "day", "days", "天", "日"),
    timedelta(weeks=1): ("w", "wk", "week", "weeks", "周", "星期", "个星期", "礼拜", "个礼拜"),
}
_LENGTHS = {name: length for length, names in _UNITS.items() for name in names}
_DURATION = re.compile(r"(\d{1,4}(?:\.\d{1,2})?|半)\s*个?\s*([^\W\d_]+)")
_NUMERALS = str.maketrans("一二两三四五六七八九", "1223456789")
_HALF = Decimal("0.5")


def parse_duration(text: str) -> timedelta | None:
    """Return how long a normalised text says, None when it says no length of time."""
    match = _DURATION.fullmatch(text.strip().casefold().translate(_NUMERALS))
    length = _LENGTHS.get(match[2]) if match else None
    if match is None or length is None:
        return None
    amount = _HALF if match[1] == "半" else Decimal(match[1])
    return timedelta(seconds=int(amount * int(length.total_seconds())))
