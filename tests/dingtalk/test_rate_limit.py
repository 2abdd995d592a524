from __future__ import annotations

import asyncio
import math

import pytest

from bot.dingtalk.rate_limit import SlidingWindowLimiter
from tests.dingtalk.conftest import Run, VirtualLoop


def _busiest_second(times: list[float]) -> int:
    return max(sum(1 for other in times if begin <= other < begin + 1.0) for begin in times)


async def _burst(bucket: SlidingWindowLimiter, calls: int, *, per_second: float) -> list[tuple[float, int]]:
    """Return when each call passed, in the order of passing."""
    loop = asyncio.get_running_loop()
    passed: list[tuple[float, int]] = []

    async def one(number: int) -> None:
        await bucket.take()
        passed.append((loop.time(), number))

    async with asyncio.TaskGroup() as group:
        for number in range(calls):
            group.create_task(one(number))
            await asyncio.sleep(1 / per_second)
    return passed


def test_a_burst_flows_out_in_order_and_within_the_rate(virtual: Run) -> None:
    async def scenario() -> list[tuple[float, int]]:
        return await _burst(SlidingWindowLimiter(20), 200, per_second=100)

    passed = virtual(scenario())
    times = [time for time, _ in passed]
    assert [number for _, number in passed] == list(range(200))
    assert 9.0 < times[-1] - times[0] < 10.6
    assert _busiest_second(times) <= 20


def test_calls_below_the_rate_never_wait(virtual: Run) -> None:
    async def scenario() -> list[tuple[float, int]]:
        return await _burst(SlidingWindowLimiter(20), 60, per_second=19)

    passed = virtual(scenario())
    assert [time for time, _ in passed] == pytest.approx([1000 + number / 19 for number in range(60)])


def test_a_pause_holds_everybody_and_a_repetition_goes_first(virtual: Run) -> None:
    async def scenario() -> list[str]:
        loop = asyncio.get_running_loop()
        bucket = SlidingWindowLimiter(10)
        order: list[str] = []

        async def one(name: str, turn: int | None = None) -> None:
            await bucket.take(turn)
            order.append(f"{name} {loop.time() - 1000:.2f}")

        refused = await bucket.take()
        bucket.pause(3)
        tasks = [asyncio.create_task(one("later")) for _ in range(2)]
        await asyncio.sleep(1)
        tasks.append(asyncio.create_task(one("again", refused)))
        await asyncio.gather(*tasks)
        return order

    assert virtual(scenario()) == ["again 3.00", "later 3.11", "later 3.21"]


def test_who_gives_up_leaves_the_room_to_others(virtual: Run) -> None:
    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        bucket = SlidingWindowLimiter(1)
        await bucket.take()
        with pytest.raises(TimeoutError):
            await bucket.take(deadline=loop.time() + 0.5)
        waiting = [asyncio.create_task(bucket.take()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.wait(waiting[1:2])
        return loop.time() - 1000

    assert virtual(scenario()) == pytest.approx(1.05, abs=0.01)


def test_cancelled_in_the_moment_of_its_turn_a_call_hands_the_room_on(virtual: Run) -> None:
    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        bucket = SlidingWindowLimiter(1)
        await bucket.take()
        first, second = asyncio.create_task(bucket.take()), asyncio.create_task(bucket.take())
        await asyncio.sleep(0)
        loop.call_at(1001.05, first.cancel)
        await second
        assert first.cancelled()
        return loop.time() - 1000

    assert virtual(scenario()) == pytest.approx(1.05, abs=0.01)


@pytest.mark.parametrize("rate", [math.inf, 100_000.0])
def test_without_a_limit_in_reach_nobody_waits(virtual: Run, rate: float) -> None:
    async def scenario() -> float:
        bucket = SlidingWindowLimiter(rate)
        for _ in range(20_000):
            await bucket.take()
        return asyncio.get_running_loop().time() - 1000

    assert virtual(scenario()) == 0


def test_a_high_rate_is_reached_although_timers_are_coarse(virtual: Run) -> None:
    async def scenario() -> list[tuple[float, int]]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.lateness = 0.0015
        return await _burst(SlidingWindowLimiter(1000), 5000, per_second=math.inf)

    times = [time for time, _ in virtual(scenario())]
    assert times[-1] - times[1000] == pytest.approx(4000 * 1.05 / 1000, rel=0.01)


def test_a_rate_below_one_per_second(virtual: Run) -> None:
    async def scenario() -> list[tuple[float, int]]:
        return await _burst(SlidingWindowLimiter(0.5), 3, per_second=math.inf)

    times = [time for time, _ in virtual(scenario())]
    assert times == pytest.approx([1000, 1002.1, 1004.2], abs=0.01)


def test_a_rate_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        SlidingWindowLimiter(0)
