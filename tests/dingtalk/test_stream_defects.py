"""One test for each defect of the Python SDK's client that ours must not have (docs: platform/dingtalk/sdk.md)."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
import threading
from typing import Any

import aiohttp
import dingtalk_stream
import pytest
from dingtalk_stream import AckMessage, Credential
from structlog.testing import capture_logs

from bot.dingtalk.stream import StreamClient
from bot.mechanisms.metrics import Metrics

from .gateway_double import BOT, TICKET, GatewayDouble, Link, answer, disconnect, event, frame, hang, ping
from .stream_parts import PATIENCE, SECRET, Clock, Recorder, eventually, on, streaming


async def test_01_an_open_that_hangs_freezes_nothing() -> None:
    gateway = GatewayDouble()
    async with streaming(on(BOT, Recorder()), gateway=gateway, open_timeout=PATIENCE) as stream:
        old = await stream.link()
        gateway.script.append(hang)
        await old.push(disconnect())
        await gateway.opened(2)

        assert (await old.ask(ping()))["code"] == 200
        assert (await old.ask(frame(BOT)))["code"] == 200


async def test_02_cancelling_the_wait_for_an_unreachable_gateway_raises_what_it_should() -> None:
    """In the SDK the except clause itself fails, because ``websockets.exceptions`` was never imported."""
    gateway = GatewayDouble()
    gateway.script.append(answer(503, ""))
    async with streaming(on(BOT, Recorder()), gateway=gateway, sleep=asyncio.sleep) as stream:
        await eventually(lambda: stream.client.status.last_error != "")
        stream.running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stream.running


@pytest.mark.parametrize("goodbye", [None, disconnect()])
async def test_03_a_clean_close_or_a_disconnect_frame_is_followed_by_a_pause(goodbye: Any) -> None:
    gateway, clock = GatewayDouble(), Clock()

    async def greeting(link: Link) -> None:
        await (link.close() if goodbye is None else link.push(goodbye))

    gateway.greeting = greeting
    async with streaming(on(BOT, Recorder()), gateway=gateway, clock=clock, drain=0.02):
        began = clock.time
        await gateway.opened(20)

        assert clock.time - began > 20 * 10, "seconds for 20 calls"


async def test_04_cancellation_is_not_swallowed_and_there_is_a_stop() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        await stream.link()
        await asyncio.wait_for(stream.client.stop(), PATIENCE)

        assert stream.running.done()
        assert stream.running.exception() is None


async def test_05_half_open_connections_are_noticed_and_nothing_is_left_of_them() -> None:
    gateway = GatewayDouble()
    gateway.answers_pings = False
    async with streaming(on(BOT, Recorder()), gateway=gateway, heartbeat=0.04, close_timeout=0.02) as stream:
        tasks = []
        for _ in range(4):
            await stream.link()
            tasks.append(len(asyncio.all_tasks()))

        assert stream.errors("no_pong") >= 3
        assert max(tasks) <= tasks[0] + 2, "a connection takes its timers and tasks with it"


async def test_06_work_is_referenced_bounded_and_done_once() -> None:
    handler = Recorder.held()
    async with streaming(on(BOT, handler), max_in_flight=3) as stream:
        link = await stream.link()
        for number in range(6):
            await link.push(frame(BOT, {"msgId": f"m{number % 5}"}))
        await eventually(lambda: len(handler.messages) == 3)
        await link.ask(ping())
        gc.collect(1)  # what is older is of other tests, and takes seconds
        assert len(handler.messages) == 3

        assert handler.gate is not None
        handler.gate.set()

        assert [(await link.ack())["code"] for _ in range(6)] == [200] * 6
        assert len(handler.messages) == 5


async def test_07_an_answer_never_goes_to_another_connection() -> None:
    handler = Recorder.held()
    async with streaming(on(BOT, handler)) as stream:
        old = await stream.link()
        await old.push(frame(BOT))
        await eventually(lambda: len(handler.messages) == 1)
        old.cut()
        new = await stream.link()

        assert handler.gate is not None
        handler.gate.set()

        await eventually(lambda: stream.errors("ack_dropped") == 1)
        await new.ask(ping())
        assert new.received.empty()


async def test_08_on_disconnect_nothing_that_is_still_pushed_is_lost() -> None:
    handler = Recorder()
    async with streaming(on(BOT, handler)) as stream:
        old = await stream.link()
        await old.push(disconnect())
        sent = [await old.push(frame(BOT, {"msgId": f"m{number}"})) for number in range(50)]

        assert {(await old.ack())["headers"]["messageId"] for _ in sent} == set(sent)
        await stream.link()
        assert len(handler.messages) == 50


async def test_09_event_acks_carry_a_status_and_later_is_possible() -> None:
    class Events(dingtalk_stream.EventHandler):  # type: ignore[misc]  # the SDK has no types
        async def process(self, event: Any) -> tuple[int, str]:
            return event.data["code"], "words"

    async with streaming(lambda client: client.register_all_event_handler(Events())) as stream:
        link = await stream.link()

        success = await link.ask(event("e1", {"code": 200}))
        later = await link.ask(event("e2", {"code": 500}))

        assert success["data"] == {"status": "SUCCESS", "message": "words"}
        assert later["data"] == {"status": "LATER", "message": "words"}


async def test_10_a_handler_that_raises_is_answered() -> None:
    async with streaming(on(BOT, Recorder(ZeroDivisionError()))) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT)))["code"] == AckMessage.STATUS_SYSTEM_EXCEPTION


async def test_11_pings_are_no_warnings_and_tickets_are_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        async with streaming(on(BOT, Recorder())) as stream:
            link = await stream.link()
            await link.ask(ping())

    assert [line["event"] for line in logs] == ["stream.connected", "stream.stopped"]
    assert TICKET not in repr(logs) + caplog.text
    assert SECRET not in repr(logs) + caplog.text


async def test_12_an_unexpected_error_is_logged_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    async with streaming(on(BOT, Recorder(ZeroDivisionError("by %s")))) as stream:
        link = await stream.link()
        await link.ask(frame(BOT))

    printed = capsys.readouterr()
    assert "ZeroDivisionError: by %s" in printed.out
    assert "Logging error" not in printed.err


async def test_19_a_synchronous_handler_blocks_only_its_own_thread() -> None:
    release = threading.Event()

    class Blocking(dingtalk_stream.ChatbotHandler):  # type: ignore[misc]  # the SDK has no types
        async def process(self, callback: Any) -> tuple[int, str]:
            release.wait(PATIENCE)
            return 200, "OK"

    async with streaming(lambda client: client.register_callback_handler(BOT, Blocking())) as stream:
        link = await stream.link()
        await link.push(frame(BOT))
        assert (await link.ask(ping("first")))["data"] == {"opaque": "first"}
        release.set()
        assert (await link.ack())["code"] == 200


async def test_20_only_the_configured_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with streaming(on(BOT, Recorder())) as stream:
        assert (await (await stream.link()).ask(ping()))["code"] == 200


async def test_21_nobody_is_asked_for_our_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        await stream.link()

        assert stream.gateway.opens[0]["localIp"] == ""
        assert stream.client.get_host_ip() == ""


def test_22_the_sdks_loggers_get_no_handlers_of_their_own() -> None:
    """In a process of its own, because logging is configured once per process."""
    script = (
        "import logging, bot.dingtalk.stream, dingtalk_stream;"
        "dingtalk_stream.ChatbotHandler(); dingtalk_stream.EventHandler();"
        "print([h for n, l in logging.root.manager.loggerDict.items() if isinstance(l, logging.Logger)"
        " for h in l.handlers if not isinstance(h, logging.NullHandler)])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=240, check=True)

    assert run.stdout == "[]\n"


async def test_23_the_endpoint_is_a_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "DINGTALK_OPENAPI_ENDPOINT", "http://127.0.0.1:1")
    async with GatewayDouble().serving() as one, GatewayDouble().serving() as two, aiohttp.ClientSession() as session:
        for gateway in (one, two):
            client = StreamClient(Credential("a", "b"), session=session, metrics=Metrics(), endpoint=f"{gateway.url}/")
            client.receive(BOT, Recorder())
            running = asyncio.create_task(client.run())
            await gateway.link()
            await client.stop()
            await running

        assert (len(one.opens), len(two.opens)) == (1, 1)


async def test_any_end_of_a_connection_leads_to_the_next_one() -> None:
    """Other SDKs: an error event without a close is never reconnected."""
    async with streaming(on(BOT, Recorder())) as stream:
        for end in (Link.close, Link.cut, Link.close):
            link = await stream.link()
            result = end(link)
            if result is not None:
                await result
        assert (await (await stream.link()).ask(frame(BOT)))["code"] == 200


async def test_the_first_message_after_a_reconnect_is_not_lost() -> None:
    """Other SDKs: handlers are attached after the connection."""
    gateway = GatewayDouble()

    async def greeting(link: Link) -> None:
        await link.push(frame(BOT, {"msgId": "first"}))

    gateway.greeting = greeting
    handler = Recorder()
    async with streaming(on(BOT, handler), gateway=gateway) as stream:
        link = await stream.link()

        assert (await link.ack())["code"] == 200
        assert [message.data for message in handler.messages] == [{"msgId": "first"}]


async def test_reconnects_pile_up_nothing() -> None:
    """Other SDKs: heartbeat timers and tasks add up with each reconnect."""
    gateway = GatewayDouble()
    async with streaming(on(BOT, Recorder()), gateway=gateway) as stream:
        counts = []
        for _ in range(30):
            link = await stream.link()
            await link.ask(ping())
            counts.append(len(asyncio.all_tasks()))
            await link.close()
        await stream.link()

        assert max(counts[5:]) <= max(counts[:5]) + 1
        assert stream.count("stream_connected") == 1
