"""Decisions made up for tests: who decided when, and how long that took."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.efficiency.waits import DecisionWait

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOVEMBER = datetime(2026, 11, 2, 10, tzinfo=SHANGHAI)


def decided(person: str, hours: float = 1, **fields: Any) -> DecisionWait:
    values: dict[str, Any] = {
        "case": "c",
        "person": person,
        "at": NOVEMBER,
        "waited": timedelta(hours=hours),
        "worked": timedelta(hours=hours / 2),
        "level": 1,
        "rule": "default",
        "currency": "CNY",
        "size": 1,
        "way": "card",
        "in_time": None,
        "approved": True,
        "changed": False,
        "kind": "po",
    }
    return DecisionWait(**values | fields)


def crowd(count: int, name: str = "p", **fields: Any) -> list[DecisionWait]:
    """Return a decision of each of several people."""
    return [decided(f"{name}{number}", number + 1, **fields) for number in range(count)]
