"""A value that is reused for some time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.erp.errors import Unavailable
from bot.erp.expiring import ExpiringMapping, ExpiringValue
from bot.kit.testing.company import Clock


class Service:
    """Counts its reads; each read returns its number."""

    def __init__(self) -> None:
        self.reads = 0
        self.down = False
        self.open = asyncio.Event()
        self.open.set()
        self.asked = asyncio.Event()

    async def read(self) -> int:
        self.reads += 1
        self.asked.set()
        await self.open.wait()
        if self.down:
            raise Unavailable
        return self.reads


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_value_is_read_again_when_its_time_is_over(clock: Clock) -> None:
    service = Service()
    value = ExpiringValue(service.read, now=clock.now, holds=timedelta(minutes=10))
    assert [await value.value(), await value.value()] == [1, 1]
    clock.advance(599)
    assert await value.value() == 1
    clock.advance(1)
    assert await value.value() == 2


async def test_a_value_from_before_that_does_not_fit_is_read_again_and_one_just_read_is_not(clock: Clock) -> None:
    service = Service()
    value = ExpiringValue(service.read, now=clock.now, holds=timedelta(minutes=10))
    assert await value.value(fits=lambda number: number == 2) == 1
    assert await value.value(fits=lambda number: number == 2) == 2
    assert await value.value(fits=lambda number: number == 2) == 2


async def test_a_new_key_is_known_at_once_and_one_that_means_nothing_is_read_for_once(clock: Clock) -> None:
    reads, meanings = [], {"1": "SH"}

    async def read() -> dict[str, str]:
        reads.append(clock.now())
        return dict(meanings)

    names = ExpiringMapping(read, now=clock.now, holds=timedelta(minutes=10))
    assert await names.of(("1",)) == {"1": "SH"}
    meanings["2"] = "SZ"
    assert await names.of(("1", "2")) == {"1": "SH", "2": "SZ"}
    assert len(reads) == 2
    for _ in range(3):
        assert "9" not in await names.of(("9", "2"))
    assert len(reads) == 3
    meanings["9"] = "BJ"
    clock.advance(600)
    assert (await names.of(("9",)))["9"] == "BJ"


async def test_how_long_it_is_believed_may_depend_on_the_value(clock: Clock) -> None:
    service = Service()
    value = ExpiringValue(service.read, now=clock.now, holds=lambda number: timedelta(minutes=number))
    await value.value()
    clock.advance(60)
    assert await value.value() == 2
    clock.advance(60)
    assert await value.value() == 2


async def test_all_who_ask_wait_for_one_read_and_who_leaves_does_not_end_it(clock: Clock) -> None:
    service = Service()
    service.open.clear()
    value = ExpiringValue(service.read, now=clock.now, holds=timedelta(minutes=10))
    leaving, staying = asyncio.ensure_future(value.value()), asyncio.ensure_future(value.value())
    await asyncio.sleep(0)
    leaving.cancel()
    service.open.set()
    assert await staying == 1
    assert service.reads == 1


async def test_a_failure_is_not_kept(clock: Clock) -> None:
    service = Service()
    service.down = True
    value = ExpiringValue(service.read, now=clock.now, holds=timedelta(minutes=10))
    with pytest.raises(Unavailable):
        await value.value()
    service.down = False
    assert await value.value() == 2


async def test_a_value_without_a_time_is_read_for_every_question(clock: Clock) -> None:
    service = Service()
    value = ExpiringValue(service.read, now=clock.now, holds=timedelta(0))
    assert [await value.value(), await value.value()] == [1, 2]


async def test_a_read_under_way_can_be_ended(clock: Clock) -> None:
    service = Service()
    service.open.clear()
    value = ExpiringValue(service.read, now=clock.now, holds=timedelta(minutes=10))
    asked = asyncio.ensure_future(value.value())
    await service.asked.wait()
    await value.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
