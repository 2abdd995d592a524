"""Every kind of frame and the ACK that it gets."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from types import MappingProxyType
from typing import Any

import orjson
from dingtalk_stream import CallbackMessage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.dingtalk.errors import BadPayload
from bot.dingtalk.frames import BadFrame, callback_message, read_data, read_frame
from tests.examples import examples
from tests.rows import each_row

from .gateway_double import BOT, CARD, PATIENCE, disconnect, event, frame, ping
from .stream_parts import Recorder, on, streaming


@each_row(
    ("reply", "data"),
    [
        (None, {"response": None}),
        ({}, {"response": {}}),
        (
            {"cardData": {"cardParamMap": {"tips": "处理中…"}}},
            {"response": {"cardData": {"cardParamMap": {"tips": "处理中…"}}}},
        ),
        (MappingProxyType({"a": MappingProxyType({"b": 1})}), {"response": {"a": {"b": 1}}}),
    ],
)
async def test_what_a_handler_returns_is_the_acks_response(reply: Any, data: Any) -> None:
    async with streaming(on(CARD, Recorder(reply))) as stream:
        link = await stream.link()

        sent = await link.push(frame(CARD, {"outTrackId": "t"}))

        assert await link.ack() == {
            "code": 200,
            "headers": {"contentType": "application/json", "messageId": sent},
            "message": "OK",
            "data": data,
        }


@each_row(
    ("error", "code"),
    [
        (BadPayload("no outTrackId"), 400),
        (RuntimeError("hush"), 500),
        (TimeoutError(), 500),
        (KeyError("text"), 500),
    ],
)
async def test_a_handler_that_raises_is_answered(error: Exception, code: int) -> None:
    async with streaming(on(BOT, Recorder(error))) as stream:
        link = await stream.link()

        ack = await link.ask(frame(BOT, {"msgId": "m"}))

        assert (ack["code"], ack["data"]) == (code, {"response": None})
        assert "hush" not in str(ack)


async def test_a_reply_that_is_no_json_is_answered_500() -> None:
    async with streaming(on(BOT, Recorder({"at": object()}))) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT)))["code"] == 500


async def test_a_handler_that_takes_too_long_is_cancelled_and_answered_500() -> None:
    async with streaming(on(BOT, Recorder.held(), timeout=0.02)) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT)))["code"] == 500
        assert stream.errors("TimeoutError") == 1


async def test_a_handler_whose_own_wait_is_cancelled_is_answered_500() -> None:
    async def handler(_message: Any) -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT)))["code"] == 500


@each_row(
    ("body", "code", "error"),
    [
        (frame("/v1.0/nobody/asked", {}), 404, "unknown_topic"),
        (frame(BOT, headers={"topic": None}), 404, "unknown_topic"),
        (frame(BOT, headers={"topic": 7}), 404, "unknown_topic"),
        (frame(BOT, data="{broken") | {"data": "{broken"}, 400, "bad_data"),
        (frame(BOT) | {"data": "[1]"}, 400, "bad_data"),
        (frame(BOT) | {"data": "7"}, 400, "bad_data"),
        (frame(BOT) | {"data": 7}, 400, "bad_data"),
        (frame(BOT) | {"data": "[" * 5000}, 400, "bad_data"),
    ],
)
async def test_a_callback_that_nobody_can_handle_is_refused_and_counted(body: Any, code: int, error: str) -> None:
    handler = Recorder()
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()

        with capture_logs() as logs:
            ack = await link.ask(body)

        assert (ack["code"], ack["headers"]["messageId"]) == (code, body["headers"]["messageId"])
        assert stream.errors(error) == 1
        assert [line["event"] for line in logs] == [f"stream.{error}"]
        assert not handler.messages


@each_row("changes", [{"data": None}, {"data": ""}, {"data": {"a": 1}}])
async def test_missing_and_ready_decoded_data_are_tolerated(changes: dict[str, Any]) -> None:
    handler = Recorder()
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT) | changes))["code"] == 200
        assert handler.messages[0].data == (changes["data"] or {})


@each_row("headers", [{"time": "soon"}, {"time": None}, {"time": 1769851697756}, {"time": "９"}, {"x-new": [1]}])
async def test_odd_headers_are_no_reason_to_lose_a_message(headers: dict[str, Any]) -> None:
    handler = Recorder()
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT, {"msgId": "m"}, headers=headers)))["code"] == 200
        assert handler.messages[0].topic == BOT


async def test_a_frame_without_message_id_is_handled_though_nobody_can_be_answered() -> None:
    handler = Recorder()
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()

        await link.push(frame(BOT, {"msgId": "m"}, headers={"messageId": None}))

        assert (await link.ask(ping("after")))["data"] == {"opaque": "after"}
        assert len(handler.messages) == 1
        assert stream.errors("no_message_id") == 1


@each_row(
    ("raw", "event_name", "error"),
    [
        ("", "stream.bad_frame", "bad_frame"),
        ("<html>", "stream.bad_frame", "bad_frame"),
        ("[]", "stream.bad_frame", "bad_frame"),
        ("null", "stream.bad_frame", "bad_frame"),
        ("[" * 100_000, "stream.bad_frame", "bad_frame"),
        (b"\xff\xfe{}", "stream.bad_frame", "bad_frame"),
        ("{}", "stream.bad_frame", "bad_frame"),
        ({"type": "CALLBACK", "headers": "x"}, "stream.bad_frame", "bad_frame"),
        ({"type": "CALLBACK", "header": {"topic": BOT, "messageId": "1"}}, "stream.bad_frame", "bad_frame"),
        (frame(BOT, type="TELEX"), "stream.unknown_type", "unknown_type"),
        (frame(BOT, type=None), "stream.unknown_type", "unknown_type"),
        (frame(BOT, type=["CALLBACK"]), "stream.unknown_type", "unknown_type"),
    ],
)
async def test_text_that_is_no_frame_costs_one_line_and_one_count(raw: Any, event_name: str, error: str) -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        link = await stream.link()

        with capture_logs() as logs:
            await link.push(raw)
            assert (await link.ask(frame(BOT)))["code"] == 200

        assert [line["event"] for line in logs] == [event_name]
        assert stream.errors(error) == 1
        assert len(stream.gateway.opens) == 1


async def test_half_an_emoji_costs_one_character_not_the_message() -> None:
    handler = Recorder()
    async with streaming(on(BOT, handler)) as stream:
        link = await stream.link()
        data = r'{"msgId":"m","senderNick":"王\ud83d","text":{"content":" /stock \ud83d\ude00"}}'

        assert (await link.ask(frame(BOT) | {"data": data}))["code"] == 200
        assert handler.messages[0].data == {
            "msgId": "m",
            "senderNick": "王?",
            "text": {"content": " /stock \U0001f600"},
        }


async def test_a_ping_is_echoed_as_it_is() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        link = await stream.link()
        body = ping() | {"data": '{ "opaque" : "\\u738b" }'}
        await link.push(body)

        raw = await asyncio.wait_for(link.received.get(), 60)

        assert raw == {
            "code": 200,
            "headers": {"contentType": "application/json", "messageId": body["headers"]["messageId"]},
            "message": "OK",
            "data": body["data"],
        }


@each_row("data", [None, {"deep": 1}, 7])
async def test_a_ping_without_a_data_string_is_answered_too(data: Any) -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        link = await stream.link()

        assert (await link.ask(ping() | {"data": data}))["code"] == 200


@each_row("topic", ["CONNECTED", "REGISTERED", "KEEPALIVE", "else", None])
async def test_other_system_frames_are_only_a_sign_of_life(topic: str | None) -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        link = await stream.link()

        await link.push(frame("x", type="SYSTEM", headers={"topic": topic}))

        assert (await link.ask(ping("next")))["data"] == {"opaque": "next"}
        assert stream.count("frames_total", type="SYSTEM", topic="other") == 1


async def test_a_binary_frame_is_read_like_text() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        link = await stream.link()

        await link.socket.send_bytes(orjson.dumps(frame(BOT)))

        assert (await link.ack())["code"] == 200


async def test_an_event_without_handler_is_asked_for_again() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        link = await stream.link()

        ack = await link.ask(event())

        assert (ack["code"], ack["data"]["status"]) == (404, "LATER")


async def test_frames_and_acks_are_counted_under_bounded_labels() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        link = await stream.link()
        for number in range(20):
            await link.ask(frame(f"/made/up/{number}"))
        await link.ask(frame(BOT))
        await link.ask(ping())

        assert stream.count("frames_total", type="CALLBACK", topic="other") == 20
        assert stream.count("frames_total", type="CALLBACK", topic=BOT) == 1
        assert stream.count("frames_total", type="SYSTEM", topic="ping") == 1
        assert stream.count("ack_seconds_count", topic="other") == 20
        assert stream.count("ack_seconds_count", topic=BOT) == 1


async def test_no_frame_of_any_kind_reaches_the_log_with_its_content() -> None:
    async with streaming(on(BOT, Recorder(RuntimeError("x")))) as stream:
        link = await stream.link()
        webhook = {"sessionWebhook": "https://oapi/robot/sendBySession?session=5e5510"}
        with capture_logs() as logs:
            await link.ask(frame(BOT, webhook))
            await link.ask(frame("/other", webhook))
            await link.push(frame(BOT, webhook, type="TELEX"))
            await link.push(orjson.dumps(frame(BOT, webhook))[:-1])
            await link.ask(ping())

        assert len(logs) == 4
        assert "5e5510" not in repr(logs)


def test_the_sdks_message_types_are_filled_like_the_sdk_fills_them() -> None:
    body = frame(BOT, {"msgId": "m"}, headers={"eventId": "e", "eventBornTime": "17", "x-new": "1"}, extra=1)
    read = read_frame(orjson.dumps(body))

    ours, theirs = callback_message(read, read_data(read)), read_theirs(body)

    assert str(ours) == str(theirs)
    assert vars(ours.headers) == vars(theirs.headers)


def read_theirs(body: dict[str, Any]) -> Any:
    return CallbackMessage.from_dict(body)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
topics = st.sampled_from([BOT, CARD, "*", "ping", "CONNECTED", "", "\ud83d"]) | values
frames = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["SYSTEM", "EVENT", "CALLBACK"]) | values,
        "headers": st.fixed_dictionaries(
            {}, optional={"topic": topics, "messageId": values, "time": values, "eventId": values, "odd": values}
        )
        | values,
        "data": st.text() | values.map(json.dumps) | values,
        "specVersion": values,
    },
)


@given(st.binary(max_size=200) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_frame_or_a_bad_frame(payload: bytes) -> None:
    try:
        read = read_frame(payload)
    except BadFrame:
        return
    with suppress(BadPayload):
        assert isinstance(read_data(read), dict)


async def test_no_text_and_no_json_kills_the_connection() -> None:
    """Throws generated frames at one living connection; pings in between show that it still reads and answers."""
    payloads: list[str | bytes] = []

    @settings(max_examples=examples(5), suppress_health_check=list(HealthCheck), database=None)
    @given(frames.map(json.dumps) | st.text().map(lambda text: text.encode("utf-8", "replace")) | st.binary())
    def collect(payload: str | bytes) -> None:
        payloads.append(payload)

    collect()
    expected = [f'{{"opaque":"alive-{number}"}}' for number in range(0, len(payloads), 20)]
    echoes = []
    async with streaming(on(BOT, Recorder({}))) as stream:
        link = await stream.link()
        for number, payload in enumerate(payloads):
            if number % 20 == 0:
                await link.push(ping(f"alive-{number}"))
            await link.push(payload)
        while len(echoes) < len(expected):
            ack = await asyncio.wait_for(link.received.get(), PATIENCE)
            echoes += [ack["data"]] if ack["data"] in expected else []

        assert echoes == expected
        assert len(stream.gateway.opens) == 1


async def test_disconnect_needs_no_answer() -> None:
    async with streaming(on(BOT, Recorder())) as stream:
        old = await stream.link()
        await old.push(disconnect())
        await stream.link()

        assert (await old.ask(ping("still read")))["data"] == {"opaque": "still read"}
