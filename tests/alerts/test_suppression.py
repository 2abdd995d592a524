"""What holds alerts back: they come when it is over, if they are still open; nothing is told before."""

from __future__ import annotations

from bot.alerts import actions
from bot.alerts.alert import Mute
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


def mute(scenario: ProcessorScenario, pattern: str, until: float, place: object = A, *, critical: bool = False) -> None:
    wish = Mute(
        id=f"m{pattern}",
        place=place,  # type: ignore[arg-type]  # a place
        pattern=pattern,
        by="lin",
        made_at=scenario.now,
        until=second(until),
        critical=critical,
    )
    scenario.do(lambda unit: actions.mute(unit, wish))


def while_the_site_is_down() -> StubRules:
    return StubRules(inhibits=lambda cause, event: cause.event.subject == "SITE" and event.subject != "SITE")


def test_an_inhibited_alert_is_shown_when_its_cause_ends(new_scenario: NewScenario) -> None:
    scenario = new_scenario(while_the_site_is_down())
    assert scenario.at(0, low("SITE"), low("SKU1"), low("SKU2")) == ["0 group:a card1 SITE open"]
    assert scenario.at(50, low("SKU1", quantity=3), fine("SKU2")) == []
    assert scenario.at(60, fine("SITE")) == ["60 group:a card1 SITE over", "60 group:a card2 SKU1=3 open"]
    assert scenario.history(alert=scenario.alert("SKU1").id)[:3] == ["opened", "routed", "inhibited"]


def test_an_alert_that_was_shown_before_its_cause_catches_up_afterwards(new_scenario: NewScenario) -> None:
    scenario = new_scenario(while_the_site_is_down())
    scenario.at(0, low("SKU1", quantity=9))
    scenario.at(10, low("SITE"))
    assert scenario.at(20, low("SKU1", quantity=3)) == []
    assert scenario.at(30, fine("SITE")) == ["30 group:a card2 SITE over", "30 group:a card1 SKU1=3 open"]


def test_the_end_of_what_is_shown_is_never_held_back(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A), to(B))))
    scenario.at(0, low())
    mute(scenario, "stock.low", 1000)
    assert scenario.at(10, fine()) == ["10 group:a card1 SKU1 over", "10 group:b card2 SKU1 over"]


def test_a_silence_of_the_configuration_holds_until_its_end(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A), to(B)), silences=[(B, "stock.low", 0, 100)]))
    assert scenario.at(5, low(quantity=5)) == ["5 group:a card1 SKU1=5 open"]
    assert scenario.at(6, low(quantity=4)) == ["6 group:a card1 SKU1=4 open"]
    assert scenario.at(200) == ["100 group:b card2 SKU1=4 open"]


def test_what_is_over_before_the_silence_ends_is_never_shown(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(silences=[(None, "stock.low", 0, 100)]))
    scenario.at(5, low())
    scenario.at(50, fine())
    assert scenario.at(1000) == []
    assert scenario.lines == []


def test_news_that_is_silenced_is_dropped_with_a_line_in_its_story(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(silences=[(None, "order.created", 0, 100)]))
    scenario.at(5, event("order.created", "SO-1"))
    assert scenario.at(1000) == []
    assert scenario.history(alert=scenario.alert("SO-1").id) == ["informed", "routed", "silenced"]


def test_a_mute_of_a_type_holds_at_its_place_only(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A), to(B))))
    mute(scenario, "stock.*", 7200)
    assert scenario.at(10, low()) == ["10 group:b card1 SKU1 open"]
    assert scenario.at(20, event("order.late", "SO-1")) == ["20 group:a card2 SO-1 open", "20 group:b card3 SO-1 open"]
    assert scenario.at(7300) == ["7200 group:a card4 SKU1 open"]


def test_a_mute_of_a_subject_whatever_its_capitals(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    mute(scenario, "sku1", 100)
    assert scenario.at(10, low("SKU1"), low("SKU2")) == ["10 group:a card1 SKU2 open"]


def test_lifting_a_mute_brings_what_it_held_back_at_once(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    mute(scenario, "stock.low", 7200)
    scenario.at(10, low())
    scenario.at(60)
    mute(scenario, "stock.low", 0)
    assert scenario.at(60) == ["60 group:a card1 SKU1 open"]


def test_of_two_mutes_the_longer_one_holds(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    mute(scenario, "stock.low", 100)
    mute(scenario, "SKU1", 300)
    scenario.at(10, low())
    assert scenario.at(1000) == ["300 group:a card1 SKU1 open"]


def test_a_mute_that_comes_while_a_card_waits_holds_it_too(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, "all", wait=seconds(30)),)))
    scenario.at(0, low("SKU1"), event("order.late", "SO-1"))
    mute(scenario, "stock.low", 100)
    assert scenario.at(60) == ["30 group:a card1 SO-1 open"]
    assert scenario.at(200) == ["100 group:a card1 SO-1 open, SKU1 open"]


def test_a_waiting_card_whose_alerts_are_all_muted_is_given_up_for_a_later_one(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, "all", wait=seconds(30)),)))
    scenario.at(0, low("SKU1"))
    mute(scenario, "stock.low", 100)
    assert scenario.at(99) == []
    assert scenario.at(1000) == ["130 group:a card1 SKU1 open"]


def test_a_shown_card_is_not_shown_anew_while_it_is_muted(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, repeat=seconds(100)),)))
    scenario.at(0, low())
    mute(scenario, "stock.low", 500)
    assert scenario.at(499) == []
    assert scenario.at(599) == ["500 group:a card1 see card2", "500 group:a card2 SKU1 open"]


def test_while_it_is_needless_nobody_is_alarmed_and_the_time_begins_anew(new_scenario: NewScenario) -> None:
    rules = while_the_site_is_down()
    rules.targets = (to(A, steps=(step(60, BOSS),)),)
    scenario = new_scenario(rules)
    scenario.at(0, low("SKU1"))
    scenario.at(30, low("SITE", severity=Severity.CRITICAL))
    assert [line for line in scenario.at(80) if "SKU1" in line] == []
    scenario.at(85, fine("SITE"))
    lines = [line for line in scenario.at(300) if "person:boss" in line]
    assert len(lines) == 1
    assert lines[0].endswith("SKU1 open")
    assert float(lines[0].split()[0]) >= 145


def test_a_muted_place_hears_nothing_of_an_escalation_either(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, steps=(step(60, BOSS),)),)))
    mute(scenario, "stock.low", 500, BOSS)
    scenario.at(0, low())
    assert not [line for line in scenario.at(499) if "person:boss" in line]
    assert [line for line in scenario.at(600) if "person:boss" in line] == ["500 person:boss card2 SKU1 open"]


def test_a_mute_hides_no_critical_alert_unless_that_was_said(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    mute(scenario, "custom.sec", 7200)
    seen = scenario.at(10, event("custom.sec", "DOOR-1", severity=Severity.CRITICAL))
    assert seen == ["10 group:a card1 DOOR-1 news"]
    assert scenario.at(20, event("custom.sec", "DOOR-2")) == []
    mute(scenario, "custom.sec", 7200, critical=True)
    assert scenario.at(30, event("custom.sec", "DOOR-3", severity=Severity.CRITICAL)) == []


def test_a_muted_alert_that_becomes_critical_is_shown(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    mute(scenario, "stock.low", 7200)
    assert scenario.at(10, low("SKU1")) == []
    assert scenario.at(20, low("SKU1", severity=Severity.CRITICAL)) == ["20 group:a card1 SKU1 open"]
