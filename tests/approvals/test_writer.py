"""The writer: a few at a time, in several processes, and unharmed by a defect."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.approvals import settling
from bot.approvals.case import CaseState
from bot.approvals.writing import Writer
from tests.approvals.parts import document
from tests.approvals.world import World, until


async def test_many_due_cases_are_begun_a_few_at_a_time(world: World) -> None:
    for number in range(60):
        await world.submit(replace(document(requester="wu").order, number=f"PO-{number}"))
        await world.say("wang", case=await world.newest(f"PO-{number}"))
    most = 0
    decide = world.erp.decide

    async def count(source: str, decision: object) -> object:
        nonlocal most
        most = max(most, len(world.process.writer._busy))
        return await decide(source, decision)  # type: ignore[arg-type]

    world.erp.decide = count  # type: ignore[method-assign,assignment]
    await world.work()
    assert most == 16
    assert len(world.erp.written) == 60


async def test_two_processes_write_once(world: World) -> None:
    await world.submit()
    await world.say("wang")
    other = Writer(world.process.writer._office, world.erp, follow=world.process._follow, metrics=world.metrics)
    await asyncio.gather(world.process.writer.round(), other.round())
    await asyncio.gather(world.process.writer.settled(), other.settled())
    await world.rest()
    assert len(world.erp.told) == 1


async def test_it_runs_when_it_is_poked_and_ends_after_its_writes(world: World) -> None:
    await world.submit()
    running = asyncio.create_task(world.process.writer.run())
    await asyncio.sleep(0)
    await world.say("wang")
    await until(lambda: bool(world.erp.told))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await world.state() is CaseState.APPROVED


async def test_a_defect_stops_nobody_else(world: World) -> None:
    await world.submit()
    await world.submit(replace(document(requester="wu").order, number="PO-2"))
    for number in ("PO-1", "PO-2"):
        await world.say("wang", case=await world.newest(number))
    broken = await world.newest("PO-1")

    begin = settling.begin_write

    def fail(unit: object, case_id: str) -> object:
        if case_id == broken.id:
            raise KeyError("x")
        return begin(unit, case_id)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "begin_write", fail)
        await world.work()
    assert await world.state("PO-2") is CaseState.APPROVED
    assert (await world.newest()).due_at == world.clock.time + timedelta(minutes=5)
    await world.rest()
    assert await world.state() is CaseState.APPROVED
