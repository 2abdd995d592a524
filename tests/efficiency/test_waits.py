"""What became of an alert, and who made it that."""

from __future__ import annotations

from datetime import timedelta

from bot.alerts.alert import UserStamp
from bot.efficiency.waits import alert_wait
from tests.efficiency.year import NOVEMBER
from tests.rows import each_row


@each_row(
    "days, person, acknowledged, ignored",
    [
        ({}, "", None, True),
        ({"acknowledged": 1, "snoozed": 0}, "acknowledged", timedelta(days=1), False),
        ({"assigned": 2, "snoozed": 1}, "assigned", None, False),
        ({"acknowledged": 8, "snoozed": 6}, "snoozed", None, False),
        ({"acknowledged": 8}, "", None, True),
    ],
)
def test_an_alert_is_about_who_took_it_up_in_time(
    days: dict[str, int], person: str, acknowledged: timedelta | None, ignored: bool
) -> None:
    stamps = {name: UserStamp(name, "", NOVEMBER + timedelta(days=after)) for name, after in days.items()}
    wait = alert_wait(number=1, rule="r", shown_at=NOVEMBER, resolved_at=None, stamps=stamps, repeated=False)
    assert (wait.person, wait.acknowledged, wait.ignored) == (person, acknowledged, ignored)
