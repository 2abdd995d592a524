"""A digest of thousands: it names the newest alerts and counts the others, and one more alert costs no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import update

from bot.alerts import actions
from bot.alerts.alert import AlertCard, CardState, CardWithAlerts
from bot.alerts.event import Event
from bot.alerts.processing.card_lifecycle import GATHERS
from bot.alerts.processing.digests import NAMED
from bot.alerts.repository import AlertUnitOfWork
from bot.alerts.service import read_card
from bot.alerts.view_builder import build_card_view
from bot.alerts.views import AlertDigest, AlertView
from bot.outbox.delivery import Urgency
from bot.store.row_times import to_ms
from bot.store.tables import DELIVERY
from bot.words.severity import Severity
from tests.alerts.conftest import NewScenario, on_database, sqlite
from tests.alerts.scenario import ZERO, A, ProcessorScenario, event, fine, low, second

MANY = 2 * NAMED + 50


def report(scenario: ProcessorScenario, subjects: Sequence[str]) -> list[str]:
    """Report shortages in one unit of work and return the cards that are owed for them."""
    before = len(scenario.deliveries)
    scenario.take([[low(subject)] for subject in subjects])
    return [delivery.ref for delivery in scenario.deliveries[before:]]


def fold(scenario: ProcessorScenario, cards: Sequence[str]) -> AlertCard:
    digest = scenario.do(lambda unit: actions.fold(unit, cards, A))
    assert digest is not None
    return digest


def subjects(count: int, first: int = 0) -> list[str]:
    return [f"SKU{number}" for number in range(first, first + count)]


def content(scenario: ProcessorScenario, card: AlertCard) -> CardWithAlerts:
    found = scenario.read(lambda repository: read_card(repository, card.id))
    assert found is not None
    return found


def view(scenario: ProcessorScenario, card: AlertCard) -> AlertDigest:
    shown = build_card_view(content(scenario, card), ZERO)
    assert isinstance(shown, AlertDigest)
    return shown


def test_the_newest_are_named_and_all_are_counted(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.take([[event("stock.out", "SKU-X")]])
    digest = fold(scenario, [scenario.deliveries[-1].ref, *report(scenario, subjects(MANY))])
    assert len(digest.alerts) == NAMED
    names = [alert.event.subject for alert in content(scenario, digest).alerts]
    assert names == subjects(NAMED, MANY - NAMED)
    shown = view(scenario, digest)
    assert (shown.counts.open, shown.counts.warning) == (MANY + 1, MANY + 1)
    assert [(row.type, row.total, row.open) for row in shown.rows] == [("stock.low", MANY, MANY), ("stock.out", 1, 1)]


def test_one_that_is_only_counted_ends_and_begins_again(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    digest = fold(scenario, report(scenario, subjects(MANY)))
    scenario.at(10, fine("SKU0"))
    shown = view(scenario, digest)
    assert (shown.counts.open, shown.counts.over) == (MANY - 1, 1)
    owed = len(scenario.deliveries)
    scenario.at(20, low("SKU0"))
    assert {delivery.ref for delivery in scenario.deliveries[owed:]} == {digest.id}, "it gets no card of its own"
    assert (view(scenario, digest).counts.open, view(scenario, digest).counts.over) == (MANY, 0)


def test_a_repeat_of_one_that_is_only_counted_shows_no_card(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    fold(scenario, report(scenario, subjects(MANY)))
    owed = len(scenario.deliveries)
    scenario.at(10, low("SKU0"))
    assert scenario.deliveries[owed:] == []


def test_it_closes_when_the_last_one_is_over_whether_named_or_counted(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    digest = fold(scenario, report(scenario, subjects(MANY)))
    scenario.at(10, *(fine(subject) for subject in subjects(MANY - 1, 1)))
    assert content(scenario, digest).card.state is CardState.SHOWN
    scenario.at(20, fine("SKU0"))
    assert content(scenario, digest).card.state is CardState.CLOSED
    assert (view(scenario, digest).counts.open, view(scenario, digest).counts.over) == (0, MANY)


def test_one_that_nobody_has_seen_takes_in_the_next_cards(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    digest = fold(scenario, report(scenario, subjects(10)))
    again = fold(scenario, [digest.id, *report(scenario, subjects(10, 10))])
    assert again.id == digest.id
    assert again.revision > digest.revision, "so that it stays in the queue"
    assert view(scenario, again).counts.open == 20
    assert content(scenario, again).alerts[-1].event.subject == "SKU19"


def test_of_several_the_largest_takes_in_the_others(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    small = fold(scenario, report(scenario, subjects(5)))
    scenario.now = second(30)  # it waits for no more
    large = fold(scenario, report(scenario, subjects(MANY, 5)))
    scenario.now = second(60)
    other = fold(scenario, report(scenario, subjects(MANY - 1, 5 + MANY)))
    merged = fold(scenario, [small.id, large.id, other.id])
    assert merged.id == large.id
    total = 5 + MANY + MANY - 1
    assert view(scenario, merged).counts.open == total
    assert content(scenario, small).card.next == merged.id
    for subject in ("SKU0", f"SKU{5 + MANY}"):
        scenario.at(10, fine(subject))
    assert (view(scenario, merged).counts.open, view(scenario, merged).counts.over) == (total - 2, 2)
    listed = scenario.read(lambda repository: actions.open_at(repository, A))
    assert len(listed) == total - 2, "the list of a place has them all"


def rows_changed(scenario: ProcessorScenario, cards: Sequence[str]) -> tuple[AlertCard, int]:
    """Fold cards and return how many rows that changed."""

    def work(unit: AlertUnitOfWork) -> tuple[AlertCard, int]:
        repository = unit.repository
        connection = repository._connection.connection.driver_connection  # type: ignore[attr-defined]  # on SQLite
        before = connection.total_changes
        digest = actions.fold(unit, cards, A)
        assert digest is not None
        repository.flush()  # type: ignore[attr-defined]  # of the stored repository
        return digest, connection.total_changes - before

    return scenario.do(work)


def test_one_more_round_of_a_flood_writes_no_more_rows_than_the_first(tmp_path: Path) -> None:
    with sqlite(tmp_path) as database:
        scenario = ProcessorScenario(on_database(database))
        digest, first = rows_changed(scenario, report(scenario, subjects(50)))
        changed = first
        for number in range(1, 21):
            cards = report(scenario, subjects(50, 50 * number))
            digest, changed = rows_changed(scenario, [digest.id, *cards])
            assert changed <= first + 5, f"round {number}"
        assert view(scenario, digest).counts.open == 21 * 50
        row = database.run_blocking(
            lambda connection: connection.exec_driver_sql("SELECT max(length(digest)) FROM alert_card").scalar()
        )
        assert isinstance(row, int)
        assert row < 100 * NAMED, "nor does its own row grow"


@contextmanager
def held_back(folder: Path) -> Iterator[tuple[ProcessorScenario, AlertCard]]:
    """Give a scenario with a digest that waits for a minute until its place may get a new card."""
    with sqlite(folder) as database:
        scenario = ProcessorScenario(on_database(database))
        digest = fold(scenario, report(scenario, subjects(10)))
        waits = update(DELIVERY).where(DELIVERY.c.card == digest.id).values(next_ms=to_ms(second(60)))
        database.run_blocking(lambda connection: connection.execute(waits))
        yield scenario, digest


def test_while_one_waits_for_room_new_alerts_join_it_and_get_no_cards_of_their_own(tmp_path: Path) -> None:
    with held_back(tmp_path) as (scenario, digest):
        assert set(report(scenario, subjects(MANY, 10))) == {digest.id}
        grown = content(scenario, digest)
        assert view(scenario, grown.card).counts.open == MANY + 10
        named = len(grown.alerts)
        assert NAMED <= named <= NAMED + 50
        assert [alert.event.subject for alert in grown.alerts] == subjects(named, MANY + 10 - named)
        scenario.at(5, fine("SKU20"), fine(f"SKU{MANY + 9}"))
        assert (view(scenario, digest).counts.open, view(scenario, digest).counts.over) == (MANY + 8, 2)


def test_while_one_waits_for_room_what_is_urgent_has_its_own_card(tmp_path: Path) -> None:
    with held_back(tmp_path) as (scenario, digest):
        before = len(scenario.deliveries)
        scenario.take([[event("stock.out", "SKU-X", severity=Severity.CRITICAL)]])
        (urgent,) = scenario.deliveries[before:]
        assert (urgent.ref == digest.id, urgent.urgency) == (False, Urgency.NOW)


def test_cards_over_the_budget_join_the_one_that_waits(tmp_path: Path) -> None:
    with held_back(tmp_path) as (scenario, digest):
        before = len(scenario.deliveries)
        scenario.take([[event("stock.out", subject, severity=Severity.CRITICAL)] for subject in subjects(10, 50)])
        urgent = [delivery.ref for delivery in scenario.deliveries[before:]]
        assert fold(scenario, urgent).id == digest.id
        assert view(scenario, digest).counts.open == 20


def test_a_new_one_gathers_unless_something_urgent_is_on_it(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    fold(scenario, report(scenario, subjects(5)))
    assert scenario.deliveries[-1].due_at == ZERO + GATHERS
    scenario.now = second(30)
    owed = len(scenario.deliveries)
    scenario.take([[event("stock.out", subject, severity=Severity.CRITICAL)] for subject in subjects(10, 50)])
    fold(scenario, [delivery.ref for delivery in scenario.deliveries[owed:]])
    assert scenario.deliveries[-1].due_at == second(30)


def test_once_its_place_may_get_cards_again_a_new_alert_has_its_own(tmp_path: Path) -> None:
    with held_back(tmp_path) as (scenario, digest):
        before = len(scenario.deliveries)
        scenario.at(61, low("SKU77"))
        assert digest.id not in {delivery.ref for delivery in scenario.deliveries[before:]}


def standing(subject: str, severity: Severity = Severity.WARNING) -> Event:
    return low(subject, standing=True, severity=severity)


def test_what_was_open_before_the_first_look_is_one_digest(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.take([[standing(subject)] for subject in subjects(MANY)])
    assert scenario.deliveries == [], "it gathers first"
    shown = scenario.at(30, standing("SKU-X", Severity.CRITICAL))
    (card,) = {delivery.ref for delivery in scenario.deliveries}
    digest = scenario.read(lambda repository: read_card(repository, card))
    assert shown
    assert digest is not None
    assert (digest.card.is_digest, digest.card.late) == (True, False), "the bot was not away"
    assert (view(scenario, digest.card).counts.open, view(scenario, digest.card).counts.critical) == (MANY + 1, 1)


def test_a_digest_of_the_first_look_follows_its_matters(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, standing("SKU1"), standing("SKU2"))
    scenario.at(20, fine("SKU1"))
    assert scenario.at(40, low("SKU3"))[-1].endswith("SKU3 open"), "news has its own card"
    (card,) = [delivery.ref for delivery in scenario.deliveries if delivery.revision == 1][:1]
    found = scenario.read(lambda repository: read_card(repository, card))
    assert found is not None
    assert (view(scenario, found.card).counts.open, view(scenario, found.card).counts.over) == (1, 1)


def test_the_first_look_says_no_time_that_nobody_knows(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.at(0, standing("SKU1"), low("SKU2", standing=True, at=-86_400))
    assert scenario.alert("SKU1").known_since is None
    assert scenario.alert("SKU2").known_since == second(-86_400)


def fire(subject: str = "hall 2", **fields: Any) -> Event:
    """Return critical news: nobody will say that it is over."""
    return event("custom.fire", subject, severity=Severity.CRITICAL, **fields)


def test_what_is_critical_has_a_card_of_its_own_in_a_flood_even_if_it_is_only_news(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    digest = fold(scenario, report(scenario, subjects(MANY)))
    owed = len(scenario.deliveries)
    scenario.take([[fire()]])
    (shown,) = scenario.deliveries[owed:]
    assert (shown.urgency, shown.ref != digest.id) == (Urgency.NOW, True)
    card = scenario.read(lambda repository: repository.card(shown.ref))
    assert card is not None
    assert isinstance(build_card_view(content(scenario, card), ZERO), AlertView)


def test_a_fold_leaves_the_few_alone_that_are_critical_and_folds_the_many(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    scenario.take([[event("stock.out", subject, severity=Severity.CRITICAL)] for subject in subjects(MANY)])
    scenario.take([[fire()], [fire("hall 3", data={"resolved": False})]])
    *many, first, second_one = [delivery.ref for delivery in scenario.deliveries]
    owed = len(scenario.deliveries)
    digest = fold(scenario, [*many, first, second_one])
    asked = {delivery.ref: delivery for delivery in scenario.deliveries[owed:]}
    assert asked.keys() == {digest.id, first, second_one}
    assert {asked[card].revision for card in (first, second_one)} == {2}, "so that they stay in the queue"
    assert view(scenario, digest).counts.critical == MANY


def test_a_digest_calls_news_news(new_scenario: NewScenario) -> None:
    scenario = new_scenario()
    told = [[event("order.created", subject)] for subject in subjects(MANY)]
    scenario.take(told)
    ended = report(scenario, ["SKU-A"])
    digest = fold(scenario, [delivery.ref for delivery in scenario.deliveries])
    assert ended
    scenario.at(10, fine("SKU-A"))
    shown = view(scenario, digest)
    assert (shown.counts.news, shown.counts.over, shown.counts.open) == (MANY, 1, 0)
    assert [(row.type, row.total, row.open, row.news) for row in shown.rows] == [
        ("order.created", MANY, 0, MANY),
        ("stock.low", 1, 0, 0),
    ]
