"""The classes of time within which the median and the 90th percentile lie."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.efficiency.speeds import TimeCount, Timed, measure_speeds


def times(source: str, **numbers: int) -> list[TimeCount]:
    """Return counts by class: ``s2`` is two seconds, ``longer`` is above all classes."""
    return [
        TimeCount(
            timed=Timed.CALLS if source else Timed.ANSWERS,
            source=source,
            within=None if name == "longer" else timedelta(seconds=int(name[1:])),
            number=number,
        )
        for name, number in numbers.items()
    ]


@pytest.mark.parametrize(
    ("counted", "median", "ninetieth"),
    [
        ({"s1": 1}, "at most 1 s", "at most 1 s"),
        ({"s1": 5, "s2": 5}, "at most 1 s", "at most 2 s"),
        ({"s1": 4, "s2": 6}, "at most 2 s", "at most 2 s"),
        ({"s2": 9, "s30": 0, "longer": 1}, "at most 2 s", "at most 2 s"),
        ({"longer": 2, "s2": 8, "s30": 0}, "at most 2 s", "over 30 s"),
    ],
)
def test_classes(counted: dict[str, int], median: str, ninetieth: str) -> None:
    (speed,) = measure_speeds(times("", **counted))
    assert (str(speed.median), str(speed.ninetieth)) == (median, ninetieth)
    assert speed.number == sum(counted.values())


def test_each_source_has_its_own_and_nothing_is_said_of_what_was_not_asked() -> None:
    failures = TimeCount(timed=Timed.FAILURES, source="erp", within=None, number=3)
    speeds = measure_speeds([*times("erp", s1=7), *times("", s2=1), *times("idle", s1=0), failures])
    assert [(speed.source, speed.number, speed.failed) for speed in speeds] == [("", 1, 0), ("erp", 7, 3)]
