"""Every change is a newer state of the cards: the outbox shows no state that is older than the one that stands."""

from __future__ import annotations

from datetime import timedelta

from bot.approvals.unit import Terms
from tests.approvals.policy.test_planning import any_of
from tests.approvals.world import World, cards, rules


async def test_people_and_the_erp_bring_newer_states() -> None:
    world = World(rules=rules(any_of("person:wang person:qian")), terms=Terms(undo=timedelta(seconds=10)))
    case = await world.submit()
    assert (case.id[-2:], case.revision) == ("-1", 1)
    await world.desk.forward(case.id, "zhao", "wang")
    assert (await world.newest()).revision == 2
    await world.say("zhao")
    assert (await world.newest()).revision == 3
    await world.desk.take_back(case.id, "zhao")
    assert (await world.newest()).revision == 4
    world.erp.forbidden.add("erp-zhao")
    await world.say("zhao")
    world.clock.move(seconds=10)
    await world.work()
    opened = await world.newest()
    assert (opened.revision, opened.refused) == (6, ("zhao",))
    assert set(cards(world, case.id).values()) == {6}
