"""A worker sleeps until it is called, or for so long at most."""

from __future__ import annotations

import asyncio

import pytest

from bot.mechanisms.wakeup import Wakeup


@pytest.mark.parametrize("seconds", [0.01, 0.0, -1.0])
async def test_a_sleep_ends_with_its_time(seconds: float) -> None:
    async with asyncio.timeout(60):
        await Wakeup().sleep(seconds)


async def test_a_call_ends_the_sleep() -> None:
    wakeup = Wakeup()
    asyncio.get_running_loop().call_soon(wakeup.call)
    async with asyncio.timeout(60):
        await wakeup.sleep(60)


async def test_a_call_while_the_worker_is_awake_ends_the_next_sleep() -> None:
    wakeup = Wakeup()
    wakeup.clear()
    wakeup.call()
    async with asyncio.timeout(60):
        await wakeup.sleep(60)


async def test_a_call_that_the_round_has_seen_to_ends_no_sleep() -> None:
    wakeup = Wakeup()
    wakeup.call()
    wakeup.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await wakeup.sleep(60)


async def test_a_worker_that_is_ended_in_its_sleep_is_ended() -> None:
    worker = asyncio.create_task(Wakeup().sleep(60))
    await asyncio.sleep(0)
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker
