"""One card at several places: one call makes it appear, one changes it, and what one place refuses costs no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from bot.kit.simulator.chat import SimDelivery
from bot.outbox.budgets import SendLimits
from bot.outbox.delivery import DeliveryState
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard, OwnView
from bot.store.outbox.deliveries import StoredShownCards
from bot.store.outbox.queue import enqueue, withdraw
from tests.outbox.conftest import WIDE, OutboxHarness, RevisionComposer, StubView, outbox_of, owed
from tests.outbox.test_sending import CREATE, GROUP_SEND, UPDATE, calls

KEEPER, BUYER = Place(PlaceKind.PERSON, "keeper01"), Place(PlaceKind.PERSON, "buyer01")


@dataclass
class SharingPapers(RevisionComposer):
    """Composes papers that say each person's name; those that cannot be shared get a paper for each place."""

    separated: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    async def compose(self, ref: str) -> ComposedCard:
        name, *places = ref.split("|")
        common = await super().compose(name)
        if len(places) == 1:
            return common
        people = [Place.parse(place) for place in places if place.startswith("person:")]
        own = (OwnView(one.id, StubView(words=f"{name} r{common.revision} {one.id}")) for one in people)
        return replace(common, own=tuple(own))

    async def separate(self, card: str, ref: str, places: Sequence[Place]) -> None:
        name, *where = ref.split("|")
        self.separated.append((card, tuple(map(str, places))))
        staying = [Place.parse(place) for place in where if Place.parse(place) not in places]

        def put(connection: Connection) -> None:
            for place in places:
                alone = owed(f"{name}@{place}", self.revisions[name], place=place, ref=f"{name}|{place}")
                enqueue(connection, alone, now=self.clock())
            if staying:
                enqueue(connection, together(name, self.revisions[name], staying), now=self.clock())
            else:
                withdraw(connection, [card])

        await self.database.run(put)


def together(name: str, revision: int, places: Sequence[Place]) -> Any:
    return owed(name, revision, place=places[0], also=tuple(places[1:]), ref="|".join((name, *map(str, places))))


@pytest.fixture
def shared(system: OutboxHarness) -> OutboxHarness:
    assert system.engine is not None
    system.engine.readings.private_values = True
    system.composer = SharingPapers(system.database, system.clock)
    system.outbox = outbox_of(
        system.database, system.composer, system.outbox._messenger, system.clock, metrics=system.metrics
    )
    return system


async def owe(system: OutboxHarness, revision: int, *places: Place) -> None:
    system.composer.revisions["a"] = revision
    await system.outbox.enqueue(together("a", revision, places))
    await system.work()


def seen(system: OutboxHarness, reader: str, place: str = "") -> list[str]:
    """Return what somebody reads on the cards in a group, or in their own chat."""
    engine = system.engine
    assert engine is not None
    chat = engine.conversation(place) if place else engine.direct(reader)
    items = engine.chat.items(chat, "", 0)
    return [item.card.view_for(reader).title for item in items if isinstance(item, SimDelivery)]


def separated(system: OutboxHarness) -> list[tuple[str, tuple[str, ...]]]:
    assert isinstance(system.composer, SharingPapers)
    return system.composer.separated


async def test_one_call_shows_it_everywhere_and_one_changes_it(shared: OutboxHarness) -> None:
    await owe(shared, 1, shared.group, KEEPER, BUYER)
    await owe(shared, 2, shared.group, KEEPER, BUYER)
    assert (calls(shared, CREATE), calls(shared, UPDATE)) == (1, 1)
    group = shared.group.id
    assert (seen(shared, "keeper01"), seen(shared, "buyer01")) == (["a r2 keeper01"], ["a r2 buyer01"])
    assert (seen(shared, "it01", group), seen(shared, "keeper01", group)) == (["a r2"], ["a r2 keeper01"])


