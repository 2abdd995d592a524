"""What a finding makes of a subject, and which of it is news."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.alerts.intake.poll_state import NORMAL, PolledRecord, PolledSubject
from bot.alerts.intake.transitions import OLDEST, PollCircumstances, apply_record, describe_changes
from bot.words.severity import Severity
from tests.rows import each_row

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 9, tzinfo=ZONE)
BEFORE = NOW - timedelta(hours=2)
POLLED = PollCircumstances(now=NOW, by_change=True)
QUIET = replace(POLLED, quiet=True)
SWEPT = replace(POLLED, by_change=False)


def known(**describe_changes: Any) -> PolledSubject:
    values = {"code": "SO-1", "state": "late", "told": True, "at": BEFORE, "said": {"due_on": "1"}, "seen_at": BEFORE}
    return PolledSubject(**{**values, **describe_changes})


def finding(**describe_changes: Any) -> PolledRecord:
    values = {
        "code": "SO-1",
        "state": "late",
        "type": "order.late",
        "data": {"number": "SO-1"},
        "said": {"due_on": "1"},
    }
    return PolledRecord(**{**values, **describe_changes})


def over(**describe_changes: Any) -> PolledRecord:
    return finding(state=NORMAL, data={"resolved": True}, said={}, **describe_changes)


def test_what_opens_is_news() -> None:
    made = apply_record(None, finding(severity=Severity.CRITICAL), POLLED)
    assert made.subject == known(at=NOW, seen_at=NOW)
    assert made.event == {
        "specversion": "1.0",
        "type": "order.late",
        "subject": "SO-1",
        "time": "2026-11-24T09:00:00.000+08:00",
        "data": {"number": "SO-1"},
        "severity": "critical",
    }


def test_the_severity_is_the_types_own_unless_the_finding_has_one() -> None:
    made = apply_record(None, finding(), POLLED)
    assert made.event is not None
    assert "severity" not in made.event


def test_what_was_never_open_leaves_nothing() -> None:
    assert apply_record(None, over(), POLLED) == apply_record(known(state=NORMAL), over(), POLLED)
    made = apply_record(None, over(), POLLED)
    assert (made.subject, made.event) == (None, None)


@each_row("told", [True, False])
@each_row("how", [POLLED, QUIET, SWEPT])
def test_what_is_as_it_was_is_only_seen(told: bool, how: PollCircumstances) -> None:
    made = apply_record(known(told=told), finding(is_worst=True, data={"number": "new"}), how)
    assert (made.subject, made.event) == (known(told=told, seen_at=NOW), None)


@pytest.mark.parametrize("is_worst", [True, False])
def test_a_backlog_that_was_taken_as_known_stays_quiet_at_each_edit(is_worst: bool) -> None:
    subject = apply_record(None, finding(is_worst=is_worst), QUIET).subject
    for day in range(2, 9):
        assert subject is not None
        assert not subject.told
        made = apply_record(subject, finding(is_worst=is_worst, said={"due_on": str(day)}), POLLED)
        assert made.event is None
        subject = made.subject
    assert subject == known(told=False, said={"due_on": "8"}, at=NOW, seen_at=NOW)


def test_of_a_backlog_only_the_worst_is_told() -> None:
    better = apply_record(known(told=False), finding(state="low"), POLLED)
    assert (better.subject, better.event) == (known(told=False, state="low", at=NOW, seen_at=NOW), None)
    gone = apply_record(known(told=False), over(), POLLED)
    assert gone.event is None
    assert gone.subject == known(state=NORMAL, told=False, said={}, at=NOW, seen_at=NOW)
    worst = apply_record(known(told=False), finding(state="out", type="stock.out", is_worst=True), POLLED)
    assert worst.event is not None
    assert worst.subject == known(state="out", told=True, at=NOW, seen_at=NOW)


def test_what_ended_quietly_is_news_when_it_opens_again() -> None:
    made = apply_record(known(state=NORMAL, told=False), finding(), POLLED)
    assert made.event is not None
    assert made.subject == known(at=NOW, seen_at=NOW)


def test_what_opens_while_the_backlog_is_read_is_known_and_not_told() -> None:
    assert apply_record(None, finding(), QUIET).event is None
    assert apply_record(known(state=NORMAL), finding(), QUIET).event is None
    assert apply_record(known(), finding(said={"due_on": "2"}), QUIET).event is not None, (
        "somebody was told of it before"
    )


def test_an_edit_of_an_open_matter_tells_its_changes() -> None:
    made = apply_record(known(), finding(said={"due_on": "2"}, change_type="order.changed"), POLLED)
    assert made.event is not None
    assert (made.event["type"], made.event["data"]) == (
        "order.changed",
        {"number": "SO-1", "changes": ["due_on: 1 → 2"]},
    )
    same = apply_record(known(), finding(said={"due_on": "2"}), POLLED)
    assert same.event is not None
    assert same.event["type"] == "order.late"


def test_another_state_is_an_event_of_its_own_type() -> None:
    made = apply_record(known(), finding(state="out", type="stock.out", change_type="order.changed"), POLLED)
    assert made.event is not None
    assert (made.event["type"], made.event["data"]) == ("stock.out", {"number": "SO-1"})
    again = apply_record(known(state=NORMAL, said={}), finding(change_type="order.changed"), POLLED)
    assert again.event is not None
    assert (again.event["type"], again.event["data"]) == ("order.late", {"number": "SO-1"})


def test_the_end_of_what_was_told_is_told() -> None:
    made = apply_record(known(), over(), POLLED)
    assert made.event is not None
    assert made.event["data"] == {"resolved": True}
    assert made.subject == known(state=NORMAL, said={}, at=NOW, seen_at=NOW)


def test_changes_have_a_line_each_and_no_versions() -> None:
    before = {"due_on": "1", "amount": "5", "gone": "x", "version": "a"}
    after = {"due_on": "2", "amount": "5", "new": "y", "version": "b"}
    assert describe_changes(before, after) == ["due_on: 1 → 2", "gone: x → –", "new: – → y"]


MIDNIGHT = datetime(2026, 11, 20, tzinfo=ZONE)


@each_row(
    ("subject", "found", "how", "at"),
    [
        (None, finding(changed_at=BEFORE), POLLED, BEFORE),
        (None, finding(), POLLED, NOW),
        (None, finding(changed_at=NOW + timedelta(hours=1)), POLLED, NOW),
        (None, finding(changed_at=NOW - 2 * OLDEST), POLLED, NOW - OLDEST),
        (None, finding(changed_at=BEFORE, since=date(2026, 11, 20)), SWEPT, MIDNIGHT),
        (None, finding(changed_at=BEFORE, since=date(2026, 11, 20)), POLLED, BEFORE),
        (None, finding(since=date(2020, 1, 1)), SWEPT, NOW - OLDEST),
        (known(state=NORMAL), finding(changed_at=NOW, since=date(2026, 11, 20)), SWEPT, NOW),
        (known(state=NORMAL), finding(changed_at=MIDNIGHT), POLLED, BEFORE),
        (known(at=MIDNIGHT), finding(changed_at=BEFORE, said={}), POLLED, BEFORE),
    ],
)
def test_the_time_is_the_erps_within_bounds(
    subject: PolledSubject | None, found: PolledRecord, how: PollCircumstances, at: datetime
) -> None:
    made = apply_record(subject, found, how)
    assert made.subject is not None
    assert made.event is not None
    assert (made.subject.at, made.event["time"]) == (at, at.isoformat(timespec="milliseconds"))
