"""Answers of one conversation leave in order, whatever happens to those ahead."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.answers.scheduling import ConversationQueue


async def test_the_second_waits_for_the_first_and_other_conversations_do_not() -> None:
    queue = ConversationQueue()
    first, second, other = queue.take_ticket("a"), queue.take_ticket("a"), queue.take_ticket("b")
    waiting = asyncio.create_task(second.wait_turn())
    await other.wait_turn()
    assert not waiting.done()
    first.release()
    await waiting


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)))
async def test_whatever_the_order_of_finding_the_order_of_speaking_is_kept(
    found_in: list[int], failing: set[int]
) -> None:
    queue = ConversationQueue()
    places = [queue.take_ticket("a") for _ in range(6)]
    ready = [asyncio.Event() for _ in places]
    spoken: list[int] = []

    async def work(number: int) -> None:
        try:
            await ready[number].wait()
            if number in failing:
                return
            await places[number].wait_turn()
            spoken.append(number)
        finally:
            places[number].release()

    tasks = [asyncio.create_task(work(number)) for number in range(6)]
    for number in found_in:
        ready[number].set()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert spoken == [number for number in range(6) if number not in failing]


async def test_nothing_is_remembered_of_empty_lines() -> None:
    queue = ConversationQueue()
    queue.take_ticket("a").release()
    await asyncio.sleep(0)
    assert not queue._last
