"""Asks of the same moment are answered together, alone at once, and never lose an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bot.mechanisms.batching import Batcher


class Counter:
    """Doubles numbers, a batch at a time; a negative one spoils its batch."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []
        self.begun = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()

    async def double(self, numbers: Sequence[int]) -> Sequence[int]:
        self.batches.append(tuple(numbers))
        self.begun.set()
        await self.free.wait()
        if any(number < 0 for number in numbers):
            raise ValueError(numbers)
        return [2 * number for number in numbers]


async def test_who_asks_alone_is_answered_alone() -> None:
    counter = Counter()
    double = Batcher(counter.double)
    assert [await double(1), await double(2)] == [2, 4]
    assert counter.batches == [(1,), (2,)]


async def test_while_one_batch_is_under_way_the_next_one_gathers() -> None:
    counter = Counter()
    counter.free.clear()
    double = Batcher(counter.double)
    first = asyncio.create_task(double(1))
    await counter.begun.wait()
    others = [asyncio.create_task(double(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    counter.free.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert counter.batches == [(1,), (2, 3, 4)]


async def test_a_batch_has_a_bound_and_keeps_the_order() -> None:
    counter = Counter()
    double = Batcher(counter.double, most=2)
    assert await asyncio.gather(*map(double, range(5))) == [0, 2, 4, 6, 8]
    assert counter.batches == [(0, 1), (2, 3), (4,)]


async def test_a_bad_ask_fails_nobody_else() -> None:
    double = Batcher(Counter().double)
    answers = await asyncio.gather(*map(double, (1, -2, 3)), return_exceptions=True)
    assert answers[0] == 2
    assert isinstance(answers[1], ValueError)
    assert answers[2] == 6
    assert await double(4) == 8, "and it goes on"


async def test_who_goes_away_takes_nobody_along() -> None:
    counter = Counter()
    counter.free.clear()
    double = Batcher(counter.double)
    goes, stays = asyncio.create_task(double(1)), asyncio.create_task(double(2))
    await counter.begun.wait()
    goes.cancel()
    with pytest.raises(asyncio.CancelledError):
        await goes
    counter.free.set()
    assert await stays == 4


async def test_a_batch_is_bounded_by_the_size_of_its_asks() -> None:
    counter = Counter()
    double = Batcher(counter.double, most=6, size=lambda number: number)
    assert await asyncio.gather(*map(double, (1, 2, 3, 4, 9, 1))) == [2, 4, 6, 8, 18, 2]
    assert counter.batches == [(1, 2, 3), (4,), (9,), (1,)]


async def test_asks_that_are_not_tried_alone_fail_together() -> None:
    counter = Counter()
    double = Batcher(counter.double, retry_alone=False)
    answers = await asyncio.gather(*map(double, (1, -2)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError]
    assert counter.batches == [(1, -2)]


async def test_asks_of_a_batch_that_is_ended_are_cancelled() -> None:
    async def end(numbers: Sequence[int]) -> Sequence[int]:
        raise asyncio.CancelledError

    answers = await asyncio.gather(*map(Batcher(end), (1, 2)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError] * 2