@pytest.mark.parametrize("missing", [0, 1], ids=["the first place", "another place"])
async def test_where_it_cannot_stand_it_has_a_card_of_its_own(shared: OutboxHarness, missing: int) -> None:
    assert shared.engine is not None
    places = [KEEPER, BUYER]
    places.insert(missing, shared.group)
    shared.engine.conversation(shared.group.id).bot_member = False
    await owe(shared, 1, *places)
    assert separated(shared) == [("a", (str(shared.group),))]
    assert (seen(shared, "keeper01"), seen(shared, "buyer01")) == (["a r1 keeper01"], ["a r1 buyer01"])
    await owe(shared, 2, KEEPER, BUYER)
    assert (seen(shared, "keeper01"), seen(shared, "buyer01")) == (["a r2 keeper01"], ["a r2 buyer01"])
    assert calls(shared, UPDATE) == 1


async def test_what_is_refused_for_all_is_tried_for_each(shared: OutboxHarness) -> None:
    nowhere = Place(PlaceKind.PERSON, "nobody99")
    await owe(shared, 1, shared.group, KEEPER, nowhere)
    assert (seen(shared, "keeper01"), seen(shared, "it01", shared.group.id)) == (["a r1"], ["a r1"])
    [alone] = await shared.deliveries.search(place=nowhere, state=DeliveryState.DEAD)
    assert alone.card == f"a@{nowhere}"


async def test_without_any_card_each_place_gets_a_text(shared: OutboxHarness) -> None:
    assert shared.engine is not None
    shared.engine.faults.set("template_unpublished", on=True)
    await owe(shared, 1, shared.group, KEEPER)
    assert shared.texts == ["a r1"]
    assert calls(shared, GROUP_SEND) == 1
    assert await shared.history("a") == ["queued", "separated"]
    assert (await shared.row("a")).state is DeliveryState.FOLDED


async def test_a_card_whose_creation_is_in_doubt_is_not_made_twice(shared: OutboxHarness) -> None:
    assert shared.engine is not None
    shared.engine.faults.set("lying_timeout", on=True, count=1, api="card/instances")
    await owe(shared, 1, shared.group, KEEPER)
    shared.clock.forward(minutes=1)
    await shared.work()
    assert (seen(shared, "keeper01"), seen(shared, "it01", shared.group.id)) == (["a r1 keeper01"], ["a r1"])
    assert separated(shared) == []


async def test_every_place_counts_in_its_budget(shared: OutboxHarness) -> None:
    limits = SendLimits(per_second=WIDE.per_second, place_minute=1, robot_minute=1)
    shared.outbox._limits = limits
    for name in ("a", "b"):
        shared.composer.revisions[name] = 1
        await shared.outbox.enqueue(
            replace(together(name, 1, [KEEPER if name == "a" else BUYER, shared.group]), card=name)
        )
    await shared.work()
    assert len(seen(shared, "it01", shared.group.id)) == 1


async def test_a_click_counts_where_the_clicker_has_the_card(shared: OutboxHarness) -> None:
    await owe(shared, 1, shared.group, KEEPER)
    cards, track = StoredShownCards(shared.database), "track-a"
    assert await cards.clicked(track, "keeper01", shared.clock()) == (KEEPER, shared.group)
    assert await cards.clicked(track, "buyer01", shared.clock()) == (shared.group, KEEPER)
    assert [await cards.has_own_values(track, one) for one in ("keeper01", "keeper0", "buyer01")] == [
        True,
        False,
        False,
    ]
    assert not await cards.has_own_values("track-b", "keeper01")


async def test_it_is_found_by_each_of_its_places(shared: OutboxHarness) -> None:
    await owe(shared, 1, shared.group, KEEPER, BUYER)
    for place in (shared.group, KEEPER, BUYER):
        assert [row.card for row in await shared.deliveries.search(place=place)] == ["a"]
    assert await shared.deliveries.search(place=Place(PlaceKind.PERSON, "keeper0")) == []
