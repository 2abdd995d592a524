"""The notice board, what people do, and the composer: on both ledgers, after what the desk made of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

from bot.alerts import sweeping
from bot.alerts.acting import Outcome
from bot.alerts.alert import AlertState
from bot.alerts.board import Comparison, Watch
from bot.alerts.composing import AlertComposer
from bot.alerts.event import Severity
from bot.alerts.ledger import Ledger, Mute
from bot.alerts.noticeboard import LedgerActions, LedgerBoard, Study
from bot.alerts.plan import Step
from bot.alerts.views import AlertDigest, AlertGroup, AlertView
from bot.erp.model import Area
from bot.outbox.composing import Composer
from bot.outbox.place import Place

from .axis import ZERO, A, Axis, B, SmallRules, fine, low, seconds, to
from .conftest import MakeAxis

T = TypeVar("T")

NAMES: Mapping[str, str] = MappingProxyType({"boss": "陈经理"})


@dataclass(slots=True)
class Room:
    """Everything on one axis; counts how often somebody was told of a change."""

    axis: Axis
    changes: int = 0

    async def within(self, work: Callable[[Ledger], T]) -> T:
        return self.axis.read(work)

    @property
    def study(self) -> Study:
        return Study(self, self.axis.unit, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    @property
    def board(self) -> LedgerBoard:
        return LedgerBoard(self.study)

    @property
    def actions(self) -> LedgerActions:
        return LedgerActions(self.study)

    @property
    def composer(self) -> Composer:
        async def name_of(user_id: str) -> str:
            return NAMES[user_id]

        return AlertComposer(self.study, now=lambda: self.axis.now, name_of=name_of)

    def newest(self, place: Place = A) -> str:
        """Return the card that was owed to a place last."""
        return next(delivery.ref for delivery in reversed(self.axis.deliveries) if delivery.place == place)


def room(axis: MakeAxis, *targets: object, **rules: object) -> Room:
    return Room(axis(SmallRules(targets=targets or (to(A),), **rules)))  # type: ignore[arg-type]


async def test_what_is_open_at_a_place(axis: MakeAxis) -> None:
    here = room(axis)
    here.axis.at(0, low("SKU1", 5))
    here.axis.at(10, low("SKU2", 3), low("SKU3", 1))
    here.axis.at(20, fine("SKU3"))
    assert [alert.event.subject for alert in await here.board.open_at(A)] == ["SKU2", "SKU1"]
    assert await here.board.open_at(B) == ()
    alert = here.axis.alert("SKU1")
    assert await here.board.alert(alert.id) == alert
    (card,) = await here.board.cards_of(alert.id)
    posted = await here.board.posted(card.id)
    assert posted is not None
    assert (posted.card, posted.alerts) == (card, (alert,))
    assert await here.board.posted("nothing") is None
    assert await here.board.alert("nothing") is None
    assert here.changes == 0


async def test_what_people_do_is_stored_and_told(axis: MakeAxis) -> None:
    here = room(axis)
    here.axis.at(0, low("SKU1", 5))
    alert = here.axis.alert("SKU1")
    taken = await here.actions.acknowledge(alert.id, here.axis.mark("keeper"))
    assert taken is not None
    assert taken.outcome is Outcome.DONE
    again = await here.actions.acknowledge(alert.id, here.axis.mark("buyer"))
    assert again is not None
    assert again.outcome is Outcome.ALREADY
    assert again.first is not None
    assert again.first.user_id == "keeper"
    given = await here.actions.assign(alert.id, here.axis.mark("buyer"), here.axis.mark("keeper"))
    assert given is not None
    assert given.alert.assigned is not None
    later = await here.actions.snooze(alert.id, here.axis.now + seconds(60), here.axis.mark("keeper"))
    assert later is not None
    assert later.alert.snoozed_until == ZERO + seconds(60)
    assert await here.actions.acknowledge("nothing", here.axis.mark("keeper")) is None
    assert here.changes == 5
    composed = await here.composer.compose(here.newest())
    assert isinstance(composed.view, AlertView)
    assert composed.view.acknowledged == here.axis.alert("SKU1").acknowledged


async def test_mutes_and_watches_are_kept(axis: MakeAxis) -> None:
    here = room(axis)
    now = here.axis.now
    later = Mute(id="1", place=A, pattern="stock.*", by="a", made_at=now, until=now + timedelta(hours=2))
    sooner = replace(later, id="2", pattern="SKU1", until=now + timedelta(hours=1))
    await here.board.put_mute(later)
    await here.board.put_mute(sooner)
    assert await here.board.mutes(A, now) == (sooner, later)
    assert here.axis.at(1, low("SKU1", 5)) == []
    await here.board.lift_mute(sooner)
    await here.board.lift_mute(later)
    assert await here.board.mutes(A, here.axis.now) == ()
    here.axis.do(lambda unit: sweeping.sweep(unit, sweeping.find_due(unit)))
    assert here.axis.lines == ["1 group:a card1 SKU1=5 open"]

    watch = Watch(
        user_id="boss",
        area=Area.STOCK,
        subject="SKU9",
        comparison=Comparison.BELOW,
        limit=Decimal(10),
        made_at=here.axis.now,
    )
    await here.board.put_watch(watch)
    assert await here.board.watches("boss") == (watch,)
    assert await here.board.watches("nobody") == ()
    here.axis.at(3, low("SKU9", 5))
    (mine,) = await here.board.open_at(Place.parse("person:boss"))
    await here.board.drop_watches((watch.id, "unknown"))
    assert await here.board.watches("boss") == ()
    over = await here.board.alert(mine.id)
    assert over is not None
    assert not over.is_open


async def test_a_card_is_composed_as_it_is_now(axis: MakeAxis) -> None:
    here = room(axis)
    here.axis.at(0, low("SKU1", 5))
    card = here.newest()
    here.axis.at(10, low("SKU1", 4))
    now = await here.composer.compose(card)
    assert isinstance(now.view, AlertView)
    assert (now.view.count, now.view.state) == (2, AlertState.OPEN)
    here.axis.at(20, fine("SKU1"))
    over = await here.composer.compose(card)
    assert isinstance(over.view, AlertView)
    assert over.view.state is AlertState.RESOLVED
    assert over.revision > now.revision == here.axis.deliveries[-2].revision
    assert (await here.composer.compose("nothing")).view is None


async def test_several_matters_of_a_group_share_a_card(axis: MakeAxis) -> None:
    here = room(axis, to(A, group="stock", wait=seconds(5)))
    here.axis.at(0, low("SKU1", 5), low("SKU2", 3, severity=Severity.CRITICAL))
    here.axis.at(5)
    composed = await here.composer.compose(here.newest())
    assert isinstance(composed.view, AlertGroup)
    assert [row.subject for row in composed.view.rows] == ["SKU2", "SKU1"]


async def test_who_was_told_later_is_named(axis: MakeAxis) -> None:
    boss = Place.parse("person:boss")
    here = room(axis, to(A, steps=(Step(seconds(60), (boss,)),)))
    here.axis.at(0, low("SKU1", 5))
    before = await here.composer.compose(here.newest())
    here.axis.at(60)
    after = await here.composer.compose(here.newest())
    assert isinstance(before.view, AlertView)
    assert isinstance(after.view, AlertView)
    assert (before.view.told, before.view.steps) == ((), 0)
    assert (after.view.told, after.view.steps) == (("陈经理",), 1)


async def test_a_card_that_was_shown_anew_points_to_the_newer_one(axis: MakeAxis) -> None:
    here = room(axis, to(A, repeat=seconds(100)))
    here.axis.at(0, low("SKU1", 5))
    old = here.newest()
    here.axis.at(100)
    cards = {delivery.ref for delivery in here.axis.deliveries}
    first, second = await here.composer.compose(old), await here.composer.compose((cards - {old}).pop())
    assert isinstance(first.view, AlertView)
    assert isinstance(second.view, AlertView)
    assert (first.view.moved, second.view.moved) == (True, False)
    assert not [button for button in first.view.buttons() if "alert." in str(getattr(button.does, "kind", ""))]


async def test_many_cards_are_folded_into_one_digest(axis: MakeAxis) -> None:
    here = room(axis)
    here.axis.at(0, *(low(f"SKU{number}", number) for number in range(4)))
    refs = [delivery.ref for delivery in here.axis.deliveries]
    await here.composer.fold(refs, str(A))
    digest = here.newest()
    assert digest not in refs
    composed = await here.composer.compose(digest)
    assert isinstance(composed.view, AlertDigest)
    assert [(row.type, row.total) for row in composed.view.rows] == [("stock.low", 4)]
    before = len(here.axis.deliveries)
    await here.composer.fold(refs, str(A))
    assert len(here.axis.deliveries) == before
