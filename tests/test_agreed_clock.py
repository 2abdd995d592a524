"""Replicas agree on the time of their database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.mechanisms.agreed_clock import AgreedClock
from tests.rows import each_row

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


@each_row(
    ("fast", "took", "differs"),
    [
        (60.0, 0.0, 0.0),
        (-60.0, 0.2, 0.0),
        (0.2, 0.0, 0.2),  # as likely the network's
        (60.0, 5.0, 60.0),  # the answer came too late to tell
    ],
)
def test_a_wrong_clock_is_corrected(fast: float, took: float, differs: float) -> None:
    true_time, own = NOON, NOON + timedelta(seconds=fast)
    clock = AgreedClock(SHANGHAI, own=lambda: own)
    asked = clock.own()
    own += timedelta(seconds=took)
    clock.agree(true_time + timedelta(seconds=took / 2), asked)
    assert clock.now() - (true_time + timedelta(seconds=took)) == timedelta(seconds=differs)
    assert clock.now().tzinfo is SHANGHAI


def test_a_clock_that_is_set_right_is_followed() -> None:
    own = NOON + timedelta(minutes=1)
    clock = AgreedClock(SHANGHAI, own=lambda: own)
    clock.agree(NOON, clock.own())
    own = NOON
    clock.agree(NOON, clock.own())
    assert clock.now() == NOON
