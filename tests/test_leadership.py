"""What must run once runs only while this process leads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from bot.mechanisms.background import BackgroundTasks, Runs
from bot.mechanisms.leadership import TERM, Leadership


class Work:
    """Notes the fences under which it began and ended."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.changed = asyncio.Condition()

    async def run(self) -> None:
        term = TERM.get()
        fence = term.fence if term else "no term"
        await self.note(f"began {fence}")
        try:
            await asyncio.create_task(self.part(fence))
        finally:
            await self.note(f"ended {fence}")

    async def part(self, fence: object) -> None:
        term = TERM.get()
        assert (term.fence if term else "no term") == fence, "tasks that it starts work in its term"
        await asyncio.Event().wait()

    async def note(self, what: str) -> None:
        async with self.changed:
            self.log.append(what)
            self.changed.notify_all()

    async def noted(self, *whole: str) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: self.log == list(whole))


@asynccontextmanager
async def leading(leadership: Leadership, work: Work) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(leadership.while_leading(work.run))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_work_runs_in_each_term_and_in_no_other_time() -> None:
    leadership, work = Leadership(), Work()
    async with leading(leadership, work):
        leadership.begin(1)
        await work.noted("began 1")
        leadership.begin(1)  # a renewal
        leadership.end()
        await work.noted("began 1", "ended 1")
        leadership.begin(3)
        await work.noted("began 1", "ended 1", "began 3")
        leadership.begin(4)  # lost and taken again between two beats
        await work.noted("began 1", "ended 1", "began 3", "ended 3", "began 4")
    assert work.log[-1] == "ended 4"


async def test_a_term_that_the_store_found_to_be_over_ends_the_work() -> None:
    leadership, work = Leadership(), Work()
    async with leading(leadership, work):
        leadership.begin(1)
        await work.noted("began 1")
        assert leadership.term is not None
        leadership.term.end()
        await work.noted("began 1", "ended 1")
        assert leadership.term is None
        leadership.begin(2)
        await work.noted("began 1", "ended 1", "began 2")


async def test_what_fails_because_its_term_is_over_begins_again_in_the_next() -> None:
    leadership, began, times = Leadership(), asyncio.Event(), 0

    async def work() -> None:
        nonlocal times
        times += 1
        began.set()
        assert leadership.term is not None
        if times == 1:
            leadership.term.end()
            raise RuntimeError("refused by the store")
        await asyncio.Event().wait()

    task = asyncio.create_task(leadership.while_leading(work))
    for fence in (1, 2):
        began.clear()
        leadership.begin(fence)
        await began.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert times == 2


async def test_who_is_alone_always_leads_and_has_no_fence() -> None:
    work = Work()
    async with leading(Leadership.alone(), work):
        await work.noted("began None")


async def test_a_defect_of_the_work_ends_the_bot() -> None:
    async def fail() -> None:
        raise RuntimeError("a defect")

    background = BackgroundTasks()

    async def lead() -> None:
        async with background.running(fail, "polls", Runs.WITH_LEAD):
            await background.failed

    with pytest.raises(RuntimeError, match="a defect"):
        await lead()


async def test_work_for_every_replica_needs_no_lead() -> None:
    background, work = BackgroundTasks(), Work()
    background.leadership = Leadership()
    async with background.running(work.run, "inbox", Runs.EVERYWHERE):
        await work.noted("began no term")
