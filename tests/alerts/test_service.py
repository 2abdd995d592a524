"""The notice board, what people do, and the composer: on both ledgers, after what the desk made of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

from bot.alerts import timers
from bot.alerts.actions import AlertActionOutcome
from bot.alerts.alert import AlertState
from bot.alerts.event import Severity
from bot.alerts.queries import Comparator, Watch
from bot.alerts.repository import AlertRepository, Mute
from bot.alerts.routing import EscalationStep
from bot.alerts.service import AlertComposer, AlertUnitOfWorkRunner, RepositoryAlertActions, RepositoryAlertQueries
from bot.alerts.views import AlertDigest, AlertGroup, AlertView
from bot.erp.model import Area
from bot.outbox.composer import Composer
from bot.outbox.place import Place
from tests.alerts.conftest import MakeAxis
from tests.alerts.scenario import ZERO, A, B, ProcessorScenario, StubRules, fine, low, seconds, to

T = TypeVar("T")

NAMES: Mapping[str, str] = MappingProxyType({"boss": "陈经理"})


@dataclass(slots=True)
class ServiceHarness:
    """Everything on one axis; counts how often somebody was told of a change."""

    scenario: ProcessorScenario
    changes: int = 0

    async def transact(self, work: Callable[[AlertRepository], T]) -> T:
        return self.scenario.read(work)

    async def query(self, work: Callable[[AlertRepository], T]) -> T:
        return self.scenario.read(work)

    @property
    def study(self) -> AlertUnitOfWorkRunner:
        return AlertUnitOfWorkRunner(self, self.scenario.unit, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    @property
    def board(self) -> RepositoryAlertQueries:
        return RepositoryAlertQueries(self.study)

    @property
    def actions(self) -> RepositoryAlertActions:
        return RepositoryAlertActions(self.study)

    @property
    def composer(self) -> Composer:
        async def name_of(user_id: str) -> str:
            return NAMES[user_id]

        return AlertComposer(self.study, now=lambda: self.scenario.now, name_of=name_of)

    def newest(self, place: Place = A) -> str:
        """Return the card that was owed to a place last."""
        return next(delivery.ref for delivery in reversed(self.scenario.deliveries) if delivery.place == place)


def room(scenario: MakeAxis, *targets: object, **rules: object) -> ServiceHarness:
    return ServiceHarness(scenario(StubRules(targets=targets or (to(A),), **rules)))  # type: ignore[arg-type]


async def test_what_is_open_at_a_place(scenario: MakeAxis) -> None:
    here = room(scenario)
    here.scenario.at(0, low("SKU1", 5))
    here.scenario.at(10, low("SKU2", 3), low("SKU3", 1))
    here.scenario.at(20, fine("SKU3"))
    assert [alert.event.subject for alert in await here.board.open_at(A)] == ["SKU2", "SKU1"]
    assert await here.board.open_at(B) == ()
    alert = here.scenario.alert("SKU1")
    assert await here.board.alert(alert.id) == alert
    (card,) = await here.board.cards_of(alert.id)
    posted = await here.board.posted(card.id)
    assert posted is not None
    assert (posted.card, posted.alerts) == (card, (alert,))
    assert await here.board.posted("nothing") is None
    assert await here.board.alert("nothing") is None
    assert here.changes == 0


async def test_what_people_do_is_stored_and_told(scenario: MakeAxis) -> None:
    here = room(scenario)
    here.scenario.at(0, low("SKU1", 5))
    alert = here.scenario.alert("SKU1")
    taken = await here.actions.acknowledge(alert.id, here.scenario.mark("keeper"))
    assert taken is not None
    assert taken.outcome is AlertActionOutcome.DONE
    again = await here.actions.acknowledge(alert.id, here.scenario.mark("buyer"))
    assert again is not None
    assert again.outcome is AlertActionOutcome.ALREADY
    assert again.first is not None
    assert again.first.user_id == "keeper"
    given = await here.actions.assign(alert.id, here.scenario.mark("buyer"), here.scenario.mark("keeper"))
    assert given is not None
    assert given.alert.assigned is not None
    later = await here.actions.snooze(alert.id, here.scenario.now + seconds(60), here.scenario.mark("keeper"))
    assert later is not None
    assert later.alert.snoozed_until == ZERO + seconds(60)
    assert await here.actions.acknowledge("nothing", here.scenario.mark("keeper")) is None
    assert here.changes == 5
    composed = await here.composer.compose(here.newest())
    assert isinstance(composed.view, AlertView)
    assert composed.view.acknowledged == here.scenario.alert("SKU1").acknowledged


async def test_mutes_and_watches_are_kept(scenario: MakeAxis) -> None:
    here = room(scenario)
    now = here.scenario.now
    later = Mute(id="1", place=A, pattern="stock.*", by="a", made_at=now, until=now + timedelta(hours=2))
    sooner = replace(later, id="2", pattern="SKU1", until=now + timedelta(hours=1))
    await here.board.put_mute(later)
    await here.board.put_mute(sooner)
    assert await here.board.mutes(A, now) == (sooner, later)
    assert here.scenario.at(1, low("SKU1", 5)) == []
    await here.board.lift_mute(sooner)
    await here.board.lift_mute(later)
    assert await here.board.mutes(A, here.scenario.now) == ()
    here.scenario.do(lambda unit: timers.run_due(unit, timers.find_due(unit)))
    assert here.scenario.lines == ["1 group:a card1 SKU1=5 open"]

    watch = Watch(
        user_id="boss",
        area=Area.STOCK,
        subject="SKU9",
        comparison=Comparator.BELOW,
        limit=Decimal(10),
        made_at=here.scenario.now,
    )
    await here.board.put_watch(watch)
    assert await here.board.watches("boss") == (watch,)
    assert await here.board.watches("nobody") == ()
    here.scenario.at(3, low("SKU9", 5))
    (mine,) = await here.board.open_at(Place.parse("person:boss"))
    await here.board.drop_watches((watch.id, "unknown"))
    assert await here.board.watches("boss") == ()
    over = await here.board.alert(mine.id)
    assert over is not None
    assert not over.is_open


async def test_a_card_is_composed_as_it_is_now(scenario: MakeAxis) -> None:
    here = room(scenario)
    here.scenario.at(0, low("SKU1", 5))
    card = here.newest()
    here.scenario.at(10, low("SKU1", 4))
    now = await here.composer.compose(card)
    assert isinstance(now.view, AlertView)
    assert (now.view.count, now.view.state) == (2, AlertState.OPEN)
    here.scenario.at(20, fine("SKU1"))
    over = await here.composer.compose(card)
    assert isinstance(over.view, AlertView)
    assert over.view.state is AlertState.RESOLVED
    assert over.revision > now.revision == here.scenario.deliveries[-2].revision
    assert (await here.composer.compose("nothing")).view is None


async def test_several_matters_of_a_group_share_a_card(scenario: MakeAxis) -> None:
    here = room(scenario, to(A, group="stock", wait=seconds(5)))
    here.scenario.at(0, low("SKU1", 5), low("SKU2", 3, severity=Severity.CRITICAL))
    here.scenario.at(5)
    composed = await here.composer.compose(here.newest())
    assert isinstance(composed.view, AlertGroup)
    assert [row.subject for row in composed.view.rows] == ["SKU2", "SKU1"]


async def test_who_was_told_later_is_named(scenario: MakeAxis) -> None:
    boss = Place.parse("person:boss")
    here = room(scenario, to(A, steps=(EscalationStep(seconds(60), (boss,)),)))
    here.scenario.at(0, low("SKU1", 5))
    before = await here.composer.compose(here.newest())
    here.scenario.at(60)
    after = await here.composer.compose(here.newest())
    assert isinstance(before.view, AlertView)
    assert isinstance(after.view, AlertView)
    assert (before.view.told, before.view.steps) == ((), 0)
    assert (after.view.told, after.view.steps) == (("陈经理",), 1)


async def test_a_card_that_was_shown_anew_points_to_the_newer_one(scenario: MakeAxis) -> None:
    here = room(scenario, to(A, repeat=seconds(100)))
    here.scenario.at(0, low("SKU1", 5))
    old = here.newest()
    here.scenario.at(100)
    cards = {delivery.ref for delivery in here.scenario.deliveries}
    first, second = await here.composer.compose(old), await here.composer.compose((cards - {old}).pop())
    assert isinstance(first.view, AlertView)
    assert isinstance(second.view, AlertView)
    assert (first.view.moved, second.view.moved) == (True, False)
    assert not [button for button in first.view.buttons() if "alert." in str(getattr(button.does, "kind", ""))]


async def test_many_cards_are_folded_into_one_digest(scenario: MakeAxis) -> None:
    here = room(scenario)
    here.scenario.at(0, *(low(f"SKU{number}", number) for number in range(4)))
    refs = [delivery.ref for delivery in here.scenario.deliveries]
    await here.composer.fold(refs, str(A))
    digest = here.newest()
    assert digest not in refs
    composed = await here.composer.compose(digest)
    assert isinstance(composed.view, AlertDigest)
    assert [(row.type, row.total) for row in composed.view.rows] == [("stock.low", 4)]
    before = len(here.scenario.deliveries)
    await here.composer.fold(refs, str(A))
    assert len(here.scenario.deliveries) == before
