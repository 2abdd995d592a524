"""More work than handlers can take: nothing is lost, memory is bounded, pings are answered."""

from __future__ import annotations

import asyncio
import gc

from structlog.testing import capture_logs

from .gateway_double import BOT, PATIENCE, frame, ping
from .stream_parts import Recorder, eventually, on, streaming


async def test_pings_are_answered_while_all_handlers_are_busy_and_others_wait() -> None:
    handler = Recorder.held()
    async with streaming(on(BOT, handler), max_in_flight=2, max_waiting=100) as stream:
        link = await stream.link()
        for number in range(20):
            await link.push(frame(BOT, {"msgId": f"m{number}"}))

        assert (await link.ask(ping("now")))["data"] == {"opaque": "now"}
        assert len(handler.messages) == 2

        assert handler.gate is not None
        handler.gate.set()
        assert [(await link.ack())["code"] for _ in range(20)] == [200] * 20


async def test_a_full_desk_stops_the_reading_and_loses_nothing() -> None:
    handler = Recorder.held()
    with capture_logs() as logs:
        async with streaming(on(BOT, handler), max_in_flight=2, max_waiting=4) as stream:
            link = await stream.link()
            sent = [await link.push(frame(BOT, {"msgId": f"m{number}"})) for number in range(30)]
            await eventually(lambda: stream.errors("saturated") == 1)
            assert stream.count("frames_total", type="CALLBACK", topic=BOT) == 4

            assert handler.gate is not None
            handler.gate.set()

            assert {(await link.ack())["headers"]["messageId"] for _ in sent} == set(sent)
    assert {line["event"] for line in logs} == {"stream.connected", "stream.saturated", "stream.stopped"}


async def test_our_own_pause_is_no_silence_of_the_gateway() -> None:
    handler = Recorder.held()
    async with streaming(on(BOT, handler), max_waiting=1, silence_limit=0.3, heartbeat=0.2) as stream:
        link = await stream.link()
        await link.push(frame(BOT, {"msgId": "m1"}))
        await eventually(lambda: len(handler.messages) == 1)
        for _ in range(3):  # longer than the silence that a connection survives; nobody reads the pongs
            await asyncio.wait_for(link.pings.get(), PATIENCE)

        assert handler.gate is not None
        handler.gate.set()

        assert (await link.ack())["code"] == 200
        assert len(stream.gateway.opens) == 1


async def test_a_connection_that_drains_while_the_desk_is_full_ends_in_time() -> None:
    handler = Recorder.held()
    async with streaming(on(BOT, handler), max_waiting=2, drain=0.05) as stream:
        old = await stream.link()
        await old.push(frame(BOT, {"msgId": "m1"}))
        await old.push(frame("disconnect", {}, type="SYSTEM"))
        await old.push(frame(BOT, {"msgId": "m2"}))

        await stream.link()
        await old.gone()

        await eventually(lambda: stream.count("stream_connected") == 1)


async def test_two_hundred_tasks_are_kept_alive_by_the_client() -> None:
    """Tasks that only the event loop knows may be collected in the middle of their work."""
    handler = Recorder.held()
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()
        for number in range(200):
            await link.push(frame(BOT, {"msgId": f"m{number}"}))
        await eventually(lambda: len(handler.messages) == 200)
        gc.collect(1)

        assert handler.gate is not None
        handler.gate.set()

        assert [(await link.ack())["code"] for _ in range(200)] == [200] * 200
