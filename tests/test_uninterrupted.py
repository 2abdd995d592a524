"""Work that is finished whatever becomes of its caller."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.mechanisms.uninterrupted import UninterruptedWork
from bot.store.errors import StoreUnavailable


async def test_a_caller_gets_the_result_or_the_error() -> None:
    async def half(number: int) -> int:
        if number % 2:
            raise ValueError(number)
        return number // 2

    work = UninterruptedWork()
    assert await work.run(half(4)) == 2
    with pytest.raises(ValueError, match="3"):
        await work.run(half(3))


async def test_work_is_finished_after_its_caller_was_cancelled() -> None:
    begun, go_on, ended = asyncio.Event(), asyncio.Event(), False

    async def write() -> None:
        nonlocal ended
        begun.set()
        await go_on.wait()
        ended = True

    work = UninterruptedWork()
    caller = asyncio.create_task(work.run(write()))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert not ended

    go_on.set()
    await work.wait()
    assert ended


@pytest.mark.parametrize(
    ("error", "level"), [(StoreUnavailable("another replica leads"), "warning"), (ValueError("a defect"), "error")]
)
async def test_the_error_of_work_whose_caller_has_gone_is_logged(error: Exception, level: str) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        begun.set()
        await go_on.wait()
        raise error

    work = UninterruptedWork()
    with capture_logs() as logged:
        caller = asyncio.create_task(work.run(write()))
        await begun.wait()
        caller.cancel()
        await asyncio.wait((caller,))
        go_on.set()
        await work.wait()
        await asyncio.sleep(0)
    assert [(entry["event"], entry["log_level"]) for entry in logged] == [("work.failed", level)]


async def test_there_may_be_nothing_to_wait_for() -> None:
    await UninterruptedWork().wait()
