"""What people do to alerts: the first one has it, doing it twice changes nothing, everybody sees it at once."""

from __future__ import annotations

from bot.alerts import actions
from bot.alerts.actions import AlertActionOutcome, AlertActionResult
from bot.outbox.delivery import Urgency
from bot.outbox.place import Place
from bot.words.severity import Severity
from tests.alerts.conftest import NewScenario
from tests.alerts.scenario import (
    BOSS,
    A,
    B,
    ProcessorScenario,
    StubRules,
    event,
    fine,
    low,
    second,
    seconds,
    step,
    to,
)

WANG = Place.parse("person:wang")


def acknowledge(scenario: ProcessorScenario, user_id: str) -> AlertActionResult:
    alert = scenario.alert()
    acted = scenario.do(lambda unit: actions.acknowledge(unit, alert.id, scenario.mark(user_id)))
    assert acted is not None
    return acted


def snooze(scenario: ProcessorScenario, until: float, user_id: str = "lin") -> AlertActionResult:
    alert = scenario.alert()
    acted = scenario.do(lambda unit: actions.snooze(unit, alert.id, second(until), scenario.mark(user_id)))
    assert acted is not None
    return acted


def assign(scenario: ProcessorScenario, user_id: str, by: str = "lin") -> AlertActionResult:
    alert = scenario.alert()
    acted = scenario.do(lambda unit: actions.assign(unit, alert.id, scenario.mark(user_id), scenario.mark(by)))
    assert acted is not None
    return acted


def test_the_first_to_acknowledge_has_it_and_the_next_is_told(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, interval=seconds(600)), to(B))))
    scenario.at(0, low())
    scenario.at(10)
    first = acknowledge(scenario, "lin")
    assert (first.outcome, first.alert.acknowledged) == (AlertActionOutcome.DONE, scenario.mark("lin"))
    assert scenario.lines[-2:] == ["10 group:a card1 SKU1 open has lin", "10 group:b card2 SKU1 open has lin"]
    assert scenario.deliveries[-1].urgency is Urgency.NOW
    calls = len(scenario.lines)
    scenario.at(20)
    late = acknowledge(scenario, "wang")
    assert late.outcome is AlertActionOutcome.ALREADY
    assert late.first is not None
    assert (late.first.user_id, late.first.at) == ("lin", second(10))
    assert acknowledge(scenario, "lin").outcome is AlertActionOutcome.DONE
    assert len(scenario.lines) == calls
    assert scenario.history(alert=first.alert.id).count("acknowledged") == 1


def test_nothing_can_be_done_to_what_is_over_or_was_news_or_never_was(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, low())
    scenario.at(10, fine())
    calls = len(scenario.lines)
    assert acknowledge(scenario, "lin").outcome is AlertActionOutcome.OVER
    assert snooze(scenario, 100).outcome is AlertActionOutcome.OVER
    assert assign(scenario, "wang").outcome is AlertActionOutcome.OVER
    assert len(scenario.lines) == calls
    scenario.at(20, event("order.created", "SO-1"))
    news = scenario.alert("SO-1")
    acted = scenario.do(lambda unit: actions.acknowledge(unit, news.id, scenario.mark("lin")))
    assert acted is not None
    assert acted.outcome is AlertActionOutcome.OVER
    assert scenario.do(lambda unit: actions.acknowledge(unit, "nobody", scenario.mark("lin"))) is None


def test_what_is_put_off_comes_back_with_a_change(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, repeat=seconds(600), steps=(step(300, BOSS),)),)))
    scenario.at(0, low(quantity=9))
    scenario.at(10)
    acted = snooze(scenario, 3610)
    assert acted.alert.snoozed_until == second(3610)
    assert scenario.at(1000, low(quantity=5)) == []
    assert scenario.at(3609) == []
    back = scenario.at(3650)
    assert back[0] == "3610 group:a card1 SKU1=5 open"
    assert "3610 group:a card2 SKU1=5 open" in back, "it was to be shown anew long ago"
    assert [line for line in scenario.at(4000) if "boss" in line] == ["3910 person:boss card3 SKU1=5 open"]
    assert scenario.alert().snoozed_until is None


def test_it_comes_back_early_when_it_gets_worse_and_ends_when_it_is_over(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, low(quantity=9))
    snooze(scenario, 3600)
    assert scenario.at(10, low(quantity=8)) == []
    assert scenario.at(20, low(quantity=0, severity=Severity.CRITICAL)) == ["20 group:a card1 SKU1=0 open"]
    snooze(scenario, 3600)
    assert scenario.at(30, fine()) == ["30 group:a card1 SKU1 over"]
    assert scenario.at(10_000) == []


def test_the_latest_wish_to_put_off_counts(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, low())
    snooze(scenario, 3600)
    again = snooze(scenario, 7200, "wang")
    assert (again.outcome, again.first) == (AlertActionOutcome.DONE, scenario.mark("lin"))
    calls = len(scenario.lines)
    assert snooze(scenario, 7200, "wang").outcome is AlertActionOutcome.DONE
    assert snooze(scenario, -5).alert.snoozed_until == second(7200)
    assert len(scenario.lines) == calls
    assert scenario.at(8000) == ["7200 group:a card1 SKU1 open"]


def test_acknowledging_ends_the_snooze(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, low())
    snooze(scenario, 3600)
    acknowledge(scenario, "lin")
    assert scenario.at(10_000) == []
    assert scenario.at(10_001, low(quantity=1)) == ["10001 group:a card1 SKU1=1 open has lin"]


def test_whom_it_is_assigned_to_gets_a_card_of_their_own(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, low())
    assert assign(scenario, "wang").outcome is AlertActionOutcome.DONE
    assert scenario.lines[1:] == ["0 group:a card1 SKU1 open for wang", "0 person:wang card2 SKU1 open for wang"]
    calls = len(scenario.lines)
    assert assign(scenario, "wang").outcome is AlertActionOutcome.DONE
    assert len(scenario.lines) == calls
    again = assign(scenario, "zhao", by="boss")
    assert again.first is not None
    assert again.first.user_id == "wang"
    assert scenario.lines[calls:] == [
        "0 group:a card1 SKU1 open for zhao",
        "0 person:wang card2 SKU1 open for zhao",
        "0 person:zhao card3 SKU1 open for zhao",
    ]
    assert scenario.at(10, fine())[1:] == [
        "10 person:wang card2 SKU1 over for zhao",
        "10 person:zhao card3 SKU1 over for zhao",
    ]


def test_what_is_open_at_a_place(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A), to(B, "all", wait=seconds(30)))))
    scenario.at(0, low("SKU1"), event("order.created", "SO-1"))
    scenario.at(5, low("SKU2"))
    subjects = lambda place: [  # noqa: E731
        alert.event.subject for alert in scenario.read(lambda repository: actions.open_at(repository, place))
    ]
    assert subjects(A) == ["SKU2", "SKU1"]
    assert subjects(B) == [], "they are not shown there yet"
    scenario.at(31, fine("SKU2"))
    assert subjects(A) == subjects(B) == ["SKU1"]
