"""Whatever happens in whatever order: both ledgers tell the same, and what must always hold holds."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.alerts import actions
from bot.alerts.alert import AlertState, CardState, Mute, UserStamp
from bot.alerts.event import Event
from bot.alerts.processing.suppression import SuppressionLookup
from bot.alerts.repository import AlertRepository, AlertUnitOfWork
from bot.alerts.routing import Target
from bot.outbox.place import Place
from bot.store.database import Database
from bot.words.severity import Severity
from tests.alerts.memory_repository import MemoryAlertRepository
from tests.alerts.scenario import (
    BOSS,
    ZERO,
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
from tests.examples import examples
from tests.store.migrating import make_tables

from .conftest import in_memory, on_database

T = TypeVar("T")

SUBJECTS = ("SITE", "SKU1", "SKU2", "SKU3")
PLACES = (A, B)


def targets(one: Event, severity: Severity) -> Sequence[Target]:
    """Send to two places, one of which shares its card; to the boss what is critical, and the others later."""
    own = to(A, interval=seconds(60), repeat=seconds(1000), steps=(step(300, BOSS),))
    shared = to(B, "all", wait=seconds(30), interval=seconds(100), repeat=seconds(2000))
    return (own, shared, to(BOSS)) if severity is Severity.CRITICAL else (own, shared)


def closed_at_b_for_a_while(target: Target, now: datetime) -> datetime:
    return second(4000) if target.place == B and second(2500) <= now < second(4000) else now


def rules() -> StubRules:
    return StubRules(
        targets=targets,
        revive=seconds(500),
        inhibits=lambda cause, one: cause.event.subject == "SITE" and one.subject == "SKU3",
        silences=[(B, "stock.out", 1000, 1500)],
        opens=closed_at_b_for_a_while,
    )


def low_or_over(subject: str, kind: str, quantity: int, age: int, severity: Severity) -> Callable[[float], Event]:
    def make(now: float) -> Event:
        at = max(0.0, now - age)
        match kind:
            case "fine":
                return fine(subject, at=at)
            case "out":
                return event("stock.out", subject, severity=severity, at=at)
            case "news":
                return event("order.changed", subject, title=str(quantity), at=at)
        return low(subject, quantity=quantity, severity=severity, at=at)

    return make


events = st.builds(
    low_or_over,
    st.sampled_from(SUBJECTS),
    st.sampled_from(("low", "low", "low", "fine", "fine", "out", "news")),
    st.integers(0, 3),
    st.sampled_from((0, 0, 0, 5, 200, 2000)),
    st.sampled_from((Severity.WARNING, Severity.WARNING, Severity.CRITICAL)),
)


class AlertMachine(RuleBasedStateMachine):
    """The same things happen in two scenarios, one with its repository in memory, one with it on SQLite."""

    def __init__(self) -> None:
        super().__init__()
        self.database = Database("sqlite://")
        make_tables(self.database)
        self.scenarios = (
            ProcessorScenario(in_memory(MemoryAlertRepository()), rules(), many=2),
            ProcessorScenario(on_database(self.database), rules(), many=2),
        )

    def teardown(self) -> None:
        self.database._engine.dispose()

    @property
    def now(self) -> float:
        return (self.scenarios[0].now - ZERO).total_seconds()

    def both(self, work: Callable[[ProcessorScenario], object]) -> None:
        for scenario in self.scenarios:
            work(scenario)

    def both_do(self, work: Callable[[AlertUnitOfWork], object]) -> None:
        self.both(lambda scenario: scenario.do(work))

    def alert_ids(self) -> list[str]:
        return [alert.id for alert in self.scenarios[0].read(lambda repository: repository.open_alerts())]

    def on_one(self, which: int, work: Callable[[AlertUnitOfWork, str, UserStamp], object], who: str = "lin") -> None:
        """Let somebody do something to one of the open alerts, if there are so many."""
        ids, mark = self.alert_ids(), self.scenarios[0].mark(who)
        if which < len(ids):
            self.both_do(lambda unit: work(unit, ids[which], mark))

    @rule(made=st.lists(events, min_size=1, max_size=3))
    def events_come(self, made: list[Callable[[float], Event]]) -> None:
        batch = [[make(self.now)] for make in made]
        before = len(self.scenarios[0].deliveries)
        self.both(lambda scenario: scenario.take(batch))
        if len(made) == 1:  # of several, a later one may hush what an earlier one told
            self.nothing_hushed_was_told(before)

    @rule(pause=st.sampled_from((1, 29, 31, 100, 299, 600, 1700)))
    def time_passes(self, pause: int) -> None:
        until = self.now + pause
        self.both(lambda scenario: scenario.at(until))

    @rule(which=st.integers(0, 5), who=st.sampled_from(("lin", "wang")))
    def somebody_acknowledges(self, which: int, who: str) -> None:
        self.on_one(which, actions.acknowledge, who)

    @rule(which=st.integers(0, 5), pause=st.sampled_from((60, 900, 3600)))
    def somebody_puts_off(self, which: int, pause: int) -> None:
        until = second(self.now + pause)
        self.on_one(which, lambda unit, alert_id, mark: actions.snooze(unit, alert_id, until, mark))

    @rule(which=st.integers(0, 5))
    def somebody_assigns(self, which: int) -> None:
        self.on_one(which, lambda unit, alert_id, mark: actions.assign(unit, alert_id, mark, mark))

    @rule(
        place=st.sampled_from(PLACES), pattern=st.sampled_from(("stock.*", "SKU1")), pause=st.sampled_from((0, 50, 700))
    )
    def somebody_mutes(self, place: Place, pattern: str, pause: int) -> None:
        wish = Mute(
            id=f"{place}{pattern}", place=place, pattern=pattern, by="lin", made_at=second(self.now),
            until=second(self.now + pause),
        )  # fmt: skip
        self.both_do(lambda unit: actions.mute(unit, wish))

    @rule(place=st.sampled_from(PLACES))
    def the_outbox_folds(self, place: Place) -> None:
        owed = [
            delivery
            for delivery in self.scenarios[0].deliveries[-8:]
            if delivery.place == place and delivery.revision == 1
        ]
        self.both_do(lambda unit: actions.fold(unit, [delivery.ref for delivery in owed], place))

    @invariant()
    def both_tell_the_same(self) -> None:
        memory, database = self.scenarios
        assert memory.lines == database.lines
        state = [scenario.read(_state) for scenario in self.scenarios]
        assert state[0] == state[1]

    @invariant()
    def at_each_place_a_matter_has_one_living_card(self) -> None:
        for place in (*PLACES, BOSS):
            cards = self.scenarios[0].read(lambda repository, place=place: repository.cards_at(place))
            groups = Counter(card.group for card in cards)
            assert not [group for group, count in groups.items() if count > 1]
            alerts = Counter(alert for card in cards for alert in card.alerts)
            open_ones = set(self.alert_ids())
            assert not [one for one, count in alerts.items() if count > 1 and one in open_ones]

    @invariant()
    def what_is_over_has_only_cards_that_are_closed_or_shared(self) -> None:
        def check(repository: AlertRepository) -> None:
            ids = dict.fromkeys(note.alert for note in repository.history(limit=10_000))
            for alert in repository.alerts(tuple(ids)):
                if alert.state is not AlertState.RESOLVED:
                    continue
                for card in repository.cards_of(alert.id):
                    assert card.is_closed or any(alert.is_open for alert in repository.alerts(card.alerts))
                    assert card.state is not CardState.WAITING

        self.scenarios[0].read(check)

    @invariant()
    def revisions_never_fall(self) -> None:
        newest: dict[str, int] = {}
        for delivery in self.scenarios[1].deliveries:
            assert delivery.revision > newest.get(delivery.card, 0)
            newest[delivery.card] = delivery.revision

    def nothing_hushed_was_told(self, before: int) -> None:
        scenario = self.scenarios[0]

        def check(unit: AlertUnitOfWork) -> None:
            for delivery in scenario.deliveries[before:]:
                card = unit.repository.card(delivery.ref)
                assert card is not None
                alerts = unit.repository.alerts(card.alerts)
                if all(alert.is_open for alert in alerts) and not card.next:
                    assert any(SuppressionLookup(unit, alert).at(card.place) is None for alert in alerts)

        scenario.do(check)


def _state(repository: AlertRepository) -> tuple[object, ...]:
    cards = [card for place in (*PLACES, BOSS) for card in repository.cards_at(place)]
    return tuple(repository.open_alerts()), tuple(cards), repository.next_due()


TestDesk = AlertMachine.TestCase
# Explaining a failure traces every line, which takes minutes here.
TestDesk.settings = settings(max_examples=examples(1 / 4), stateful_step_count=25, phases=set(Phase) - {Phase.explain})


@given(made=st.lists(events, min_size=1, max_size=12), cuts=st.sets(st.integers(1, 11)))
def test_how_events_are_cut_into_batches_does_not_matter(made: list[Callable[[float], Event]], cuts: set[int]) -> None:
    taken = [[make(3000)] for make in made]

    def run(bounds: Sequence[int]) -> tuple[object, ...]:
        scenario = ProcessorScenario(in_memory(MemoryAlertRepository()), rules(), many=2)
        scenario.now = second(3000)
        for begin, end in itertools.pairwise(bounds):
            if begin < end:
                scenario.take(taken[begin:end])
        scenario.at(20_000)
        return scenario.read(_state)

    assert run((0, len(taken))) == run((0, *sorted(cut for cut in cuts if cut < len(taken)), len(taken)))
