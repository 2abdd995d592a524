"""What happens when nobody acts: others are told, cards are shown anew; and what ends that."""

from __future__ import annotations

from bot.alerts import actions
from bot.outbox.delivery import Urgency
from bot.outbox.place import Place
from tests.alerts.conftest import NewScenario
from tests.alerts.scenario import (
    BOSS,
    A,
    B,
    ProcessorScenario,
    StubRules,
    fine,
    low,
    second,
    seconds,
    step,
    to,
)

CHIEF = Place.parse("person:chief")
STEPS = StubRules(targets=(to(A, steps=(step(300, BOSS), step(900, CHIEF))),))


def acknowledge(scenario: ProcessorScenario, subject: str = "SKU1") -> None:
    alert = scenario.alert(subject)
    scenario.do(lambda unit: actions.acknowledge(unit, alert.id, scenario.mark("lin")))


def at_place(lines: list[str], place: Place) -> list[str]:
    return [line for line in lines if f" {place} " in line]


def test_steps_tell_others_until_somebody_acknowledges(new_scenario: NewScenario) -> None:
    scenario = new_scenario(STEPS)
    scenario.at(0, low())
    assert at_place(scenario.at(299), BOSS) == []
    assert at_place(scenario.at(600), BOSS) == ["300 person:boss card2 SKU1 open"]
    assert scenario.deliveries[-1].urgency is Urgency.NOW
    acknowledge(scenario)
    assert scenario.lines[-2:] == ["600 group:a card1 SKU1 open has lin", "600 person:boss card2 SKU1 open has lin"]
    assert scenario.at(10_000) == []
    assert scenario.alert().step == 1


def test_all_steps_are_taken_in_their_time(new_scenario: NewScenario) -> None:
    scenario = new_scenario(STEPS)
    scenario.at(0, low())
    lines = scenario.at(100_000)
    assert at_place(lines, CHIEF) == ["900 person:chief card3 SKU1 open"]
    assert scenario.at(100_001, fine()) == [
        "100001 group:a card1 SKU1 over", "100001 person:boss card2 SKU1 over", "100001 person:chief card3 SKU1 over",
    ]  # fmt: skip


def test_the_time_runs_from_when_somebody_could_see_it(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, wait=seconds(60), steps=(step(300, BOSS),)),)))
    scenario.at(0, low())
    assert at_place(scenario.at(1000), BOSS) == ["360 person:boss card2 SKU1 open"]


def test_events_do_not_put_the_steps_off(new_scenario: NewScenario) -> None:
    scenario = new_scenario(STEPS)
    for number in range(0, 1000, 50):
        scenario.at(number, low(quantity=number))
    assert at_place(scenario.lines, BOSS)[0].startswith("300 ")
    assert at_place(scenario.lines, CHIEF)[0].startswith("900 ")


def test_a_step_to_a_place_that_has_the_card_only_changes_it(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, steps=(step(300, A),)),)))
    scenario.at(0, low())
    assert scenario.at(400) == ["300 group:a card1 SKU1 open"]


def test_what_is_over_alarms_nobody(new_scenario: NewScenario) -> None:
    scenario = new_scenario(STEPS)
    scenario.at(0, low())
    scenario.at(100, fine())
    assert scenario.at(10_000) == []


def test_a_matter_that_opens_again_begins_with_the_first_step(new_scenario: NewScenario) -> None:
    scenario = new_scenario(STEPS)
    scenario.at(0, low())
    scenario.at(400, fine())
    scenario.at(1000, low())
    assert scenario.alert().escalate_at == second(1300)


def test_steps_that_the_rules_no_longer_have_are_not_taken(new_scenario: NewScenario) -> None:
    rules = StubRules(targets=STEPS.targets)
    scenario = new_scenario(rules)
    scenario.at(0, low())
    rules.targets = (to(A),)
    scenario.at(10_000)
    assert scenario.alert().step == 0
    assert at_place(scenario.lines, BOSS) == []


def test_a_step_without_delay_is_taken_at_once(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, steps=(step(0, BOSS), step(0, CHIEF))),)))
    scenario.at(0, low())
    assert at_place(scenario.lines, CHIEF)[0].startswith("0 ")


def test_an_open_alert_is_shown_anew_and_the_old_card_says_where(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, repeat=seconds(3600)), to(B))))
    scenario.at(0, low())
    assert scenario.at(3600) == ["3600 group:a card1 see card3", "3600 group:a card3 SKU1 open"]
    assert scenario.at(7200) == ["7200 group:a card3 see card4", "7200 group:a card4 SKU1 open"]
    assert scenario.at(7300, low(quantity=3)) == ["7300 group:a card4 SKU1=3 open", "7300 group:b card2 SKU1=3 open"]
    (living,) = scenario.read(lambda repository: repository.cards_at(A))
    assert living.repeats == 2
    assert scenario.at(7400, fine()) == ["7400 group:a card4 SKU1 over", "7400 group:b card2 SKU1 over"]
    assert scenario.at(7500, low()) == ["7500 group:a card4 SKU1 open again", "7500 group:b card2 SKU1 open again"]


def test_only_what_is_still_open_moves_to_the_new_card(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, "all", repeat=seconds(3600)),)))
    scenario.at(0, low("SKU1"), low("SKU2"))
    scenario.at(10, fine("SKU1"))
    assert scenario.at(3600) == ["3600 group:a card1 see card2", "3600 group:a card2 SKU2 open"]


def test_an_acknowledged_alert_is_not_shown_anew(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, repeat=seconds(3600)),)))
    scenario.at(0, low())
    acknowledge(scenario)
    assert scenario.at(100_000) == []


def test_a_shared_card_is_shown_anew_for_the_one_that_nobody_has(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, "all", repeat=seconds(3600)),)))
    scenario.at(0, low("SKU1"))
    acknowledge(scenario)
    scenario.at(7200)
    assert scenario.at(7300, low("SKU2"))[-1] == "7300 group:a card2 SKU1 open has lin, SKU2 open"


def test_outside_the_window_nothing_is_shown_anew(new_scenario: NewScenario) -> None:
    opens = lambda target, now: now if not second(3000) <= now < second(9000) else second(9000)  # noqa: E731
    scenario = new_scenario(StubRules(targets=(to(A, repeat=seconds(3600)),), opens=opens))
    scenario.at(0, low())
    assert scenario.at(9500) == ["9000 group:a card1 see card2", "9000 group:a card2 SKU1 open"]
