"""Clicks while the ERP is slow or away, many at a time, and by people who go away."""

from __future__ import annotations

import asyncio

import pytest

from bot.approvals.case import CaseState
from bot.approvals.voting import Said
from tests.approvals.world import World, until


async def test_an_erp_that_is_away_stores_nothing(world: World) -> None:
    await world.submit()
    world.erp.away = True
    voted = await world.say("wang")
    assert voted.said is Said.SILENT
    assert str(voted.reasons[0]) == "The ERP does not answer at the moment."
    assert await world.story() == ["opened"]


async def test_an_erp_that_is_slow_is_waited_for_as_long_as_a_click_may_take() -> None:
    world = World(patience=0.1)
    await world.submit()
    world.erp.gate = asyncio.Event()
    started = asyncio.get_running_loop().time()
    assert (await world.say("wang")).said is Said.SILENT
    assert asyncio.get_running_loop().time() - started < 2
    world.erp.gate.set()
    assert await world.story() == ["opened"]


async def test_many_at_the_same_moment_share_a_read_and_one_decides(world: World) -> None:
    case = await world.submit()
    reads = world.erp.reads
    people = ("wang", "qian", "li", "zheng")
    said = [one.said for one in await asyncio.gather(*(world.say(one, case=case) for one in people * 20))]
    assert said.count(Said.DECIDED) == 1
    assert set(said) <= {Said.DECIDED, Said.LATE, Said.REFUSED}
    assert world.erp.reads == reads + 1
    await world.rest()
    assert len(world.erp.written) == 1


async def test_who_goes_away_has_spoken_all_the_same(world: World) -> None:
    case = await world.submit()
    click = asyncio.create_task(world.say("wang", case=case))
    inside = asyncio.Event()
    within = world.books.within

    async def slow(work: object) -> object:
        inside.set()
        await asyncio.sleep(0)
        return await within(work)  # type: ignore[arg-type]

    world.books.within = slow  # type: ignore[method-assign,assignment]
    world.process.desk._office.books._books.within = slow  # type: ignore[attr-defined]
    await until(lambda: bool(world.desk._at_work))
    click.cancel()
    with pytest.raises(asyncio.CancelledError):
        await click
    await until(lambda: not (world.desk._at_work))
    assert await world.state() is CaseState.WRITING
