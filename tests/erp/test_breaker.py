"""The breaker: when a source is left alone, and how it comes back."""

from __future__ import annotations

import pytest

from bot.erp.breaker import Breaker, State
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


class Bench:
    """A breaker of three failures and ten seconds, its clock and the states it went through."""

    def __init__(self, failures: int = 3) -> None:
        self.seconds = 0.0
        self.states: list[State] = []
        self.breaker = Breaker(
            "main", failures=failures, pause=10.0, monotonic=lambda: self.seconds, on_change=self.states.append
        )

    def fail(self, *errors: ErpError) -> None:
        for error in errors:
            self.breaker.admit()
            self.breaker.failed(error)


DOWN = Unavailable("down")


def test_it_opens_after_failures_in_a_row_and_refuses_without_a_call() -> None:
    bench = Bench()
    bench.fail(DOWN, DOWN)
    assert bench.breaker.state is State.CLOSED
    bench.fail(DOWN)
    assert bench.states == [State.OPEN]
    with pytest.raises(Unavailable) as caught:
        bench.breaker.admit()
    assert caught.value.source == "main"


def test_a_success_between_begins_the_count_anew() -> None:
    bench = Bench()
    bench.fail(DOWN, DOWN)
    bench.breaker.admit()
    bench.breaker.succeeded()
    bench.fail(DOWN, DOWN)
    assert bench.breaker.state is State.CLOSED


@pytest.mark.parametrize("error", [NotFound("x"), NotPermitted("x"), Invalid("x")])
def test_an_erp_that_says_no_is_there(error: ErpError) -> None:
    bench = Bench()
    bench.fail(DOWN, DOWN, error, DOWN, DOWN)
    assert bench.breaker.state is State.CLOSED


def test_a_busy_erp_neither_counts_nor_clears() -> None:
    bench = Bench()
    bench.fail(DOWN, DOWN, *[RateLimited("busy")] * 5)
    assert bench.breaker.state is State.CLOSED
    bench.fail(DOWN)
    assert bench.breaker.state is State.OPEN


def test_after_the_pause_one_call_is_let_through_and_decides() -> None:
    bench = Bench()
    bench.fail(DOWN, DOWN, DOWN)
    bench.seconds = 9.9
    with pytest.raises(Unavailable):
        bench.breaker.admit()
    bench.seconds = 10.0
    bench.breaker.admit()
    with pytest.raises(Unavailable):
        bench.breaker.admit()
    bench.breaker.failed(DOWN)
    assert bench.breaker.state is State.OPEN
    bench.seconds = 19.9
    with pytest.raises(Unavailable):
        bench.breaker.admit()
    bench.seconds = 20.0
    bench.breaker.admit()
    bench.breaker.succeeded()
    bench.breaker.admit()
    assert bench.states == [State.OPEN, State.HALF_OPEN, State.OPEN, State.HALF_OPEN, State.CLOSED]


def test_a_probe_that_was_cancelled_leaves_the_way_to_the_next() -> None:
    bench = Bench()
    bench.fail(DOWN, DOWN, DOWN)
    bench.seconds = 10.0
    bench.breaker.admit()
    bench.breaker.gave_up()
    bench.breaker.admit()
    assert bench.breaker.state is State.HALF_OPEN


def test_a_wrong_account_is_not_tried_again_and_again() -> None:
    bench = Bench()
    bench.fail(*[AuthFailed("key")] * 3)
    with pytest.raises(AuthFailed):
        bench.breaker.admit()


def test_late_answers_of_calls_from_before_do_not_lengthen_the_count() -> None:
    bench = Bench()
    for _ in range(5):
        bench.breaker.admit()
    for _ in range(5):
        bench.breaker.failed(UnknownOutcome("late"))
    assert bench.states == [State.OPEN]


def test_zero_failures_never_open() -> None:
    bench = Bench(failures=0)
    bench.fail(*[DOWN] * 50)
    assert bench.states == []
