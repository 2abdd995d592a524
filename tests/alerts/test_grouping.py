"""Cards that are shared: what waits, what changes when, what a digest takes in, and what became old news."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.alerts import actions
from bot.alerts.event import Event
from bot.alerts.routing import Target
from bot.words.severity import Severity
from tests.alerts.scenario import A, B, StubRules, event, fine, low, second, seconds, to

from .conftest import NewScenario

GATHERED = StubRules(targets=(to(A, "all", wait=seconds(30), interval=seconds(300)),))


def at_the_hour(target: Target, now: datetime) -> datetime:
    past = (now - second(0)).total_seconds() % 3600
    return now if past == 0 else now + seconds(3600 - past)


def in_the_first_hour(target: Target, now: datetime) -> datetime:
    """Open in the first hour of the axis, and then again from second 36 000 on."""
    return now if not second(3600) <= now < second(36_000) else second(36_000)


def test_the_first_alerts_of_a_group_gather(new_scenario: NewScenario) -> None:
    scenario = new_scenario(GATHERED)
    assert scenario.at(0, low("SKU1")) == []
    assert scenario.at(10, low("SKU2")) == []
    assert scenario.at(40) == ["30 group:a card1 SKU1 open, SKU2 open"]


def test_later_ones_come_with_the_interval_and_the_end_at_once(new_scenario: NewScenario) -> None:
    scenario = new_scenario(GATHERED)
    scenario.at(0, low("SKU1"))
    scenario.at(31)
    assert scenario.at(60, low("SKU2")) == []
    assert scenario.at(90, low("SKU3"), low("SKU1", quantity=1)) == []
    assert scenario.at(329) == []
    assert scenario.at(331) == ["330 group:a card1 SKU1=1 open, SKU2 open, SKU3 open"]
    assert scenario.at(340, fine("SKU2")) == ["340 group:a card1 SKU1=1 open, SKU2 over, SKU3 open"]
    assert scenario.at(350, fine("SKU1"), fine("SKU3")) == ["350 group:a card1 SKU1 over, SKU2 over, SKU3 over"]
    assert scenario.at(100_000) == []


def test_a_storm_on_one_matter_is_one_call_per_interval(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, interval=seconds(60)),)))
    for number in range(600):
        scenario.at(number, low(quantity=1000 - number))
    times = [line.split()[0] for line in scenario.lines]
    assert times == [str(60 * number) for number in range(10)]
    assert scenario.at(700) == ["600 group:a card1 SKU1=401 open"]


def test_what_is_over_while_it_waits_leaves_without_a_word(new_scenario: NewScenario) -> None:
    scenario = new_scenario(GATHERED)
    scenario.at(0, low("SKU1"), low("SKU2"))
    scenario.at(10, fine("SKU1"))
    assert scenario.at(40) == ["30 group:a card1 SKU2 open"]


def test_a_card_that_lost_its_last_alert_unseen_is_made_anew_when_it_opens_again(new_scenario: NewScenario) -> None:
    scenario = new_scenario(GATHERED)
    scenario.at(0, low("SKU1"))
    scenario.at(10, fine("SKU1"))
    assert scenario.at(1000, low("SKU1")) == []
    assert scenario.at(1031) == ["1030 group:a card1 SKU1 open again"]


def test_a_matter_in_several_groups_stays_in_step(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A), to(B, "all", wait=seconds(30)))))
    scenario.at(0, low("SKU1"), low("SKU2"))
    scenario.at(31)
    assert scenario.at(40, low("SKU1", quantity=7)) == [
        "40 group:a card1 SKU1=7 open",
        "40 group:b card3 SKU1=7 open, SKU2 open",
    ]


def test_an_alert_that_revives_meets_the_group_that_went_on_without_it(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, "all"),)))
    scenario.at(0, low("SKU1"))
    scenario.at(10, fine("SKU1"))
    assert scenario.at(20, low("SKU2")) == ["20 group:a card2 SKU2 open"]
    assert scenario.at(30, low("SKU1")) == ["30 group:a card1 see card2", "30 group:a card2 SKU2 open, SKU1 open again"]
    assert scenario.at(40, fine("SKU1")) == ["40 group:a card2 SKU2 open, SKU1 over"]


def test_a_crowded_card_lets_go_of_what_nothing_brings_back(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, "all"),), revive=seconds(50)))
    for number in range(30):
        scenario.at(number * 100, low(f"SKU{number}"))
        if number:
            scenario.at(number * 100 + 50, fine(f"SKU{number}"))
    (card,) = scenario.read(lambda repository: repository.cards_at(A))
    assert len(card.alerts) <= 21
    assert scenario.alert("SKU0").id in card.alerts


def test_a_crowded_card_keeps_what_may_still_open_again(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, "all"),), revive=seconds(100)))
    scenario.at(0, *(low(f"SKU{number}") for number in range(20)))
    scenario.at(50, fine("SKU0"))
    scenario.at(99, fine("SKU1"), event("order.created", "SO-1"))

    def shown() -> list[str]:
        (card,) = scenario.read(lambda repository: repository.cards_at(A))
        alerts = scenario.read(lambda repository: repository.alerts(card.alerts))
        return [alert.event.subject for alert in alerts]

    scenario.at(150, low("SKU20"))
    assert shown() == [*(f"SKU{number}" for number in range(20)), "SO-1", "SKU20"], "SKU0 may open again until now"
    scenario.at(151, low("SKU21"))
    assert shown() == [*(f"SKU{number}" for number in range(1, 20)), "SO-1", "SKU20", "SKU21"]
    assert scenario.at(199, low("SKU1"))[0].startswith("199 group:a card1 SKU1 open again, SKU2 open,")


def test_a_card_with_few_alerts_keeps_them_all(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, "all"),), revive=seconds(1)))
    scenario.at(0, *(low(f"SKU{number}") for number in range(19)))
    scenario.at(10, fine("SKU0"))
    assert scenario.at(1000, low("SKU19"))[0].startswith("1000 group:a card1 SKU0 over, SKU1 open,")
    assert scenario.at(2000, low("SKU20"))[0].startswith("2000 group:a card1 SKU1 open, SKU2 open,")


def test_outside_its_window_a_card_waits_and_an_old_one_keeps_still(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A, "all"),), opens=in_the_first_hour))
    scenario.at(0, low("SKU1"))
    assert scenario.at(4000, low("SKU2"), low("SKU1", quantity=2)) == []
    assert scenario.at(5000, low("SKU3")) == []
    assert scenario.at(40_000) == ["36000 group:a card1 SKU1=2 open", "36000 group:a card2 SKU2 open, SKU3 open"]


def test_the_end_is_shown_outside_the_window_too(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(opens=in_the_first_hour))
    scenario.at(0, low("SKU1"))
    assert scenario.at(4000, fine("SKU1")) == ["4000 group:a card1 SKU1 over"]


def test_a_digest_comes_at_its_times_with_news_and_what_is_still_open(new_scenario: NewScenario) -> None:
    def hourly(event: object, severity: Severity) -> tuple[Target, ...]:
        return (to(A, f"digest {at_the_hour(to(A), scenario.now).isoformat()}"),)

    scenario = new_scenario(StubRules(targets=hourly, opens=at_the_hour))
    scenario.at(10, low("SKU1"), event("order.created", "SO-1"))
    scenario.at(20, low("SKU2"), low("SKU1", quantity=1))
    scenario.at(30, fine("SKU2"))
    assert scenario.at(3500) == []
    assert scenario.at(3700, event("order.created", "SO-2")) == ["3600 group:a card1 SKU1=1 open, SO-1 news"]
    assert scenario.at(8000) == ["7200 group:a card2 SO-2 news"]
    assert scenario.at(8001, fine("SKU1")) == ["8001 group:a card1 SKU1 over, SO-1 news"]


def test_rules_that_change_while_a_card_waits_are_obeyed(new_scenario: NewScenario) -> None:
    rules = StubRules(targets=(to(A, wait=seconds(30)),))
    scenario = new_scenario(rules)
    scenario.at(0, low())
    rules.opens = lambda target, now: max(now, second(500))
    assert scenario.at(499) == []
    assert scenario.at(501) == ["500 group:a card1 SKU1 open"]


def in_the_first_hour_or_now(target: Target, now: datetime) -> datetime:
    return now if target.route == "urgent" else in_the_first_hour(target, now)


def by_severity(group: str) -> Callable[[Event, Severity], tuple[Target, ...]]:
    def targets(event: Event, severity: Severity) -> tuple[Target, ...]:
        return (Target(place=A, route="urgent", group=""),) if severity is Severity.CRITICAL else (to(A, group),)

    return targets


def test_what_becomes_critical_waits_no_longer(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=by_severity(""), opens=in_the_first_hour_or_now))
    assert scenario.at(4000, low("SKU1", quantity=3)) == []
    assert scenario.at(4010, low("SKU1", quantity=0, severity=Severity.CRITICAL)) == ["4010 group:a card1 SKU1=0 open"]


def test_what_becomes_critical_leaves_the_others_waiting(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=by_severity("morning"), opens=in_the_first_hour_or_now))
    scenario.at(4000, low("SKU1"), low("SKU2"))
    assert scenario.at(4010, low("SKU1", severity=Severity.CRITICAL)) == ["4010 group:a card1 SKU1 open"]
    assert scenario.at(40_000) == ["36000 group:a card2 SKU2 open"]
    assert scenario.at(40_001, fine("SKU1")) == ["40001 group:a card1 SKU1 over"]


def test_unseen_cards_fold_into_one_that_takes_over(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, low("SKU1"), low("SKU2"), event("order.created", "SO-1"))
    cards = [delivery.ref for delivery in scenario.deliveries]
    digest = scenario.do(lambda unit: actions.fold(unit, cards, A))
    assert digest is not None
    assert scenario.lines[-1] == "0 group:a card4 SKU1 open, SKU2 open, SO-1 news"
    assert scenario.do(lambda unit: actions.fold(unit, cards, A)) is None, "they have been folded already"
    assert scenario.at(10, low("SKU1", quantity=1)) == ["10 group:a card4 SKU1=1 open, SKU2 open, SO-1 news"]
    assert scenario.at(20, fine("SKU1"), fine("SKU2")) == ["20 group:a card4 SKU1 over, SKU2 over, SO-1 news"]
    assert scenario.at(30, low("SKU2")) == ["30 group:a card4 SKU1 over, SKU2 open again, SO-1 news"]


def test_what_is_over_before_it_was_seen_needs_no_digest(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, low("SKU1"), low("SKU2"))
    scenario.at(10, fine("SKU1"), fine("SKU2"))
    calls = len(scenario.lines)
    cards = [delivery.ref for delivery in scenario.deliveries]
    assert scenario.do(lambda unit: actions.fold(unit, cards, A)) is None
    assert len(scenario.lines) == calls
    assert scenario.at(20, low("SKU1")) == ["20 group:a card1 SKU1 open again"]


def test_after_downtime_many_old_ones_are_one_digest_at_each_place(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A), to(B))), many=3)
    scenario.at(7200, *(low(f"SKU{number}", at=number) for number in range(10)))
    assert scenario.lines == []
    lines = scenario.at(7300)
    assert len(lines) == 2
    assert all(line.startswith("7210") and line.count("open") == 10 for line in lines)
    (card,) = scenario.read(lambda repository: repository.cards_at(A))
    assert card.late
    assert scenario.history(alert=scenario.alert("SKU1").id).count("late") == 2


def test_a_few_old_ones_and_what_is_critical_keep_their_own_cards(new_scenario: NewScenario) -> None:
    scenario = new_scenario(many=3)
    old = [low(f"SKU{number}", at=number) for number in range(3)]
    assert scenario.at(7200, *old, low("BAD", at=0, severity=Severity.CRITICAL)) == ["7200 group:a card1 BAD open"]
    assert scenario.at(7300) == [f"7210 group:a card{number + 2} SKU{number} open" for number in range(3)]


def test_what_was_late_and_over_meanwhile_is_not_shown(new_scenario: NewScenario) -> None:
    scenario = new_scenario(many=0)
    scenario.at(7200, low("SKU1", at=0), low("SKU2", at=1), fine("SKU1", at=2))
    assert scenario.at(7300) == ["7210 group:a card1 SKU2 open"]
