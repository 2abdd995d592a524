"""Which logins are admitted when many fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.web.failed_proofs import ADDRESSES, Bound, ProofBounds

HERE, THERE = "192.0.2.1", "198.51.100.7"


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 12, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


def bounds(clock: Clock, most: int = 3, in_all: int = 5) -> ProofBounds:
    """Return bounds that regain one login of an address in 20 s, and one of all in 10."""
    return ProofBounds(
        clock,
        of_address=Bound(most, timedelta(seconds=20)),
        of_all=Bound(in_all, timedelta(seconds=10)),
    )


def test_an_address_has_its_own_bound_and_regains_it() -> None:
    clock = Clock()
    tried = bounds(clock)
    assert [tried.admit(HERE) for _ in range(5)] == [True, True, True, False, False]
    assert tried.admit(THERE)
    clock.time += timedelta(seconds=20)
    assert [tried.admit(HERE) for _ in range(2)] == [True, False]
    clock.time += timedelta(hours=1)
    assert [tried.admit(HERE) for _ in range(4)] == [True, True, True, False]


def test_all_addresses_have_one_together() -> None:
    clock = Clock()
    tried = bounds(clock)
    assert sum(tried.admit(f"203.0.113.{number}") for number in range(50)) == 5
    clock.time += timedelta(seconds=10)
    assert sum(tried.admit(f"203.0.113.{number}") for number in range(50)) == 1


def test_a_login_that_succeeds_costs_nothing_of_it() -> None:
    tried = bounds(Clock())
    for _ in range(100):
        assert tried.admit(HERE)
        tried.succeed(HERE)
    assert [tried.admit(HERE) for _ in range(4)] == [True, True, True, False]


def test_more_is_regained_by_nothing() -> None:
    tried = bounds(Clock())
    for _ in range(10):
        tried.succeed(HERE)
    assert [tried.admit(HERE) for _ in range(4)] == [True, True, True, False]


def test_whoever_has_a_network_has_one_bound_in_it() -> None:
    tried = bounds(Clock())
    assert [tried.admit(f"2001:db8:0:1::{number:x}") for number in range(1, 6)] == [True, True, True, False, False]
    assert tried.admit("2001:db8:0:2::1")
    mapped = bounds(Clock())
    assert [mapped.admit(each) for each in (HERE, f"::ffff:{HERE}", HERE, HERE)] == [True, True, True, False]
    strange = bounds(Clock())
    assert [strange.admit(each) for each in ("", "nonsense", "", "x")] == [True, True, True, False]


def test_what_is_remembered_is_bounded() -> None:
    tried = bounds(Clock(), in_all=10**9)
    for number in range(ADDRESSES + 100):
        tried.admit(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(tried._by_address._items) == ADDRESSES
