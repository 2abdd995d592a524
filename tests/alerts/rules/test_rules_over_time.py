"""The rules as a company writes them: what each place sees as time passes."""

from __future__ import annotations

from typing import Any

from bot.words.severity import Severity
from tests.alerts.conftest import NewScenario
from tests.alerts.rules.builders import rule_set
from tests.alerts.scenario import LATE, event, fine, low, second

HOUR = 3600
RULES = """
[owners]
W1 = "group:cidW1"
W2 = "group:cidW2"

[windows.workhours]
days = "workdays"
from = "08:30"
to = "17:30"

[[severity]]
types = ["invoice.overdue"]
when = "amount == null"
severity = "critical"

[[routes]]
name = "screws"
categories = ["screws"]
digest = ["10:00", "17:00"]
to = ["owner"]

[[routes]]
name = "stock"
types = ["stock.*"]
to = ["owner"]
group_by = ["warehouse"]
wait = "1m"
window = "workhours"
escalate = [{after = "2h", to = ["role:boss"]}]

[[inhibit]]
name = "closed"
source = {types = ["custom.closed"]}
target = {types = ["stock.*"]}
equal = ["warehouse"]

[[silences]]
from = 2026-11-24T12:00:00
until = 2026-11-24T13:00:00
types = ["production.*"]
"""


def scenario_of(new_scenario: NewScenario) -> Any:
    return new_scenario(rule_set(RULES))


def test_each_warehouse_sees_its_own_gathered(new_scenario: NewScenario) -> None:
    life = scenario_of(new_scenario)
    life.at(0, low("A", warehouse="W1"), low("B", warehouse="W2"), low("C", warehouse="W1"))
    assert life.at(90) == ["60 group:cidW1 card1 A open, C open", "60 group:cidW2 card2 B open"]


def test_the_boss_hears_of_it_if_nobody_acts(new_scenario: NewScenario) -> None:
    life = scenario_of(new_scenario)
    life.at(0, low("A", warehouse="W1"))
    assert life.at(3 * HOUR)[-1] == "7260 person:boss01 card2 A open"


def test_a_digest_gathers_until_its_time_and_what_is_critical_does_not_wait(new_scenario: NewScenario) -> None:
    life = scenario_of(new_scenario)
    life.at(0, low("A", warehouse="W1", category="screws"))
    assert life.at(60, event("stock.out", "Z", severity=Severity.CRITICAL, warehouse="W1", category="screws")) == [
        "60 group:cidW1 card1 Z open"
    ]
    life.at(120, low("B", warehouse="W1", category="screws"))
    assert life.at(HOUR) == ["3600 group:cidW1 card2 A open, B open"]
    life.at(2 * HOUR, low("C", warehouse="W1", category="screws"))
    assert life.at(8 * HOUR) == ["28800 group:cidW1 card3 C open"], "the next digest is a card of its own"


def test_evenings_are_quiet(new_scenario: NewScenario) -> None:
    life = scenario_of(new_scenario)
    assert life.at(12 * HOUR, low("A", warehouse="W1")) == []
    assert life.at(23.5 * HOUR) == ["84600 group:cidW1 card1 A open"], "08:30 the next morning"


def test_a_closed_warehouse_has_no_shortages_until_it_opens(new_scenario: NewScenario) -> None:
    life = scenario_of(new_scenario)
    life.at(0, event("custom.closed", "W1", warehouse="W1", data={"resolved": False}))
    assert life.at(60, low("A", warehouse="W1")) == []
    assert life.at(120, low("B", warehouse="W2")) == []
    life.at(HOUR, event("custom.closed", "W1", warehouse="W1", resolved=True, data={"resolved": True}))
    assert life.at(HOUR + 60) == ["3660 group:cidW1 card3 A open"], "it is open still, and needless no more"
    assert life.lines == [
        "0 group:cidOffice card1 W1 open",
        "180 group:cidW2 card2 B open",
        "3600 group:cidOffice card1 W1 over",
        "3660 group:cidW1 card3 A open",
    ]


def test_a_silence_holds_back_until_its_end(new_scenario: NewScenario) -> None:
    life = scenario_of(new_scenario)
    assert life.at(3.5 * HOUR, event("production.late", "MO-1")) == []
    assert life.at(5 * HOUR) == ["14400 group:cidOffice card1 MO-1 open"]


def test_unknown_owners_and_thresholds(new_scenario: NewScenario) -> None:
    life = scenario_of(new_scenario)
    assert life.at(0, event("invoice.overdue", "INV-1")) == ["0 group:cidOffice card1 INV-1 open"]
    assert life.alert("INV-1").severity is Severity.CRITICAL
    life.at(1, low("A", warehouse="W9"))
    assert life.at(100)[-1] == "61 group:cidOffice card2 A open"
    assert life.at(200, fine("A", warehouse="W9")) == ["200 group:cidOffice card2 A over"]


THREE_DIGESTS = """
[[routes]]
name = "screws"
categories = ["screws"]
digest = ["10:00", "10:01", "10:02"]
to = ["group:cidW1"]
"""


def test_digests_a_minute_apart_come_each_at_its_time(new_scenario: NewScenario) -> None:
    life = new_scenario(rule_set(THREE_DIGESTS))
    for number, name in enumerate("ABC"):
        life.at(HOUR - 30 + 60 * number, low(name, category="screws"))
    assert life.at(HOUR + 600) == ["3720 group:cidW1 card3 C open"]
    assert life.lines == [
        f"{HOUR + 60 * number} group:cidW1 card{number + 1} {'ABC'[number]} open" for number in range(3)
    ]


def test_a_change_of_a_digest_comes_with_the_next(new_scenario: NewScenario) -> None:
    life = new_scenario(rule_set(THREE_DIGESTS))
    life.at(0, low("A", 5, category="screws"))
    assert life.at(HOUR + 30, low("A", 4, category="screws")) == ["3600 group:cidW1 card1 A=5 open"]
    assert life.at(HOUR + 600) == ["3660 group:cidW1 card1 A=4 open"]


def test_what_is_reported_just_before_the_timer_keeps_the_digest_s_time(new_scenario: NewScenario) -> None:
    life = new_scenario(rule_set(THREE_DIGESTS))
    life.at(0, low("A", 5, category="screws"))
    life.at(HOUR + 30, low("A", 4, category="screws"))
    life.now = second(HOUR + 60) + LATE
    life.take([[low("A", 3, category="screws")]])
    life.at(HOUR + 600)
    assert life.lines == ["3600 group:cidW1 card1 A=5 open", "3660 group:cidW1 card1 A=3 open"]
