"""From opening to the end: one alert for each matter, one card for each place, changes only when something changed."""

from __future__ import annotations

import itertools

import pytest

from bot.alerts import actions
from bot.alerts.alert import AlertState
from bot.alerts.routing import Target
from bot.outbox.delivery import Urgency
from bot.words.severity import Severity
from tests.alerts.conftest import NewScenario
from tests.alerts.scenario import A, B, StubRules, event, fine, low, second, seconds, to

BOTH = StubRules(targets=(to(A), to(B)))


def test_a_matter_opens_changes_and_ends_on_the_same_card_at_every_place(new_scenario: NewScenario) -> None:
    scenario = new_scenario(BOTH)
    assert scenario.at(0, low(quantity=5)) == ["0 group:a card1 SKU1=5 open", "0 group:b card2 SKU1=5 open"]
    assert scenario.at(60, low(quantity=2)) == ["60 group:a card1 SKU1=2 open", "60 group:b card2 SKU1=2 open"]
    assert scenario.at(90, event("stock.out", "SKU1")) == ["90 group:a card1 SKU1 open", "90 group:b card2 SKU1 open"]
    assert scenario.at(120, fine()) == ["120 group:a card1 SKU1 over", "120 group:b card2 SKU1 over"]
    alert = scenario.alert()
    assert (alert.state, alert.count, alert.opened_at, alert.resolved_at) == (
        AlertState.RESOLVED,
        3,
        second(0),
        second(120),
    )
    assert scenario.at(100_000) == []


def test_matters_do_not_mix(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, low("SKU1"), low("SKU2"), low("SKU1", warehouse="W2"), low("SKU1", company="sister"))
    assert len(scenario.lines) == 4
    scenario.at(10, fine("SKU1", warehouse="W2"))
    still_open = scenario.read(lambda repository: {alert.key for alert in repository.open_alerts()})
    assert still_open == {"stock:erp::SKU1", "stock:erp::SKU2", "stock:erp:sister:SKU1"}


def test_what_only_repeats_costs_no_call_but_is_counted(new_scenario: NewScenario) -> None:
    scenario = new_scenario(BOTH)
    scenario.at(0, low(quantity=5))
    for minute in range(1, 200):
        assert scenario.at(minute * 60, low(quantity=5)) == []
    alert = scenario.alert()
    assert (alert.count, alert.last_at) == (200, second(199 * 60))
    assert scenario.history(alert=alert.id).count("repeated") == 199


def test_severity_counts_as_a_change_and_brings_in_others(new_scenario: NewScenario) -> None:
    def by_severity(_: object, severity: Severity) -> tuple[Target, ...]:
        return (to(A), to(B)) if severity is Severity.CRITICAL else (to(A),)

    rules = StubRules(
        targets=by_severity,
        thresholds=lambda one: Severity.CRITICAL if one.quantity is not None and one.quantity < 3 else one.severity,
    )
    scenario = new_scenario(rules)
    assert scenario.at(0, low(quantity=5)) == ["0 group:a card1 SKU1=5 open"]
    assert scenario.at(1, low(quantity=2)) == ["1 group:a card1 SKU1=2 open", "1 group:b card2 SKU1=2 open"]
    assert {delivery.urgency for delivery in scenario.deliveries[1:]} == {Urgency.NOW}
    assert scenario.at(2, low(quantity=5)) == ["2 group:a card1 SKU1=5 open", "2 group:b card2 SKU1=5 open"], (
        "whoever has a card sees how it goes on, also where the rules would not send it any more"
    )


