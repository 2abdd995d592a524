"""What holds alerts back: they come when it is over, if they are still open; nothing is told before."""

from __future__ import annotations

from bot.alerts import actions
from bot.alerts.alert import Mute
from bot.severity import Severity
from tests.alerts.conftest import MakeAxis
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


def mute(shop: ProcessorScenario, pattern: str, until: float, place: object = A) -> None:
    wish = Mute(id=f"m{pattern}", place=place, pattern=pattern, by="lin", made_at=shop.now, until=second(until))  # type: ignore[arg-type]  # a place
    shop.do(lambda unit: actions.mute(unit, wish))


def while_the_site_is_down() -> StubRules:
    return StubRules(inhibits=lambda cause, event: cause.event.subject == "SITE" and event.subject != "SITE")


def test_an_inhibited_alert_is_shown_when_its_cause_ends(scenario: MakeAxis) -> None:
    shop = scenario(while_the_site_is_down())
    assert shop.at(0, low("SITE"), low("SKU1"), low("SKU2")) == ["0 group:a card1 SITE open"]
    assert shop.at(50, low("SKU1", quantity=3), fine("SKU2")) == []
    assert shop.at(60, fine("SITE")) == ["60 group:a card1 SITE over", "60 group:a card2 SKU1=3 open"]
    assert shop.story(alert=shop.alert("SKU1").id)[:3] == ["opened", "routed", "inhibited"]


def test_an_alert_that_was_shown_before_its_cause_catches_up_afterwards(scenario: MakeAxis) -> None:
    shop = scenario(while_the_site_is_down())
    shop.at(0, low("SKU1", quantity=9))
    shop.at(10, low("SITE"))
    assert shop.at(20, low("SKU1", quantity=3)) == []
    assert shop.at(30, fine("SITE")) == ["30 group:a card2 SITE over", "30 group:a card1 SKU1=3 open"]


def test_the_end_of_what_is_shown_is_never_held_back(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(targets=(to(A), to(B))))
    shop.at(0, low())
    mute(shop, "stock.low", 1000)
    assert shop.at(10, fine()) == ["10 group:a card1 SKU1 over", "10 group:b card2 SKU1 over"]


def test_a_silence_of_the_configuration_holds_until_its_end(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(targets=(to(A), to(B)), silences=[(B, "stock.low", 0, 100)]))
    assert shop.at(5, low(quantity=5)) == ["5 group:a card1 SKU1=5 open"]
    assert shop.at(6, low(quantity=4)) == ["6 group:a card1 SKU1=4 open"]
    assert shop.at(200) == ["100 group:b card2 SKU1=4 open"]


def test_what_is_over_before_the_silence_ends_is_never_shown(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(silences=[(None, "stock.low", 0, 100)]))
    shop.at(5, low())
    shop.at(50, fine())
    assert shop.at(1000) == []
    assert shop.lines == []


def test_news_that_is_silenced_is_dropped_with_a_line_in_its_story(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(silences=[(None, "order.created", 0, 100)]))
    shop.at(5, event("order.created", "SO-1"))
    assert shop.at(1000) == []
    assert shop.story(alert=shop.alert("SO-1").id) == ["informed", "routed", "silenced"]


def test_a_mute_of_a_type_holds_at_its_place_only(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(targets=(to(A), to(B))))
    mute(shop, "stock.*", 7200)
    assert shop.at(10, low()) == ["10 group:b card1 SKU1 open"]
    assert shop.at(20, event("order.late", "SO-1")) == ["20 group:a card2 SO-1 open", "20 group:b card3 SO-1 open"]
    assert shop.at(7300) == ["7200 group:a card4 SKU1 open"]


def test_a_mute_of_a_subject_whatever_its_capitals(scenario: MakeAxis) -> None:
    shop = scenario()
    mute(shop, "sku1", 100)
    assert shop.at(10, low("SKU1"), low("SKU2")) == ["10 group:a card1 SKU2 open"]


def test_lifting_a_mute_brings_what_it_held_back_at_once(scenario: MakeAxis) -> None:
    shop = scenario()
    mute(shop, "stock.low", 7200)
    shop.at(10, low())
    shop.at(60)
    mute(shop, "stock.low", 0)
    assert shop.at(60) == ["60 group:a card1 SKU1 open"]


def test_of_two_mutes_the_longer_one_holds(scenario: MakeAxis) -> None:
    shop = scenario()
    mute(shop, "stock.low", 100)
    mute(shop, "SKU1", 300)
    shop.at(10, low())
    assert shop.at(1000) == ["300 group:a card1 SKU1 open"]


def test_a_mute_that_comes_while_a_card_waits_holds_it_too(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(targets=(to(A, "all", wait=seconds(30)),)))
    shop.at(0, low("SKU1"), event("order.late", "SO-1"))
    mute(shop, "stock.low", 100)
    assert shop.at(60) == ["30 group:a card1 SO-1 open"]
    assert shop.at(200) == ["100 group:a card1 SO-1 open, SKU1 open"]


def test_a_waiting_card_whose_alerts_are_all_muted_is_given_up_for_a_later_one(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(targets=(to(A, "all", wait=seconds(30)),)))
    shop.at(0, low("SKU1"))
    mute(shop, "stock.low", 100)
    assert shop.at(99) == []
    assert shop.at(1000) == ["130 group:a card1 SKU1 open"]


def test_a_shown_card_is_not_shown_anew_while_it_is_muted(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(targets=(to(A, repeat=seconds(100)),)))
    shop.at(0, low())
    mute(shop, "stock.low", 500)
    assert shop.at(499) == []
    assert shop.at(599) == ["500 group:a card1 see card2", "500 group:a card2 SKU1 open"]


def test_while_it_is_needless_nobody_is_alarmed_and_the_time_begins_anew(scenario: MakeAxis) -> None:
    rules = while_the_site_is_down()
    rules.targets = (to(A, steps=(step(60, BOSS),)),)
    shop = scenario(rules)
    shop.at(0, low("SKU1"))
    shop.at(30, low("SITE", severity=Severity.CRITICAL))
    assert [line for line in shop.at(80) if "SKU1" in line] == []
    shop.at(85, fine("SITE"))
    lines = [line for line in shop.at(300) if "person:boss" in line]
    assert len(lines) == 1
    assert lines[0].endswith("SKU1 open")
    assert float(lines[0].split()[0]) >= 145


def test_a_muted_place_hears_nothing_of_an_escalation_either(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(targets=(to(A, steps=(step(60, BOSS),)),)))
    mute(shop, "stock.low", 500, BOSS)
    shop.at(0, low())
    assert not [line for line in shop.at(499) if "person:boss" in line]
    assert [line for line in shop.at(600) if "person:boss" in line] == ["500 person:boss card2 SKU1 open"]
