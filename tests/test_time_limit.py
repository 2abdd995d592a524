"""One timer keeps many limits, each as `asyncio.timeout` would."""

from __future__ import annotations

import asyncio

import pytest

from bot.mechanisms.time_limit import TimeLimit


async def test_work_within_its_time_is_left_alone_and_late_work_is_interrupted() -> None:
    limit = TimeLimit(0.3)
    with limit.running() as quick:
        await asyncio.sleep(0)
    slow = limit.running()
    with pytest.raises(TimeoutError), slow:
        await asyncio.Event().wait()
    await asyncio.sleep(0)

    assert slow.expired
    assert not quick.expired


async def test_many_run_at_once_and_each_ends_by_its_own_time() -> None:
    limit, ended = TimeLimit(0.05), list[int]()

    async def work(number: int) -> None:
        await asyncio.sleep(number / 100)
        with pytest.raises(TimeoutError), limit.running():
            await asyncio.Event().wait()
        ended.append(number)

    await asyncio.gather(*(work(number) for number in (2, 0, 1)))

    assert ended == [0, 1, 2]


async def test_a_cancellation_by_somebody_else_stays_one() -> None:
    limit = TimeLimit(30)

    async def work() -> None:
        with limit.running():
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_passes_through() -> None:
    with pytest.raises(ValueError, match="ours"), TimeLimit(30).running():
        raise ValueError("ours")


async def test_no_time_at_all_is_over_at_the_first_wait() -> None:
    with pytest.raises(TimeoutError), TimeLimit(-1).running():
        await asyncio.Event().wait()
