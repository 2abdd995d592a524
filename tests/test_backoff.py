"""Pauses between tries."""

from __future__ import annotations

import pytest

from bot.mechanisms.backoff import Backoff, BackoffPolicy, BackoffSteps

DOUBLING = BackoffPolicy(first=1.0, longest=10.0)


def test_pauses_grow_up_to_the_longest() -> None:
    assert [DOUBLING.pause(failures) for failures in range(1, 7)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_pause_is_picked_within_its_spread() -> None:
    policy = BackoffPolicy(first=8.0, factor=4.0, spread=(0.5, 1.5))
    assert [policy.pause(2, chance) for chance in (0.0, 0.5, 1.0)] == [16.0, 32.0, 48.0]


def test_no_pause_is_below_the_shortest() -> None:
    policy = BackoffPolicy(first=2.0, spread=(0.0, 1.0), shortest=1.0)
    assert [policy.pause(3, chance) for chance in (0.0, 0.5, 1.0)] == [1.0, 4.5, 8.0]


@pytest.mark.parametrize("factor", [2.0, 4.0])
def test_days_of_failures_do_not_overflow(factor: float) -> None:
    assert BackoffPolicy(first=0.5, factor=factor, longest=30.0).pause(100_000) == 30.0


def test_listed_pauses_end_with_the_last_one() -> None:
    steps = BackoffSteps((5.0, 15.0, 60.0))
    assert [steps.pause(failures) for failures in range(1, 6)] == [5.0, 15.0, 60.0, 60.0, 60.0]


def test_a_success_starts_the_pauses_over() -> None:
    backoff = Backoff(DOUBLING)
    assert [backoff.failed() for _ in range(3)] == [1.0, 2.0, 4.0]
    backoff.succeeded()
    assert backoff.failed() == 1.0


def test_only_what_lasted_long_enough_is_a_success() -> None:
    backoff = Backoff(DOUBLING, stable_after=60.0)
    assert [backoff.ended(lasted) for lasted in (59.9, 0.0, 60.0, 59.9)] == [1.0, 2.0, 0.0, 1.0]


def test_chance_is_drawn_anew_for_each_pause() -> None:
    draws = iter([0.0, 1.0])
    backoff = Backoff(BackoffPolicy(first=2.0, spread=(0.5, 1.0)), lambda: next(draws))
    assert [backoff.failed(), backoff.failed()] == [1.0, 4.0]
