"""Limits of a source: evenly spaced calls; when the breaker opens and closes."""

from __future__ import annotations

import pytest

from bot.erp.errors import (
    AuthFailed,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    RateLimited,
    Unavailable,
    UnknownOutcome,
)
from bot.erp.limits import BreakerState, CallRate, CircuitBreaker
from tests.rows import each_row


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


class BreakerHarness:
    """A breaker of three failures and ten seconds, with its clock and its past states."""

    def __init__(self, failures: int = 3) -> None:
        self.seconds = 0.0
        self.states: list[BreakerState] = []
        self.breaker = CircuitBreaker(
            "main", failures=failures, pause=10.0, monotonic=lambda: self.seconds, on_change=self.states.append
        )

    def fail(self, *errors: ErpError) -> None:
        for error in errors:
            self.breaker.admit()
            self.breaker.failed(error)


DOWN = Unavailable("down")


def test_it_opens_after_failures_in_a_row_and_refuses_without_a_call() -> None:
    harness = BreakerHarness()
    harness.fail(DOWN, DOWN)
    assert harness.breaker.state is BreakerState.CLOSED
    harness.fail(DOWN)
    assert harness.states == [BreakerState.OPEN]
    with pytest.raises(Unavailable) as caught:
        harness.breaker.admit()
    assert caught.value.source == "main"


def test_a_success_between_begins_the_count_anew() -> None:
    harness = BreakerHarness()
    harness.fail(DOWN, DOWN)
    harness.breaker.admit()
    harness.breaker.succeeded()
    harness.fail(DOWN, DOWN)
    assert harness.breaker.state is BreakerState.CLOSED


@each_row("error", [NotFound("x"), NotPermitted("x"), Invalid("x")])
def test_an_erp_that_says_no_is_there(error: ErpError) -> None:
    harness = BreakerHarness()
    harness.fail(DOWN, DOWN, error, DOWN, DOWN)
    assert harness.breaker.state is BreakerState.CLOSED


def test_a_busy_erp_neither_counts_nor_clears() -> None:
    harness = BreakerHarness()
    harness.fail(DOWN, DOWN, *[RateLimited("busy")] * 5)
    assert harness.breaker.state is BreakerState.CLOSED
    harness.fail(DOWN)
    assert harness.breaker.state is BreakerState.OPEN


def test_after_the_pause_one_call_is_let_through_and_decides() -> None:
    harness = BreakerHarness()
    harness.fail(DOWN, DOWN, DOWN)
    harness.seconds = 9.9
    with pytest.raises(Unavailable):
        harness.breaker.admit()
    harness.seconds = 10.0
    harness.breaker.admit()
    with pytest.raises(Unavailable):
        harness.breaker.admit()
    harness.breaker.failed(DOWN)
    assert harness.breaker.state is BreakerState.OPEN
    harness.seconds = 19.9
    with pytest.raises(Unavailable):
        harness.breaker.admit()
    harness.seconds = 20.0
    harness.breaker.admit()
    harness.breaker.succeeded()
    harness.breaker.admit()
    assert harness.states == [
        BreakerState.OPEN,
        BreakerState.HALF_OPEN,
        BreakerState.OPEN,
        BreakerState.HALF_OPEN,
        BreakerState.CLOSED,
    ]


def test_a_probe_that_was_cancelled_leaves_the_way_to_the_next() -> None:
    harness = BreakerHarness()
    harness.fail(DOWN, DOWN, DOWN)
    harness.seconds = 10.0
    harness.breaker.admit()
    harness.breaker.abandoned()
    harness.breaker.admit()
    assert harness.breaker.state is BreakerState.HALF_OPEN


def test_a_wrong_account_is_not_tried_again_and_again() -> None:
    harness = BreakerHarness()
    harness.fail(*[AuthFailed("key")] * 3)
    with pytest.raises(AuthFailed):
        harness.breaker.admit()


def test_late_answers_of_calls_from_before_do_not_lengthen_the_count() -> None:
    harness = BreakerHarness()
    for _ in range(5):
        harness.breaker.admit()
    for _ in range(5):
        harness.breaker.failed(UnknownOutcome("late"))
    assert harness.states == [BreakerState.OPEN]


def test_zero_failures_never_open() -> None:
    harness = BreakerHarness(failures=0)
    harness.fail(*[DOWN] * 50)
    assert harness.states == []
