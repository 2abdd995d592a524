"""The quota of a source: what floods is refused, and nobody else is."""

from __future__ import annotations

import pytest

from bot.alerts.intake.port import IntakeFull
from bot.alerts.intake.quota import SourceQuota


def test_more_than_may_wait_is_refused_until_it_was_counted_again() -> None:
    quota = SourceQuota(100)
    quota.admit("main", 60)
    quota.add("main", 60)
    quota.admit("main", 40)
    with pytest.raises(IntakeFull, match="60 events of main wait") as full:
        quota.admit("main", 41)
    assert full.value.retry_after
    quota.admit("other", 100)
    quota.recount({"main": 10})
    quota.admit("main", 90)


def test_a_hand_over_that_exceeds_the_quota_alone_is_taken_when_nothing_waits() -> None:
    quota = SourceQuota(100)
    quota.admit("main", 1000)
    quota.add("main", 1000)
    with pytest.raises(IntakeFull):
        quota.admit("main", 1)
