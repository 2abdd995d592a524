"""Findings: what costs time, in the figures of three months, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from bot.efficiency.findings import (
    FindingTopic,
    find_noisy_rules,
    find_slow_levels,
    finding_id,
    months_of_findings,
    order_findings,
)
from bot.efficiency.waits import AlertWait, DecisionWait
from tests.efficiency.year import NOVEMBER, decided
from tests.rows import each_row

MONTH = date(2026, 11, 1)


def _decisions(count: int, **fields: Any) -> list[DecisionWait]:
    return [decided(f"p{number % 7}", **fields) for number in range(count)]


def _alerts(count: int, *, ignored: int, rule: str = "low stock") -> list[AlertWait]:
    return [
        AlertWait(
            number=number,
            person="" if number < ignored else f"p{number}",
            at=NOVEMBER,
            rule=rule,
            acknowledged=None if number < ignored else timedelta(hours=1),
            resolved=None,
            ignored=number < ignored,
            repeated=False,
        )
        for number in range(count)
    ]


@each_row(
    "waits, found",
    [
        (_decisions(20, hours=31), 1),
        (_decisions(19, hours=31), 0),
        (_decisions(20, hours=23), 0),
        ([*_decisions(18, hours=31), *_decisions(2, hours=31, approved=False)], 1),
        ([*_decisions(17, hours=31), *_decisions(3, hours=31, approved=False)], 0),
        ([*_decisions(17, hours=31), *_decisions(3, hours=31, changed=True)], 0),
        ([*_decisions(19, hours=31), *_decisions(19, hours=31, level=2)], 0),
        ([*_decisions(20, hours=31), *_decisions(20, hours=31, rule="large")], 2),
        ([], 0),
    ],
)
def test_a_level_that_waits_long_and_changes_nothing_is_found(waits: Sequence[DecisionWait], found: int) -> None:
    assert len(find_slow_levels({MONTH: waits})) == found


@each_row(
    "waits, found",
    [
        (_alerts(20, ignored=14), 1),
        (_alerts(20, ignored=13), 0),
        (_alerts(19, ignored=19), 0),
        ([*_alerts(20, ignored=20), *_alerts(20, ignored=2, rule="late")], 1),
        ([], 0),
    ],
)
def test_a_rule_whose_alerts_nobody_takes_up_is_found(waits: Sequence[AlertWait], found: int) -> None:
    assert len(find_noisy_rules({MONTH: waits})) == found


def test_findings_say_what_was_seen_and_come_in_the_order_of_what_they_cost() -> None:
    months = {date(2026, 10, 1): [], MONTH: _decisions(40, hours=31, level=2, rule="large")}
    slow = find_slow_levels(months)
    noisy = find_noisy_rules({MONTH: _alerts(50, ignored=42)})
    first, second = order_findings([*noisy, *slow])
    assert str(first.seen) == (
        "Level 2 of “large” waits 31 h in the median, and 100% of 40 decisions approve what stays unchanged."
    )
    assert first.cost == timedelta(hours=31) * 40 * 28 / 30, "of the months that have figures"
    assert (first.subject, first.level) == ("large", 2)
    assert first.evidence == "/decisions decided 2026-11-01..2026-11-30"
    assert str(second.seen) == "Nobody took up 84% of the 50 alerts of “low stock”."
    assert second.id == finding_id(FindingTopic.ALERTS, "low stock")


def test_full_months_are_looked_at() -> None:
    assert months_of_findings(date(2026, 12, 2)) == (MONTH, date(2026, 10, 1), date(2026, 9, 1))
