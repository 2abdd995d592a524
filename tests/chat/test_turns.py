"""Heavy steps are spread over the turns of the event loop."""

from __future__ import annotations

import asyncio

from bot.chat.turns import Turns


async def test_one_passes_in_each_turn_in_order() -> None:
    turns, passed = Turns(), []

    async def work(number: int) -> None:
        await turns.next()
        passed.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(4)]
    seen: list[int] = []
    while len(passed) < 4:
        seen.append(len(passed))
        await asyncio.sleep(0)
    assert passed == [0, 1, 2, 3]
    assert all(after - before <= 1 for before, after in zip(seen, seen[1:], strict=False))
    await asyncio.gather(*tasks)


async def test_who_gives_up_holds_nobody_up() -> None:
    turns = Turns()
    impatient, patient = asyncio.create_task(turns.next()), asyncio.create_task(turns.next())
    await asyncio.sleep(0)
    impatient.cancel()
    async with asyncio.timeout(5):
        await patient
        await turns.next()
    assert impatient.cancelled() or impatient.done()
