"""Reads that several askers wait for: one answer for all, and nobody ends it for the others."""

from __future__ import annotations

import asyncio

import pytest

from bot.erp.concurrency import SingleFlight


class Read:
    """A read that ends when it is told to."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.flight: SingleFlight[str] = SingleFlight()
        self.flight.start(self._read())

    async def _read(self) -> str:
        return await self.answer

    async def followed(self, askers: int) -> list[asyncio.Task[str]]:
        tasks = [asyncio.create_task(self.flight.wait()) for _ in range(askers)]
        await asyncio.sleep(0)
        return tasks


async def test_all_who_follow_get_the_answer_and_who_comes_later_too() -> None:
    read = Read()
    askers = await read.followed(3)
    read.answer.set_result("twelve")
    assert await asyncio.gather(*askers) == ["twelve"] * 3
    assert await read.flight.wait() == "twelve"


async def test_who_goes_away_does_not_end_it_for_the_others() -> None:
    read = Read()
    gone, stays = await read.followed(2)
    gone.cancel()
    read.answer.set_result("twelve")
    assert await stays == "twelve"
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_defect_is_raised_to_all_who_wait() -> None:
    read = Read()
    askers = await read.followed(2)
    read.answer.set_exception(LookupError("no"))
    for asker in askers:
        with pytest.raises(LookupError):
            await asker


async def test_who_follows_a_read_that_is_ended_is_cancelled() -> None:
    read = Read()
    (asker,) = await read.followed(1)
    await read.flight.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asker


async def test_to_end_what_has_landed_changes_nothing() -> None:
    read = Read()
    read.answer.set_result("twelve")
    assert await read.flight.wait() == "twelve"
    await read.flight.cancel()
    assert await read.flight.wait() == "twelve"
