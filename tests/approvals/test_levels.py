"""One level after the other: wherever the card stands it says who agreed and for whom it now waits, by one update."""

from __future__ import annotations

from collections import Counter

from bot.approvals.asking import OfficeApprovals
from bot.approvals.case import Case, CaseState
from bot.approvals.composing import ApprovalComposer
from bot.approvals.insights import Insights
from bot.approvals.showing import Showing
from bot.approvals.views import ApprovalView
from bot.testing.approvals import MemoryBooks
from tests.approvals.parts import document
from tests.approvals.policy.test_planning import all_of, any_of
from tests.approvals.test_insights import Archive, level
from tests.approvals.world import GROUP, HOUR, World, rules

TWO = rules(any_of("role:purchasing"), all_of("role:board"), remind_after=(HOUR,))
PLACES = ("person:wang", "person:zhao", str(GROUP))
LATER = ("person:sun", "person:zhou")


def updates(world: World, case: Case) -> Counter[str]:
    """Return how often each place owes the case's newest state."""
    assert isinstance(world.books, MemoryBooks)
    owed = [one for one in world.books.book.deliveries if one.ref.startswith(f"{case.id}|")]
    return Counter(str(one.place) for one in owed if one.revision == case.revision)


async def cards(world: World) -> dict[str, ApprovalView]:
    """Return what the card shows wherever it stands."""
    approvals = OfficeApprovals(world.desk, world.desk._office)
    archive = Archive([], [level("SKU1", "5")])

    async def nobody(user_ids: object) -> dict[str, str]:
        return {}

    insights = Insights(lambda source: archive, now=world.clock)
    showing = Showing(world.erp.reread, insights, nobody, now=world.clock)
    composer = ApprovalComposer(approvals.find, showing)
    case = await world.newest()
    shown = {}
    for one in await world.books.within(lambda book: list(book.cards_of(case.id))):
        composed = await composer.compose(f"{case.id}|{one.place}")
        assert isinstance(composed.view, ApprovalView)
        shown[str(one.place)] = composed.view
    return shown


async def test_all_cards_follow_from_level_to_level_with_one_update_each() -> None:
    world = World(rules=TWO)
    await world.submit()
    assert set(await cards(world)) == set(PLACES)

    await world.say("wang")
    case = await world.newest()
    assert case.state is CaseState.OPEN
    assert updates(world, case) == dict.fromkeys((*PLACES, *LATER), 1)
    for view in (await cards(world)).values():
        assert [one.name for one in view.spoken] == ["Wang"]
        assert (view.level, view.levels, view.waited, view.need_all) == (2, 2, ("sun", "zhou"), True)

    await world.say("sun")
    case = await world.newest()
    assert updates(world, case) == dict.fromkeys((*PLACES, *LATER), 1)
    for view in (await cards(world)).values():
        assert ([one.name for one in view.spoken], view.waited) == (["Wang", "Sun"], ("zhou",))

    await world.say("zhou")
    await world.rest()
    case = await world.newest()
    assert case.state is CaseState.APPROVED
    assert updates(world, case) == dict.fromkeys((*PLACES, *LATER, "person:wu"), 1)


async def test_who_agreed_has_no_buttons_and_the_others_have() -> None:
    world = World(rules=TWO)
    await world.submit()
    await world.say("wang")
    shown = await cards(world)
    mute = {place for place, view in shown.items() if view.mute}
    assert mute == {"person:wang"}


async def test_the_card_of_a_reminder_follows_too() -> None:
    world = World(rules=TWO)
    await world.submit()
    await world.rest(within=2 * HOUR)
    await world.say("wang")
    assert updates(world, await world.newest()) == {
        "person:wang": 2,
        "person:zhao": 2,
        str(GROUP): 1,
        **dict.fromkeys(LATER, 1),
    }


async def test_a_case_that_opened_quietly_shows_itself_to_the_next_level_alone() -> None:
    world = World(rules=TWO)
    world.erp.submit(document(requester="wu").order)
    assert await world.desk.submitted("main", "PO-1", quiet=True) is not None
    await world.say("wang")
    assert set(updates(world, await world.newest())) == {*LATER}
