"""The process dies before or after any step, another one goes on, the ERP is changed once, and nobody has to help.

On SQLite a step costs twenty times as much as in memory, so there it dies at every third, and in `make soak` at each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, suppress

import pytest
from sqlalchemy import create_engine

from bot.approvals.case import CaseState
from bot.erp.model import PurchaseStatus
from bot.store.approvals import StoredApprovalBooks
from bot.store.database import Database
from bot.store.tables import METADATA
from tests.approvals.parts import document
from tests.approvals.policy.test_planning import all_of, any_of
from tests.approvals.small_erp import Fault
from tests.approvals.world import REJECT, Killed, World, rules

Story = Callable[[World], Awaitable[None]]


async def approve(world: World) -> None:
    await world.desk.submitted("main", "PO-1")
    await click(world, "wang")


async def reject(world: World) -> None:
    await world.desk.submitted("main", "PO-1")
    if (await world.newest()).state is CaseState.OPEN:
        await world.say("wang", REJECT)
    await live(world)


async def both(world: World) -> None:
    world.rules = rules(any_of("role:purchasing"), all_of("role:board"))
    await world.desk.submitted("main", "PO-1")
    for person in ("wang", "sun", "zhou"):
        await click(world, person)


async def silent(world: World) -> None:
    if not world.erp.told:
        world.erp.faults[:] = [Fault.DONE_IN_SILENCE]
    await approve(world)


async def away(world: World) -> None:
    if not world.erp.told:
        world.erp.faults[:] = [Fault.AWAY]
    await approve(world)


async def lost(world: World) -> None:
    if not world.erp.told:
        world.erp.faults[:] = [Fault.LOST]
    await approve(world)


async def two_levels_in_the_erp(world: World) -> None:
    await world.desk.submitted("main", "PO-1")
    for person in ("wang", "qian"):
        await click(world, person)
        await live(world)


async def refused_first(world: World) -> None:
    world.erp.forbidden.add("erp-wang")
    await world.desk.submitted("main", "PO-1")
    if "wang" not in (await world.newest()).refused:
        await click(world, "wang")
        await live(world)
    await click(world, "qian")


async def changed(world: World) -> None:
    case = await world.desk.submitted("main", "PO-1")
    if world.erp.orders["PO-1"].vendor == "ACME" and case is not None:
        world.erp.edit("PO-1", vendor="OTHER")
        await world.say("wang", case=case)
    await live(world)
    await click(world, "wang")


async def click(world: World, person: str) -> None:
    """Click until it was heard: who got no answer clicks again."""
    if (await world.newest()).state is CaseState.OPEN:
        await world.say(person)
    await live(world)


async def live(world: World) -> None:
    """Let the writer work; what dies with it is seen at the next step."""
    await world.rest()
    world.process.life.step()


STORIES = {
    one.__name__: one
    for one in (approve, reject, both, silent, away, lost, two_levels_in_the_erp, refused_first, changed)
}


@pytest.fixture(scope="module")
def tables() -> Iterator[sqlite3.Connection]:
    """Empty tables, to be copied."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        METADATA.create_all(connection)
    with engine.connect() as connection:
        held = connection.connection.driver_connection
        assert isinstance(held, sqlite3.Connection)
        file = held.serialize()
    engine.dispose()
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as kept:
        kept.deserialize(file)
        yield kept


@pytest.fixture(
    params=[
        pytest.param(("memory", 1), id="memory"),
        pytest.param(("sqlite", 3), id="sqlite"),
        pytest.param(("sqlite", 1), id="sqlite, each step", marks=pytest.mark.soak),
    ]
)
def where(request: pytest.FixtureRequest) -> tuple[str, int]:
    """Return where the books are kept, and how many steps lie between two deaths: an odd number, for a process does a
    thing in two steps, before and after.
    """
    store, stride = request.param
    return str(store), int(stride)


@pytest.fixture
async def make_world(
    request: pytest.FixtureRequest, where: tuple[str, int]
) -> AsyncIterator[Callable[[], Awaitable[World]]]:
    """Return what makes a world without a past. On SQLite all worlds of a test have the same database, emptied."""
    if where[0] == "memory":

        async def anew() -> World:
            return World()

        yield anew
        return
    tables: sqlite3.Connection = request.getfixturevalue("tables")
    database = Database("sqlite://")

    async def emptied() -> World:
        await database.look(lambda connection: tables.backup(connection.connection.driver_connection))  # type: ignore[arg-type]
        world = World()
        world.books = StoredApprovalBooks(database, world.clock)
        world.start()
        return world

    yield emptied
    await database.close()


@pytest.mark.parametrize("name", STORIES)
async def test_dying_at_any_step(name: str, where: tuple[str, int], make_world: Callable[[], Awaitable[World]]) -> None:
    story, steps, survived = STORIES[name], 0, False
    while not survived:
        world = await make_world()
        world.start()
        if story is two_levels_in_the_erp:
            world.erp.levels["PO-1"] = (("erp-wang",), ("erp-qian",))
        world.erp.submit(document(requester="wu").order)
        world.start(steps)
        with suppress(Killed):
            await story(world)
            survived = True
        world.start()
        await world.rest()
        await story(world)
        await world.rest()
        await check(name, world, steps)
        steps += where[1]
    assert steps > 10


async def check(name: str, world: World, steps: int) -> None:
    order = world.erp.orders["PO-1"]
    wanted = PurchaseStatus.REJECTED if name == "reject" else PurchaseStatus.APPROVED
    assert order.status is wanted, (steps, await world.story())
    writes = 2 if name == "two_levels_in_the_erp" else 1
    assert len(world.erp.written) == writes, (steps, world.erp.written)
    state = CaseState.REJECTED if name == "reject" else CaseState.APPROVED
    assert await world.state() is state, (steps, await world.story())
    for case, rows in await world.desk.history("PO-1"):
        assert case.state.is_final
        assert case.due_at is None
        assert [row.what for row in rows].count("opened") == 1
        owed = await world.books.within(lambda book, one=case.id: len(book.cards_of(one)))  # type: ignore[misc]
        assert owed >= 3