def test_an_older_fact_that_arrives_late_is_counted_and_changes_nothing(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(100, low(quantity=2))
    assert scenario.at(110, low(quantity=9, at=50)) == []
    alert = scenario.alert()
    assert (str(alert.event.quantity), alert.count, alert.last_at) == ("2", 2, second(100))
    assert scenario.at(120, fine(at=60)) == [], "it was low again after that end"
    assert scenario.alert().is_open


def test_an_opening_that_arrives_after_its_end_opens_nothing(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    assert scenario.at(100, fine(at=90)) == []
    assert scenario.at(110, low(at=80)) == []
    assert scenario.alert().state is AlertState.INFORMED
    assert scenario.at(120, low(at=115)) == ["120 group:a card1 SKU1 open"]


def test_a_sender_whose_clock_is_ahead_cannot_outdo_what_comes_later(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, low(quantity=5, at=9_000_000))
    assert scenario.at(10, fine()) == ["10 group:a card1 SKU1 over"]


def test_opening_again_within_a_while_revives_the_same_card(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(targets=(to(A), to(B)), revive=seconds(600)))
    scenario.at(0, low(quantity=5))
    scenario.at(100, fine())
    assert scenario.at(400, low(quantity=3)) == [
        "400 group:a card1 SKU1=3 open again",
        "400 group:b card2 SKU1=3 open again",
    ]
    assert scenario.alert().revivals == 1
    scenario.at(500, fine())
    assert scenario.at(1101, low(quantity=1)) == ["1101 group:a card3 SKU1=1 open", "1101 group:b card4 SKU1=1 open"]
    keys = scenario.read(lambda repository: [alert.key for alert in repository.open_alerts()])
    assert keys == ["stock:erp::SKU1"]


def test_a_revived_matter_needs_somebody_again_but_stays_with_who_has_it(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, low())
    key = scenario.alert().id
    scenario.do(lambda unit: actions.acknowledge(unit, key, scenario.mark("lin")))
    scenario.do(lambda unit: actions.assign(unit, key, scenario.mark("wang"), scenario.mark("lin")))
    scenario.at(10, fine())
    scenario.at(20, low())
    alert = scenario.alert()
    assert alert.acknowledged is None
    assert alert.assigned is not None
    assert alert.assigned.user_id == "wang"


def test_the_end_of_a_shortage_that_nobody_heard_of_is_no_news(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    assert scenario.at(0, fine()) == []
    assert scenario.at(1, event("invoice.paid", "INV-7")) == ["1 group:a card1 INV-7 news"]
    assert scenario.at(2, event("invoice.paid", "INV-7")) == []


def test_news_stays_nowhere_open_and_changes_in_place_for_a_while(new_scenario: NewScenario) -> None:
    scenario = new_scenario(StubRules(revive=seconds(600)))
    assert scenario.at(0, event("order.created", "SO-1")) == ["0 group:a card1 SO-1 news"]
    assert scenario.at(60, event("order.changed", "SO-1")) == ["60 group:a card1 SO-1 news"]
    assert scenario.at(60, event("order.changed", "SO-1")) == []
    assert scenario.at(1000, event("order.changed", "SO-1")) == ["1000 group:a card2 SO-1 news"]
    cards = scenario.read(lambda repository: repository.cards_at(A))
    assert cards == []
    assert {delivery.urgency for delivery in scenario.deliveries} == {Urgency.LATER}


def test_what_no_route_wants_is_kept_and_says_so(new_scenario: NewScenario) -> None:
    rules = StubRules(targets=())
    scenario = new_scenario(rules)
    assert scenario.at(0, low()) == []
    assert scenario.alert().is_open
    assert scenario.history(fact=f"erp/{scenario.alert().event.id}") == ["received", "opened", "no_route"]
    rules.targets = (to(A),)
    assert scenario.at(60, low()) == ["60 group:a card1 SKU1 open"], "the rules were changed meanwhile"


def test_parts_of_one_event_are_matters_of_their_own(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    first, other = low("SKU1", quantity=1), low("SKU2", quantity=2)
    scenario.take([[first, other]])
    assert scenario.lines == ["0 group:a card1 SKU1=1 open", "0 group:a card2 SKU2=2 open"]
    assert scenario.history(fact=f"erp/{first.id}")[:2] == ["received", "split"]


def test_the_story_tells_every_stage(new_scenario: NewScenario) -> None:
    rules = StubRules(targets=(to(A, wait=seconds(30)),), thresholds=lambda _: Severity.CRITICAL)
    scenario = new_scenario(rules)
    first = low(quantity=5)
    scenario.at(0, first)
    scenario.at(40, low(quantity=4))
    scenario.at(50, fine())
    alert = scenario.alert()
    assert scenario.history(fact=f"erp/{first.id}") == ["received", "graded", "opened", "routed", "waiting", "shown"]
    assert scenario.history(alert=alert.id) == [
        "opened", "routed", "waiting", "shown", "updated", "routed", "resolved",
    ]  # fmt: skip
    details = scenario.read(lambda repository: [note.detail for note in repository.history(fact=f"erp/{first.id}")])
    assert details[1] == "critical instead of warning"
    assert details[3] == "group:a by r"


@pytest.mark.parametrize("cuts", [(), (1,), (2, 5), (1, 2, 3, 4, 5, 6)])
def test_batches_do_not_matter(new_scenario: NewScenario, cuts: tuple[int, ...]) -> None:
    events = [
        low("CAUSE"), low(quantity=5), low(quantity=4), fine("CAUSE"), low("SKU2"), fine(), low(quantity=3),
    ]  # fmt: skip
    rules = StubRules(targets=(to(A), to(B, "all")), inhibits=lambda cause, _: cause.event.subject == "CAUSE")
    scenario = new_scenario(rules)
    bounds = (0, *cuts, len(events))
    for begin, end in itertools.pairwise(bounds):
        scenario.take([[event] for event in events[begin:end]])
    scenario.at(1)
    alerts = {
        subject: (alert.state, alert.count, alert.revivals, str(alert.event.quantity))
        for subject in ("CAUSE", "SKU1", "SKU2")
        for alert in [scenario.alert(subject)]
    }
    assert alerts == {
        "CAUSE": (AlertState.RESOLVED, 1, 0, "None"),
        "SKU1": (AlertState.OPEN, 3, 1, "3"),
        "SKU2": (AlertState.OPEN, 1, 0, "None"),
    }
    (living,) = scenario.read(lambda repository: repository.cards_at(B))
    assert {scenario.alert("SKU1").id, scenario.alert("SKU2").id} <= set(living.alerts)
