"""Connections come and go; the client stays, without a storm, a gap or a hang."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.dingtalk.stream_policy import StreamPolicy
from bot.mechanisms.backoff import Backoff
from tests.rows import each_row

from .gateway_double import BOT, GatewayDouble, Link, answer, cut_off, disconnect, event, frame, hang, ping
from .stream_parts import NOW, PATIENCE, Clock, Recorder, eventually, on, streaming

HTML = "<html><body>400 The plain HTTP request was sent to HTTPS port</body></html>"
WAF = {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "u"}


async def closes(link: Link) -> None:
    await link.close()


async def cuts(link: Link) -> None:
    link.cut()


async def says_goodbye(link: Link) -> None:
    await link.push(disconnect())


async def says_goodbye_ten_times(link: Link) -> None:
    for _ in range(10):
        await link.push(disconnect())


async def closes_with_an_error(link: Link) -> None:
    await link.socket.close(code=1011)


@each_row("greeting", [closes, cuts, says_goodbye, says_goodbye_ten_times, closes_with_an_error])
@each_row("seed", [1, 2])
async def test_a_gateway_that_ends_every_connection_provokes_no_storm(greeting: Any, seed: int) -> None:
    gateway = GatewayDouble()
    gateway.greeting = greeting
    async with streaming(on(BOT, Recorder()), gateway=gateway, seed=seed, drain=0.05) as stream:
        await gateway.opened(40)

        assert_bounded(stream.clock.pauses)


@each_row(
    "opening",
    [
        answer(503, "", "text/plain"),
        answer(400, HTML, "text/html"),
        answer(200, HTML, "text/html"),
        answer(200, "<result><endpoint/></result>", "application/xml"),
        answer(200, WAF | {"wait": "soon"}),
        answer(200, {"endpoint": "wss://x"}),
        answer(200, {"endpoint": None, "ticket": 1}),
        answer(200, {"endpoint": "connect", "ticket": "t"}),
        answer(200, {"endpoint": "https://127.0.0.1/connect", "ticket": "t"}),
        answer(200, {"endpoint": "ws://[::1/connect", "ticket": "t"}),
        answer(200, {"endpoint": "ws://127.0.0.1:99999/connect", "ticket": "t"}),
        answer(200, {"endpoint": "ws://127.0.0.1:1/connect", "ticket": "t"}),
        answer(200, "[]"),
        answer(200, "null"),
        answer(200, ""),
        answer(302, ""),
        cut_off,
    ],
)
async def test_whatever_connections_open_answers_is_retried_slower_and_slower(opening: Any) -> None:
    gateway = GatewayDouble()
    gateway.script.extend([opening] * 12)
    async with streaming(on(BOT, Recorder()), gateway=gateway) as stream:
        link = await stream.link()

        assert len(gateway.opens) == 13
        assert_bounded(stream.clock.pauses)
        assert (await link.ask(frame(BOT)))["code"] == 200
        assert stream.client.status.last_error == ""


async def test_a_handshake_that_fails_is_retried_slower_and_slower() -> None:
    gateway = GatewayDouble()
    gateway.handshake_status = 401
    async with streaming(on(BOT, Recorder()), gateway=gateway) as stream:
        await gateway.opened(12)

        assert_bounded(stream.clock.pauses)
        assert stream.count("stream_opens_total", outcome="handshake") >= 11
        assert stream.client.status.last_error == "WebSocket refused with status 401"
        assert not stream.client.status.unauthorized


def assert_bounded(pauses: list[float]) -> None:
    """Between two opens there is always a pause, and the ceiling of the pauses doubles up to a minute."""
    assert all(1.0 <= pause <= min(60.0, 2.0 ** (number + 1)) for number, pause in enumerate(pauses))
    assert len(set(pauses)) > len(pauses) // 2, "jitter"


async def test_the_firewalls_own_wait_is_kept() -> None:
    gateway = GatewayDouble()
    gateway.script.extend([answer(503, WAF | {"wait": 33})])
    async with streaming(on(BOT, Recorder()), gateway=gateway) as stream:
        await stream.link()

        assert stream.clock.pauses == [33.0]


async def test_an_open_that_hangs_is_given_up_in_time() -> None:
    gateway = GatewayDouble()
    gateway.script.append(hang)
    async with streaming(on(BOT, Recorder()), gateway=gateway, open_timeout=0.05) as stream:
        await stream.link()

        assert stream.count("stream_opens_total", outcome="timeout") == 1


async def test_a_handshake_that_hangs_is_given_up_in_time() -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    over = asyncio.Event()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway = GatewayDouble()
    gateway.script.append(answer(200, {"endpoint": f"ws://127.0.0.1:{port}/connect", "ticket": "t"}))
    async with streaming(on(BOT, Recorder()), gateway=gateway, open_timeout=0.05) as stream:
        await stream.link()

        assert stream.count("stream_opens_total", outcome="timeout") == 1
    over.set()
    server.close()
    await server.wait_closed()


async def test_only_a_connection_that_lived_long_ends_a_series_of_failures() -> None:
    gateway, clock = GatewayDouble(), Clock()
    async with streaming(on(BOT, Recorder()), gateway=gateway, clock=clock) as stream:
        for lived in (59.0, 59.0, 60.0, 59.0):
            link = await stream.link()
            clock.time += lived
            await link.close()
        await stream.link()

        first, second, third = clock.pauses  # none after the connection that lived 60 s
        assert 1 <= first <= 2
        assert 1 <= second <= 4
        assert 1 <= third <= 2


@given(st.randoms(use_true_random=False), st.lists(st.floats(0, 59.9), min_size=1, max_size=50))
def test_pauses_of_a_series_are_bounded(rng: random.Random, lives: list[float]) -> None:
    backoff = Backoff(StreamPolicy().backoff, rng.random, stable_after=60)

    for number, lived in enumerate(lives):
        assert 1 <= backoff.ended(lived) <= min(60, 2 ** (number + 1))
    assert backoff.ended(60.0) == 0
    assert 1 <= backoff.failed() <= 2


async def test_401_is_reported_once_and_retried_every_minute_at_most() -> None:
    gateway, clock = GatewayDouble(), Clock()
    wrong = answer(401, {"requestid": "r", "code": "authFailed", "message": "鉴权失败"})
    gateway.script.extend([wrong, wrong, answer(503, ""), wrong, wrong])
    with capture_logs() as logs:
        async with streaming(on(BOT, Recorder()), gateway=gateway, clock=clock) as stream:
            await gateway.opened(5)
            before = stream.client.status
            await stream.link()
            after = stream.client.status

    loud = [line for line in logs if line["log_level"] == "error"]
    assert [line["event"] for line in loud] == ["stream.unauthorized"]
    assert len(clock.pauses) == 5
    assert all(pause >= 60 for number, pause in enumerate(clock.pauses) if number != 2)
    assert (before.unauthorized, after.unauthorized) == (True, False)
    assert stream.count("stream_opens_total", outcome="auth_failed") == 4


async def test_authfailed_under_another_status_is_401_too() -> None:
    gateway = GatewayDouble()
    gateway.script.append(answer(400, {"code": "authFailed"}))
    async with streaming(on(BOT, Recorder()), gateway=gateway) as stream:
        await stream.link()

        assert stream.clock.pauses == [60.0]


async def test_on_disconnect_the_new_connection_stands_before_the_old_one_goes() -> None:
    handler = Recorder()
    gateway, clock = GatewayDouble(), Clock()
    async with streaming(on(BOT, handler), gateway=gateway, clock=clock) as stream:
        old = await stream.link()
        clock.time += 3600
        await old.push(disconnect())
        new = await stream.link()

        assert stream.count("stream_connected") == 2
        for number, link in enumerate((old, new, old, new)):
            assert (await link.ask(frame(BOT, {"msgId": f"m{number}"})))["code"] == 200
        assert (await old.ask(ping("old")))["data"] == {"opaque": "old"}
        await old.close()
        await eventually(lambda: stream.count("stream_connected") == 1)
        assert (await new.ask(ping("new")))["data"] == {"opaque": "new"}
        assert clock.pauses == []
        assert len(gateway.opens) == 2


async def test_the_old_connection_ends_after_its_time_to_drain() -> None:
    async with streaming(on(BOT, Recorder()), drain=0.05) as stream:
        old = await stream.link()
        await old.push(disconnect())
        await stream.link()

        await old.gone()
        await eventually(lambda: stream.count("stream_connected") == 1)
        assert stream.client.status.last_error == ""


async def test_many_disconnects_and_the_close_have_one_successor() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        old = await stream.link()
        for _ in range(5):
            await old.push(disconnect())
        new = await stream.link()
        await old.push(disconnect())
        await old.close()
        await eventually(lambda: stream.count("stream_connected") == 1)

        await new.ask(ping())
        assert len(stream.gateway.opens) == 2


async def test_an_answer_goes_to_the_connection_that_its_frame_came_from() -> None:
    handler = Recorder.held()
    async with streaming(on(BOT, handler)) as stream:
        old = await stream.link()
        asked = await old.push(frame(BOT, {"msgId": "m"}))
        await eventually(lambda: len(handler.messages) == 1)
        await old.push(disconnect())
        new = await stream.link()

        assert handler.gate is not None
        handler.gate.set()

        assert (await old.ack())["headers"]["messageId"] == asked
        await new.ask(ping())
        assert new.received.empty()


async def test_an_answer_for_a_closed_connection_is_dropped_and_counted() -> None:
    handler = Recorder.held()
    async with streaming(on(BOT, handler)) as stream:
        old = await stream.link()
        await old.push(frame(BOT, {"msgId": "m"}))
        await eventually(lambda: len(handler.messages) == 1)
        await old.close()
        new = await stream.link()

        assert handler.gate is not None
        handler.gate.set()

        await eventually(lambda: stream.errors("ack_dropped") == 1)
        await new.ask(ping())
        assert new.received.empty()


async def test_back_off_is_kept_while_the_old_connection_lives_and_no_new_one_opens() -> None:
    gateway = GatewayDouble()
    async with streaming(on(BOT, Recorder()), gateway=gateway) as stream:
        old = await stream.link()
        gateway.script.extend([answer(503, "")] * 6)
        await old.push(disconnect())
        new = await stream.link()

        assert_bounded(stream.clock.pauses)
        assert len(gateway.opens) == 8
        assert (await old.ask(frame(BOT)))["code"] == 200
        assert (await new.ask(frame(BOT)))["code"] == 200


async def test_a_half_open_connection_is_noticed_by_its_missing_pong() -> None:
    gateway = GatewayDouble()
    gateway.answers_pings = False
    async with streaming(on(BOT, Recorder()), gateway=gateway, heartbeat=0.05, close_timeout=0.05) as stream:
        first = await stream.link()
        await asyncio.wait_for(first.pings.get(), PATIENCE)

        await stream.link()

        assert stream.errors("no_pong") >= 1


async def test_pongs_are_signs_of_life() -> None:
    async with streaming(on(BOT, Recorder()), heartbeat=0.2, silence_limit=0.5) as stream:
        link = await stream.link()
        for _ in range(4):
            await asyncio.wait_for(link.pings.get(), PATIENCE)

        assert len(stream.gateway.opens) == 1


async def test_a_silent_connection_is_given_up() -> None:
    async with streaming(on(BOT, Recorder()), silence_limit=0.1, close_timeout=0.05) as stream:
        await stream.link()

        await stream.link()

        assert stream.errors("silence") >= 1


async def test_websocket_pings_of_the_gateway_are_answered() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        link = await stream.link()
        await link.socket.ping(b"are you there")

        assert await asyncio.wait_for(link.pongs.get(), PATIENCE) == b"are you there"


async def test_an_oversize_frame_ends_its_connection_and_nothing_else() -> None:
    handler = Recorder()
    async with streaming(on(BOT, handler), max_frame=4096) as stream:
        first = await stream.link()
        await first.push(frame(BOT, {"text": "x" * 3000}))
        assert (await first.ack())["code"] == 200
        await first.push(frame(BOT, {"text": "x" * 5000}))
        await first.gone()

        second = await stream.link()

        assert (await second.ask(frame(BOT)))["code"] == 200
        assert stream.errors("oversize") == 1
        assert len(handler.messages) == 2


async def test_what_breaks_the_websocket_protocol_ends_its_connection_and_nothing_else() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        first = await stream.link()
        first.transport.write(b"\xff\xff\xff\xff")
        second = await stream.link()

        assert (await second.ask(frame(BOT)))["code"] == 200


async def test_a_peer_that_takes_no_answers_is_given_up() -> None:
    big = {"cardData": {"cardParamMap": {"body": "x" * 60_000}}}
    async with streaming(on(BOT, Recorder(big)), send_timeout=0.1, close_timeout=0.05) as stream:
        first = await stream.link()
        first.transport.pause_reading()
        for _ in range(200):
            await first.push(frame(BOT))

        second = await stream.link()

        assert stream.errors("stalled") >= 1
        assert (await second.ask(ping()))["code"] == 200


async def test_cancelling_run_ends_it_at_once() -> None:
    handler = Recorder.held()
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()
        await link.push(frame(BOT, {"msgId": "m"}))
        await eventually(lambda: len(handler.messages) == 1)

        stream.running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(stream.running, PATIENCE)

        await link.gone()
        assert stream.count("stream_connected") == 0
        assert not stream.client.status.connected


@pytest.mark.parametrize("opening", [answer(503, ""), hang])
async def test_cancelling_run_while_it_waits_or_opens_ends_it_at_once(opening: Any) -> None:
    gateway = GatewayDouble()
    gateway.script.extend([opening] * 3)
    async with streaming(on(BOT, Recorder()), gateway=gateway, sleep=asyncio.sleep) as stream:
        await gateway.opened(1)
        stream.running.cancel()

        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(stream.running, PATIENCE)


async def test_stop_lets_what_is_in_flight_finish_and_be_answered() -> None:
    handler = Recorder.held({"done": True})
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()
        await link.push(frame(BOT, {"msgId": "m1"}))
        await eventually(lambda: len(handler.messages) == 1)
        stopping = asyncio.create_task(stream.client.stop(grace=PATIENCE))
        await asyncio.sleep(0)
        await link.push(frame(BOT, {"msgId": "m2"}))

        assert handler.gate is not None
        handler.gate.set()

        assert (await link.ack())["data"] == {"response": {"done": True}}
        await asyncio.wait_for(stopping, PATIENCE)
        await link.gone()
        assert stream.running.done()
        assert len(handler.messages) == 1, "nothing is read after stop: the gateway will push it elsewhere"


async def test_stop_gives_up_after_its_grace() -> None:
    handler = Recorder.held()
    with capture_logs() as logs:
        async with streaming(on(BOT, handler)) as stream:
            link = await stream.link()
            await link.push(frame(BOT, {"msgId": "m1"}))
            await eventually(lambda: len(handler.messages) == 1)

            await asyncio.wait_for(stream.client.stop(grace=0.02), PATIENCE)

    assert logs[-1] == {"event": "stream.stopped", "log_level": "info", "abandoned": 1}


async def test_stop_ends_a_back_off_and_opens_no_more() -> None:
    gateway = GatewayDouble()
    gateway.script.append(answer(503, ""))
    async with streaming(on(BOT, Recorder()), gateway=gateway, sleep=asyncio.sleep) as stream:
        await gateway.opened(1)
        await eventually(lambda: stream.client.status.last_error != "")

        await asyncio.wait_for(stream.client.stop(), PATIENCE)

        assert stream.running.done()
        assert len(gateway.opens) == 1


async def test_a_client_runs_once() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        await stream.link()
        with pytest.raises(RuntimeError, match="once"):
            await stream.client.run()


async def test_the_status_tells_what_is_going_on() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        before = stream.client.status
        assert (before.connected, before.since, before.last_frame_at, before.opens) == (False, None, None, 0)
        link = await stream.link()
        await link.ask(ping())

        status = stream.client.status

        assert (status.connected, status.since, status.opens, status.last_error) == (True, NOW, 1, "")
        assert status.last_frame_at is not None
        assert (NOW - status.last_frame_at).total_seconds() < PATIENCE
        stream.gateway.script.append(hang)
        await link.close()
        await eventually(lambda: stream.client.status.last_error == "closed by the gateway (1000)")


async def test_events_wait_for_a_connection_like_everything_else() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        link = await stream.link()
        first, second = await link.ask(event("e1")), await link.ask(event("e1"))

        assert first["data"]["status"] == second["data"]["status"] == "LATER"
