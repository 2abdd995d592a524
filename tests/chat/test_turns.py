"""Heavy steps are spread over the turns of the event loop."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from bot.chat.turns import Turns


@pytest.mark.parametrize(("urgent", "steps"), [(False, 3), (True, 1)])
async def test_only_so_many_pass_in_each_turn_in_order(urgent: bool, steps: int) -> None:
    turns, passed = Turns(many=3, few=1), list[int]()

    async def work(number: int) -> None:
        await turns.next()
        passed.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(10)]
    seen: list[int] = []
    turns.hurry()
    if not urgent:
        turns.relax()
    while len(passed) < len(tasks):
        seen.append(len(passed))
        await asyncio.sleep(0)
    assert passed == list(range(10))
    assert max(after - before for before, after in pairwise(seen)) == steps
    await asyncio.gather(*tasks)


async def test_who_comes_first_in_a_turn_passes_at_once() -> None:
    turns = Turns(many=1)
    loop, order = asyncio.get_running_loop(), list[str]()
    loop.call_soon(order.append, "next turn")
    await turns.next()
    order.append("passed")
    await asyncio.sleep(0)
    assert order == ["passed", "next turn"]


async def test_who_gives_up_holds_nobody_up() -> None:
    turns = Turns(many=1)
    await turns.next()
    impatient, patient = asyncio.create_task(turns.next()), asyncio.create_task(turns.next())
    await asyncio.sleep(0)
    impatient.cancel()
    async with asyncio.timeout(5):
        await patient
        await turns.next()
    assert impatient.cancelled() or impatient.done()
