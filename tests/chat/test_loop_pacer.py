"""Heavy steps are spread over the turns of the event loop."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from bot.chat.answers.scheduling import LoopPacer
from tests.rows import each_row


class PacedWork:
    """Does steps of a length of its own, and knows how many it did in each turn of the event loop."""

    def __init__(self, turn: float, step: float) -> None:
        self.time = 0.0
        self.step = step
        self.turns = LoopPacer(turn, lambda: self.time)
        self.passed: list[int] = []

    async def work(self, number: int) -> None:
        await self.turns.wait()
        self.passed.append(number)
        self.time += self.step

    async def do(self, count: int) -> list[int]:
        """Return how many steps were done in each turn."""
        first = len(self.passed)
        tasks = [asyncio.create_task(self.work(first + number)) for number in range(count)]
        seen = [first]
        while len(self.passed) < first + count:
            await asyncio.sleep(0)
            seen.append(len(self.passed))
        await asyncio.gather(*tasks)
        return [steps for steps in (after - before for before, after in pairwise(seen)) if steps]


async def test_as_many_pass_in_a_turn_as_fit_into_it_in_order() -> None:
    workshop = PacedWork(turn=0.004, step=0.001)

    batches = await workshop.do(400)

    assert workshop.passed == list(range(400))
    assert set(batches[-20:-1]) == {4}


@each_row(("step", "steps"), [(0.0002, 20), (0.002, 2), (0.1, 1)])
async def test_steps_that_become_quicker_or_slower_are_noticed(step: float, steps: int) -> None:
    workshop = PacedWork(turn=0.004, step=0.0005)
    await workshop.do(400)

    workshop.step = step
    batches = await workshop.do(2000)

    assert abs(batches[-2] - steps) <= 1


async def test_a_turn_that_was_not_full_says_nothing_of_the_next() -> None:
    workshop = PacedWork(turn=0.004, step=0.001)
    await workshop.do(400)

    workshop.step = 0.1
    for _ in range(50):
        await workshop.do(1)

    workshop.step = 0.001
    assert (await workshop.do(40))[0] == 4


async def test_who_comes_first_in_a_turn_passes_at_once() -> None:
    turns = LoopPacer()
    loop, order = asyncio.get_running_loop(), list[str]()
    loop.call_soon(order.append, "next turn")
    await turns.wait()
    order.append("passed")
    await asyncio.sleep(0)
    assert order == ["passed", "next turn"]


async def test_who_gives_up_holds_nobody_up() -> None:
    turns = LoopPacer(turn=1e-9)
    for _ in range(20):
        await turns.wait()
    impatient, patient = asyncio.create_task(turns.wait()), asyncio.create_task(turns.wait())
    await asyncio.sleep(0)
    impatient.cancel()
    async with asyncio.timeout(60):
        await patient
        await turns.wait()
    assert impatient.cancelled() or impatient.done()
