"""A matter that is pushed several times is handled once, and nobody is told "done" before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.dingtalk.dedupe import Deduplicator
from tests.rows import each_row

from .gateway_double import BOT, CARD, frame, ping
from .stream_parts import Clock, Recorder, eventually, on, streaming

DELEGATE = "/v1.0/im/bot/messages/delegate"


@pytest.mark.parametrize("topic", [BOT, DELEGATE])
async def test_a_redelivered_message_under_a_new_message_id_is_handled_once(topic: str) -> None:
    handler = Recorder({"n": 1})
    async with streaming(on(topic, handler)) as stream:
        link = await stream.link()
        first, again = frame(topic, {"msgId": "msgA=="}), frame(topic, {"msgId": "msgA=="})

        acks = [await link.ask(body) for body in (first, again, first)]

        assert len(handler.messages) == 1
        assert [ack["data"] for ack in acks] == [{"response": {"n": 1}}] * 3
        assert [ack["headers"]["messageId"] for ack in acks] == [
            body["headers"]["messageId"] for body in (first, again, first)
        ]


async def test_a_duplicate_is_not_acknowledged_before_the_first_is_stored() -> None:
    handler = Recorder.held()
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()
        sent = {await link.push(frame(BOT, {"msgId": "m"})) for _ in range(3)}
        assert (await link.ask(ping()))["data"] == {"opaque": "o-1"}
        await eventually(lambda: len(handler.messages) == 1)
        assert link.received.empty()

        assert handler.gate is not None
        handler.gate.set()

        assert {(await link.ack())["headers"]["messageId"] for _ in range(3)} == sent
        assert len(handler.messages) == 1


async def test_duplicates_on_two_connections_are_each_answered_where_they_came_from() -> None:
    handler = Recorder.held()
    async with streaming(on(BOT, handler)) as stream:
        old = await stream.link()
        first = await old.push(frame(BOT, {"msgId": "m"}))
        await old.push(frame("disconnect", {}, type="SYSTEM"))
        new = await stream.link()
        second = await new.push(frame(BOT, {"msgId": "m"}))
        await new.ask(ping())

        assert handler.gate is not None
        handler.gate.set()

        assert (await old.ack())["headers"]["messageId"] == first
        assert (await new.ack())["headers"]["messageId"] == second
        assert len(handler.messages) == 1


async def test_a_failed_handling_is_forgotten_so_that_a_redelivery_gets_another_chance() -> None:
    handler = Recorder(RuntimeError())
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()
        assert (await link.ask(frame(BOT, {"msgId": "m"})))["code"] == 500

        handler.reply = None

        assert (await link.ask(frame(BOT, {"msgId": "m"})))["code"] == 200
        assert (await link.ask(frame(BOT, {"msgId": "m"})))["code"] == 200
        assert len(handler.messages) == 2


async def test_a_duplicate_of_a_failing_message_is_told_that_it_failed() -> None:
    handler = Recorder.held(RuntimeError())
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()
        for _ in range(2):
            await link.push(frame(BOT, {"msgId": "m"}))
        await link.ask(ping())

        assert handler.gate is not None
        handler.gate.set()

        assert [(await link.ack())["code"] for _ in range(2)] == [500, 500]


async def test_the_same_click_twice_is_two_clicks_and_the_same_frame_twice_is_one() -> None:
    handler = Recorder({})
    async with streaming(on(CARD, handler)) as stream:
        link = await stream.link()
        click = {"outTrackId": "t", "userId": "u", "msgId": "m", "content": "{}"}
        first, second = frame(CARD, click), frame(CARD, click)

        for body in (first, second, first):
            assert (await link.ask(body))["code"] == 200

        assert len(handler.messages) == 2


@each_row("data", [{}, {"msgId": None}, {"msgId": ""}, {"msgId": 7}])
async def test_without_a_msg_id_the_message_id_counts(data: dict[str, Any]) -> None:
    handler = Recorder()
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()
        body = frame(BOT, data)
        for each in (body, body, frame(BOT, data)):
            await link.ask(each)

        assert len(handler.messages) == 2


async def test_different_messages_are_all_handled_though_they_come_at_once() -> None:
    handler = Recorder()
    async with streaming(on(BOT, handler), max_in_flight=3, max_waiting=8) as stream:
        link = await stream.link()
        sent = [await link.push(frame(BOT, {"msgId": f"m{number}"})) for number in range(200)]

        assert {(await link.ack())["headers"]["messageId"] for _ in sent} == set(sent)
        assert [message.data["msgId"] for message in handler.messages] == [f"m{number}" for number in range(200)]


def once(clock: Clock, **options: Any) -> Deduplicator[int]:
    return Deduplicator(
        **{"limit": 10, "ttl": 300.0, "monotonic": clock.monotonic, "keep": lambda result: result > 0, **options}
    )


def giving(result: int, calls: list[int]) -> Callable[[], Any]:
    async def work() -> int:
        calls.append(result)
        return result

    return work


async def test_results_are_kept_for_their_time() -> None:
    clock, calls = Clock(), list[int]()
    memory = once(clock)
    for passes in (0.0, 299.0, 2.0):
        clock.time += passes
        assert await memory.run("k", giving(1, calls)) == 1

    assert calls == [1, 1]


async def test_memory_is_bounded() -> None:
    calls: list[int] = []
    memory = once(Clock(), limit=3)
    for number in (1, 2, 3, 4, 4, 3, 1):
        await memory.run(number, giving(number, calls))

    assert calls == [1, 2, 3, 4, 1]


async def test_work_under_way_is_remembered_beyond_limit_and_time() -> None:
    clock, calls = Clock(), list[int]()
    memory = once(clock, limit=1)
    gate = asyncio.Event()

    async def slow() -> int:
        await gate.wait()
        return 7

    first = asyncio.create_task(memory.run("slow", slow))
    await asyncio.sleep(0)
    for number in (1, 2, 3):
        await memory.run(number, giving(number, calls))
    clock.time += 10_000
    second = asyncio.create_task(memory.run("slow", giving(8, calls)))
    await asyncio.sleep(0)
    gate.set()

    assert await asyncio.gather(first, second) == [7, 7]
    assert calls == [1, 2, 3]


async def test_results_that_are_not_to_be_kept_are_made_again() -> None:
    calls: list[int] = []
    memory = once(Clock())
    for result in (0, 0, 1, 1):
        await memory.run("k", giving(result, calls))

    assert calls == [0, 0, 1]


async def test_who_waits_may_leave_without_harm_to_the_others() -> None:
    memory, gate = once(Clock()), asyncio.Event()

    async def slow() -> int:
        await gate.wait()
        return 7

    tasks = [asyncio.create_task(memory.run("k", slow)) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    gate.set()

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert (results[0], results[2]) == (7, 7)
    assert isinstance(results[1], asyncio.CancelledError)


async def test_work_that_is_cancelled_can_be_done_again() -> None:
    memory, calls = once(Clock()), list[int]()
    task = asyncio.create_task(memory.run("k", asyncio.Event().wait))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert await memory.run("k", giving(1, calls)) == 1
