"""The rate of calls: a burst of a second, then evenly spaced."""

from __future__ import annotations

import pytest

from bot.erp.rate import CallRate


def test_a_burst_of_one_second_and_then_one_after_the_other() -> None:
    rate = CallRate(4, lambda: 0.0)
    waits = [rate.reserve(10) for _ in range(6)]
    assert waits == [0, 0, 0, 0, pytest.approx(0.25), pytest.approx(0.5)]


def test_in_the_long_run_it_is_kept() -> None:
    seconds = 0.0
    rate = CallRate(5, lambda: seconds)
    for _ in range(100):
        seconds += rate.reserve(10) or 0.0
    assert seconds == pytest.approx((100 - 5) / 5)


def test_a_slow_rate_has_no_burst() -> None:
    rate = CallRate(0.5, lambda: 0.0)
    assert [rate.reserve(10), rate.reserve(10)] == [0, 2]


def test_who_would_wait_too_long_takes_no_place() -> None:
    seconds = 0.0
    rate = CallRate(1, lambda: seconds)
    assert rate.reserve(0.5) == 0
    assert rate.reserve(0.5) is None
    assert rate.wait == pytest.approx(1.0)
    seconds = 0.75
    assert rate.reserve(0.5) == pytest.approx(0.25)
