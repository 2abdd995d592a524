"""Rosters: who is on duty gets what goes to them, also at night and in later steps."""

from __future__ import annotations

import pytest

from bot.rulefiles.errors import RulesError
from bot.words.severity import Severity
from tests.alerts.rules.builders import NOW, at, event, rule_set
from tests.rows import each_row

RULES = """
[windows.night]
from = "22:00"
to = "06:00"

[rosters.night]
people = ["keeper01", "keeper02", "keeper03"]
since = 2026-11-23
window = "night"

[rosters.weeks]
people = ["fin01", "fin02"]
since = 2026-11-23
turn_days = 7

[[routes]]
name = "night"
types = ["stock.out"]
to = ["roster:night"]

[[routes]]
name = "weeks"
types = ["invoice.*"]
to = ["group:cidFinance", "roster:weeks"]
escalate = [{after = "14h", to = ["roster:night"]}]
"""


def places(kind: str, now: str) -> list[str]:
    found = rule_set(RULES).route(event(kind), Severity.WARNING, at(now))
    return [str(target.place) for target in found.targets]


@each_row(
    ("now", "reached"),
    [
        ("2026-11-23 22:00", "person:keeper01"),
        ("2026-11-24 05:59", "person:keeper01"),
        ("2026-11-24 06:00", "group:cidOffice"),
        ("2026-11-24 22:00", "person:keeper02"),
        ("2026-11-25 23:00", "person:keeper03"),
        ("2026-11-26 23:00", "person:keeper01"),
        ("2026-11-23 05:59", "group:cidOffice"),
    ],
)
def test_a_night_is_of_one_person_and_outside_of_it_nothing_is_lost(now: str, reached: str) -> None:
    assert places("stock.out", now) == [reached]


@each_row(
    ("now", "reached"),
    [
        ("2026-11-22 23:59", ["group:cidFinance"]),
        ("2026-11-23 00:00", ["group:cidFinance", "person:fin01"]),
        ("2026-11-29 23:59", ["group:cidFinance", "person:fin01"]),
        ("2026-11-30 00:00", ["group:cidFinance", "person:fin02"]),
        ("2026-12-07 00:00", ["group:cidFinance", "person:fin01"]),
    ],
)
def test_a_turn_lasts_its_days(now: str, reached: list[str]) -> None:
    assert places("invoice.overdue", now) == reached


def test_a_step_goes_to_whoever_is_on_duty_when_it_is_due() -> None:
    target = rule_set(RULES).route(event("invoice.overdue"), Severity.WARNING, NOW).targets[0]
    assert [str(place) for step in target.steps for place in step.places] == ["person:keeper02"]


def test_it_is_said_that_nobody_is_on_duty() -> None:
    why = rule_set(RULES).route(event("stock.out"), Severity.WARNING, NOW).why
    assert "night: nobody of [rosters.night] is on duty" in why


@each_row(
    ("text", "problem"),
    [
        ('[[routes]]\nto = ["roster:day"]\n', "line 2: to: no [rosters.day] is written"),
        ("[rosters.x]\nsince = 2026-11-23\n", "people is missing"),
        ("[rosters.x]\npeople = []\nsince = 2026-11-23\n", "the list is empty"),
        ('[rosters.x]\npeople = ["a"]\n', "since is missing"),
        ('[rosters.x]\npeople = ["a"]\nsince = 2026-11-23\nturn_days = 0\n', "a number of days"),
        ('[rosters.x]\npeople = ["a"]\nsince = 2026-11-23\nwindow = "day"\n', "no window 'day'"),
        ('[rosters.x]\npeople = ["a"]\nsince = 2026-11-23\n[default]\nto = ["roster:x"]\n', "may reach nobody"),
    ],
)
def test_a_wrong_roster_is_told(text: str, problem: str) -> None:
    with pytest.raises(RulesError) as raised:
        rule_set(text)
    assert problem in str(raised.value)
