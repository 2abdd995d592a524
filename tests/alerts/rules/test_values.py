"""What the values of a document are read as."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.alerts.rules.values import (
    read_days,
    read_names,
    read_patterns,
    read_place,
    read_places,
    read_repeat,
    read_severities,
    read_severity,
    read_time,
    read_times,
    read_types,
    read_weekdays,
    read_zone,
)
from bot.outbox.place import Place
from bot.words.severity import Severity
from tests.rows import each_row

OFFICE, X = Place.parse("group:cidOffice"), Place.parse("group:cidX")


@each_row(
    ("read", "value", "wanted"),
    [
        (read_days, 1, 1),
        (read_days, 10_000, 10_000),
        (read_patterns, "stock.*", ("stock.*",)),
        (read_patterns, ["a", "b*", "*"], ("a", "b*", "*")),
        (read_types, ["stock.low", "stock.*", "custom.x", "custom.*", "cus*", "*"], None),
        (read_severity, "critical", Severity.CRITICAL),
        (read_severities, ["info", "critical"], ("info", "critical")),
        (read_repeat, "never", None),
        (read_repeat, "5m", timedelta(minutes=5)),
        (read_time, "8:30", time(8, 30)),
        (read_time, " 08:30 ", time(8, 30)),
        (read_time, "23:59", time(23, 59)),
        (read_time, "0:00", time(0)),
        (read_time, time(8, 30, 15, 7), time(8, 30)),
        (read_times, ["17:00", "08:30", "8:30"], (time(8, 30), time(17))),
        (read_times, [], ()),
        (read_weekdays, "workdays", (frozenset(range(1, 8)), True)),
        (read_weekdays, "restdays", (frozenset(range(1, 8)), False)),
        (read_weekdays, "weekdays", (frozenset({1, 2, 3, 4, 5}), None)),
        (read_weekdays, ["mon", "tue", "wed", "thu"], (frozenset({1, 2, 3, 4}), None)),
        (read_weekdays, ["fri", "sat", "sun"], (frozenset({5, 6, 7}), None)),
        (read_weekdays, "sat", (frozenset({6}), None)),
        (read_zone, "Europe/Berlin", ZoneInfo("Europe/Berlin")),
        (read_place, "group:cidX", X),
        (read_places, "group:cidX", (X,)),
        (read_places, ["group:cidX", "group:cidOffice"], (X, OFFICE)),
        (read_names(("a", "b")), ["b", "a"], ("b", "a")),
        (read_names(("a", "b")), [], ()),
    ],
)
def test_a_value_is_read_as(read: Any, value: object, wanted: object) -> None:
    assert read(value) == (tuple(value) if wanted is None and isinstance(value, list) else wanted)


@each_row(
    ("read", "value"),
    [
        (read_days, 0),
        (read_days, 10_001),
        (read_days, True),
        (read_days, "7"),
        (read_patterns, ["a*b"]),
        (read_patterns, ["**"]),
        (read_types, ["stock.low*x"]),
        (read_types, ["customs.*"]),
        (read_severity, 5),
        (read_repeat, "4m"),
        (read_time, "24:00"),
        (read_time, "8:3"),
        (read_time, 830),
        (read_times, "08:30"),
        (read_weekdays, []),
        (read_weekdays, ["mon", "monday"]),
        (read_weekdays, ["workdays"]),
        (read_zone, ""),
        (read_zone, "Europe"),
        (read_place, "nowhere"),
        (read_names(("a", "b")), ["a", "c"]),
    ],
)
def test_a_value_is_refused(read: Any, value: object) -> None:
    with pytest.raises(ValueError, match=r"^.+$"):
        read(value)
