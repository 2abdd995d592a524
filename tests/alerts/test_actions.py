"""What people do to alerts: the first one has it, doing it twice changes nothing, everybody sees it at once."""

from __future__ import annotations

from bot.alerts import actions
from bot.alerts.actions import AlertActionOutcome, AlertActionResult
from bot.outbox.delivery import Urgency
from bot.outbox.place import Place
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

WANG = Place.parse("person:wang")


def acknowledge(shop: ProcessorScenario, user_id: str) -> AlertActionResult:
    alert = shop.alert()
    acted = shop.do(lambda unit: actions.acknowledge(unit, alert.id, shop.mark(user_id)))
    assert acted is not None
    return acted


def snooze(shop: ProcessorScenario, until: float, user_id: str = "lin") -> AlertActionResult:
    alert = shop.alert()
    acted = shop.do(lambda unit: actions.snooze(unit, alert.id, second(until), shop.mark(user_id)))
    assert acted is not None
    return acted


def assign(shop: ProcessorScenario, user_id: str, by: str = "lin") -> AlertActionResult:
    alert = shop.alert()
    acted = shop.do(lambda unit: actions.assign(unit, alert.id, shop.mark(user_id), shop.mark(by)))
    assert acted is not None
    return acted


def test_the_first_to_acknowledge_has_it_and_the_next_is_told(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(targets=(to(A, interval=seconds(600)), to(B))))
    shop.at(0, low())
    shop.at(10)
    first = acknowledge(shop, "lin")
    assert (first.outcome, first.alert.acknowledged) == (AlertActionOutcome.DONE, shop.mark("lin"))
    assert shop.lines[-2:] == ["10 group:a card1 SKU1 open has lin", "10 group:b card2 SKU1 open has lin"]
    assert shop.deliveries[-1].urgency is Urgency.NOW
    calls = len(shop.lines)
    shop.at(20)
    late = acknowledge(shop, "wang")
    assert late.outcome is AlertActionOutcome.ALREADY
    assert late.first is not None
    assert (late.first.user_id, late.first.at) == ("lin", second(10))
    assert acknowledge(shop, "lin").outcome is AlertActionOutcome.DONE
    assert len(shop.lines) == calls
    assert shop.story(alert=first.alert.id).count("acknowledged") == 1


def test_nothing_can_be_done_to_what_is_over_or_was_news_or_never_was(scenario: MakeAxis) -> None:
    shop = scenario()
    shop.at(0, low())
    shop.at(10, fine())
    calls = len(shop.lines)
    assert acknowledge(shop, "lin").outcome is AlertActionOutcome.OVER
    assert snooze(shop, 100).outcome is AlertActionOutcome.OVER
    assert assign(shop, "wang").outcome is AlertActionOutcome.OVER
    assert len(shop.lines) == calls
    shop.at(20, event("order.created", "SO-1"))
    news = shop.alert("SO-1")
    acted = shop.do(lambda unit: actions.acknowledge(unit, news.id, shop.mark("lin")))
    assert acted is not None
    assert acted.outcome is AlertActionOutcome.OVER
    assert shop.do(lambda unit: actions.acknowledge(unit, "nobody", shop.mark("lin"))) is None


def test_what_is_put_off_comes_back_with_a_change(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(targets=(to(A, repeat=seconds(600), steps=(step(300, BOSS),)),)))
    shop.at(0, low(quantity=9))
    shop.at(10)
    acted = snooze(shop, 3610)
    assert acted.alert.snoozed_until == second(3610)
    assert shop.at(1000, low(quantity=5)) == []
    assert shop.at(3609) == []
    back = shop.at(3650)
    assert back[0] == "3610 group:a card1 SKU1=5 open"
    assert "3610 group:a card2 SKU1=5 open" in back, "it was to be shown anew long ago"
    assert [line for line in shop.at(4000) if "boss" in line] == ["3910 person:boss card3 SKU1=5 open"]
    assert shop.alert().snoozed_until is None


def test_it_comes_back_early_when_it_gets_worse_and_ends_when_it_is_over(scenario: MakeAxis) -> None:
    shop = scenario()
    shop.at(0, low(quantity=9))
    snooze(shop, 3600)
    assert shop.at(10, low(quantity=8)) == []
    assert shop.at(20, low(quantity=0, severity=Severity.CRITICAL)) == ["20 group:a card1 SKU1=0 open"]
    snooze(shop, 3600)
    assert shop.at(30, fine()) == ["30 group:a card1 SKU1 over"]
    assert shop.at(10_000) == []


def test_the_latest_wish_to_put_off_counts(scenario: MakeAxis) -> None:
    shop = scenario()
    shop.at(0, low())
    snooze(shop, 3600)
    again = snooze(shop, 7200, "wang")
    assert (again.outcome, again.first) == (AlertActionOutcome.DONE, shop.mark("lin"))
    calls = len(shop.lines)
    assert snooze(shop, 7200, "wang").outcome is AlertActionOutcome.DONE
    assert snooze(shop, -5).alert.snoozed_until == second(7200)
    assert len(shop.lines) == calls
    assert shop.at(8000) == ["7200 group:a card1 SKU1 open"]


def test_acknowledging_ends_the_snooze(scenario: MakeAxis) -> None:
    shop = scenario()
    shop.at(0, low())
    snooze(shop, 3600)
    acknowledge(shop, "lin")
    assert shop.at(10_000) == []
    assert shop.at(10_001, low(quantity=1)) == ["10001 group:a card1 SKU1=1 open has lin"]


def test_whom_it_is_assigned_to_gets_a_card_of_their_own(scenario: MakeAxis) -> None:
    shop = scenario()
    shop.at(0, low())
    assert assign(shop, "wang").outcome is AlertActionOutcome.DONE
    assert shop.lines[1:] == ["0 group:a card1 SKU1 open for wang", "0 person:wang card2 SKU1 open for wang"]
    calls = len(shop.lines)
    assert assign(shop, "wang").outcome is AlertActionOutcome.DONE
    assert len(shop.lines) == calls
    again = assign(shop, "zhao", by="boss")
    assert again.first is not None
    assert again.first.user_id == "wang"
    assert shop.lines[calls:] == [
        "0 group:a card1 SKU1 open for zhao",
        "0 person:wang card2 SKU1 open for zhao",
        "0 person:zhao card3 SKU1 open for zhao",
    ]
    assert shop.at(10, fine())[1:] == [
        "10 person:wang card2 SKU1 over for zhao",
        "10 person:zhao card3 SKU1 over for zhao",
    ]


def test_what_is_open_at_a_place(scenario: MakeAxis) -> None:
    shop = scenario(StubRules(targets=(to(A), to(B, "all", wait=seconds(30)))))
    shop.at(0, low("SKU1"), event("order.created", "SO-1"))
    shop.at(5, low("SKU2"))
    subjects = lambda place: [  # noqa: E731
        alert.event.subject for alert in shop.read(lambda repository: actions.open_at(repository, place))
    ]
    assert subjects(A) == ["SKU2", "SKU1"]
    assert subjects(B) == [], "they are not shown there yet"
    shop.at(31, fine("SKU2"))
    assert subjects(A) == subjects(B) == ["SKU1"]
