"""Findings: what costs time, in the figures of three months, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from bot.efficiency.findings import (
    FindingTopic,
    LineToSend,
    find_noisy_rules,
    find_repeated_questions,
    find_slow_levels,
    find_slow_vendors,
    find_unread_sentences,
    finding_id,
    months_of_findings,
    order_findings,
)
from bot.efficiency.lead_times import LeadCase
from bot.efficiency.questions import QuestionHour, UnreadSentence
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


def received(vendor: str, *late_by: int | None) -> list[LeadCase]:
    """Return orders that came so many days after the promised day; None of those that had none."""
    day = date(2026, 11, 10)
    return [
        LeadCase(
            command="po",
            number=f"PO-{number}",
            partner=vendor,
            began=date(2026, 10, 1),
            ended=day,
            due=None if late is None else day - timedelta(days=late),
            source="erp",
        )
        for number, late in enumerate(late_by)
    ]


@each_row(
    "cases, found",
    [
        (received("宏达", *[3] * 4, *[0] * 6), ["宏达"]),
        (received("宏达", *[3] * 3, *[0] * 7), []),
        (received("宏达", *[3] * 9), []),
        (received("宏达", *[3] * 9, None, None), []),
        ([*received("宏达", *[3] * 5, *[0] * 5), *received("大疆", *[3] * 10)], ["大疆", "宏达"]),
        ([], []),
    ],
)
def test_a_vendor_whose_orders_often_come_late_is_found(cases: Sequence[LeadCase], found: list[str]) -> None:
    assert [each.subject for each in find_slow_vendors({MONTH: cases})] == found


def test_a_slow_vendor_is_told_with_its_orders_and_a_list_that_comes_each_week() -> None:
    (finding,) = find_slow_vendors({MONTH: received("Acme 2000 Tools", 2, 3, 4, 7, *[0] * 6)})
    assert str(finding.seen) == "“Acme 2000 Tools” was late with 40% of 10 orders, by 3.5 days in the median."
    assert finding.cost == timedelta(days=16) * 28 / 30
    assert finding.evidence == '/po "Acme 2000 Tools"'
    assert isinstance(finding.remedy, LineToSend)
    assert finding.remedy.line == '/subscribe po late "Acme 2000 Tools" 09:00 every monday'


def asked(line: str, *people: int, hour: int = 9) -> list[QuestionHour]:
    """Return how many people asked on the Mondays of the month."""
    return [
        QuestionHour(day=date(2026, 11, 2 + 7 * week), hour=hour, line=line, number=count + 1, people=count)
        for week, count in enumerate(people)
    ]


@each_row(
    "hours, found",
    [
        (asked("/chart ageing", 12, 6, 9, 14), ["/chart ageing"]),
        (asked("/chart ageing", 12, 6, 9, 5, 14), ["/chart ageing"]),
        (asked("/chart ageing", 12, 6, 9, 5), []),
        (asked("/chart ageing", 12, 6, 9), []),
        ([*asked("/chart ageing", 12, 6), *asked("/chart ageing", 12, 6, hour=10)], []),
        ([*asked("/chart ageing", 6, 6, 6, 6), *asked("/report", 7, 7, 7, 7)], ["/chart ageing", "/report"]),
        ([], []),
    ],
)
def test_a_line_that_many_ask_in_one_hour_of_the_week_is_found(hours: Sequence[QuestionHour], found: list[str]) -> None:
    assert [each.subject for each in find_repeated_questions(hours, MONTH)] == found


def test_what_many_ask_is_told_with_the_subscription_that_saves_it() -> None:
    (finding,) = find_repeated_questions(asked("/chart ageing", 12, 14, 13, 5, 17), MONTH)
    assert str(finding.seen) == (
        "At least 12 people asked /chart ageing by hand, on 4 days in the hour from 09:00: Mondays."
    )
    assert finding.cost == timedelta(minutes=60) * 28 / 30
    assert finding.evidence == "/efficiency 2026-11 questions"
    assert isinstance(finding.remedy, LineToSend)
    assert finding.remedy.line == "/subscribe chart ageing 09:00 every monday"


@each_row("people, found", [(6, 1), (5, 0)])
def test_what_many_ask_in_vain_is_found(people: int, found: int) -> None:
    """Of five one may read the finding, and would know of four."""
    asked_in_vain = UnreadSentence(text="〈product〉的毛重", number=30, people=people, weeks=2)
    assert len(find_unread_sentences([asked_in_vain], MONTH)) == found


def test_what_many_ask_in_vain_says_where_a_word_is_taught() -> None:
    (finding,) = find_unread_sentences([UnreadSentence(text="〈product〉的毛重", number=30, people=8, weeks=2)], MONTH)
    assert str(finding.seen) == (
        "8 people asked “〈product〉的毛重” in 2026-11, 30 times and in 2 of its weeks, and were not understood."
    )
    assert finding.cost == timedelta(minutes=300) * 28 / 30
    assert finding.remedy is None
    assert "understanding.sentences" in str(finding.unrehearsed)


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
