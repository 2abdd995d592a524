"""Handlers that only store: they return at once, and their frames are answered later, each once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson
import pytest
from structlog.testing import capture_logs

from bot.dingtalk.dispatcher import AcknowledgeFrame
from bot.dingtalk.errors import BadPayload
from bot.dingtalk.frames import Push
from bot.dingtalk.stream import StreamClient
from bot.words.errors import DingerpError
from tests.dingtalk.gateway_double import BOT, PATIENCE, frame, ping
from tests.dingtalk.stream_parts import Recorder, eventually, streaming
from tests.rows import each_row


@dataclass
class DeferringReceiver:
    """A handler that keeps what it gets until the test has it answered."""

    pushes: list[Push] = field(default_factory=list)
    answers: list[AcknowledgeFrame] = field(default_factory=list)
    trouble: Exception | None = None

    def __call__(self, push: Push, acknowledge: AcknowledgeFrame) -> None:
        self.pushes.append(push)
        self.answers.append(acknowledge)
        if self.trouble is not None:
            raise self.trouble

    async def holds(self, count: int) -> None:
        await eventually(lambda: len(self.answers) == count)


def on(receiver: DeferringReceiver) -> Callable[[StreamClient], None]:
    return lambda client: client.receive_deferred(BOT, receiver)


async def test_a_frame_is_answered_when_its_handler_says_so() -> None:
    receiver = DeferringReceiver()
    async with streaming(on(receiver)) as stream:
        link = await stream.link()
        first, second = [await link.push(frame(BOT, {"msgId": name})) for name in ("m1", "m2")]
        await receiver.holds(2)
        receiver.answers[1](None)
        receiver.answers[0](None)

        acks = [await link.ack(), await link.ack()]

        assert [ack["headers"]["messageId"] for ack in acks] == [second, first]
        assert {ack["code"] for ack in acks} == {200}
        assert [push.data["msgId"] for push in receiver.pushes] == ["m1", "m2"]
        assert stream.count("ack_seconds_count", topic=BOT) == 2


async def test_a_handler_hears_when_there_are_no_more_frames_for_now() -> None:
    receiver, idle_calls = DeferringReceiver(), list[int]()

    def on_idle() -> None:
        idle_calls.append(len(receiver.pushes))

    async with streaming(lambda client: client.receive_deferred(BOT, receiver, on_idle)) as stream:
        link = await stream.link()
        burst = b"".join(as_wire(frame(BOT, {"msgId": f"m{number}"})) for number in range(20))
        link.transport.write(burst)
        await receiver.holds(20)

        await eventually(lambda: idle_calls[-1] == 20)
        assert set(idle_calls) == {0, 20}, "not once for each frame of a burst"


async def test_a_defect_in_on_idle_is_logged_and_ends_nothing() -> None:
    receiver = DeferringReceiver()

    def fail() -> None:
        raise LookupError("a defect")

    with capture_logs() as logs:
        async with streaming(lambda client: client.receive_deferred(BOT, receiver, fail)) as stream:
            link = await stream.link()
            await link.push(frame(BOT, {"msgId": "m1"}))
            await receiver.holds(1)
            receiver.answers[0](None)
            assert (await link.ack())["code"] == 200
            assert stream.errors("LookupError") >= 1
            assert len(stream.gateway.opens) == 1
    assert "stream.idle_failed" in {line["event"] for line in logs}


def as_wire(body: dict[str, object]) -> bytes:
    """Return a frame as a server writes it: final, text, unmasked, its length in two bytes."""
    payload = orjson.dumps(body)
    return b"\x81\x7e" + len(payload).to_bytes(2) + payload


async def test_the_answer_is_written_in_the_same_turn_of_the_loop() -> None:
    receiver = DeferringReceiver()
    async with streaming(on(receiver)) as stream:
        link = await stream.link()
        await link.push(frame(BOT))
        await receiver.holds(1)
        (connection,) = stream.client._connections
        sent = list[bytes]()
        connection.send = lambda payload: not sent.append(payload)  # type: ignore[method-assign, func-returns-value]

        receiver.answers[0](None)

        assert len(sent) == 1


@each_row("trouble", [BadPayload("no sender"), LookupError("a defect"), DingerpError("away")])
async def test_what_a_handler_raises_is_no_acknowledgement_unless_the_data_is_bad(trouble: Exception) -> None:
    receiver = DeferringReceiver(trouble=trouble)
    is_bad = isinstance(trouble, BadPayload)
    async with streaming(on(receiver)) as stream:
        link = await stream.link()
        with capture_logs() as logs:
            await link.push(frame(BOT))
            if is_bad:
                assert (await link.ack())["code"] == 400
            else:
                await receiver.holds(1)
            receiver.answers[0](None)  # too late: a frame has one answer

            assert (await link.ask(ping()))["code"] == 200, "nothing came before"
        assert [line["event"] for line in logs] == ["stream.bad_data" if is_bad else "stream.handler_failed"]


async def test_what_could_not_be_kept_is_not_acknowledged() -> None:
    receiver = DeferringReceiver()
    async with streaming(on(receiver)) as stream:
        link = await stream.link()
        await link.push(frame(BOT, {"msgId": "m1"}))
        await receiver.holds(1)
        receiver.answers[0](DingerpError("the disk is full"))
        assert (await link.ask(ping()))["code"] == 200, "nothing came before"

        await link.push(frame(BOT, {"msgId": "m1"}))
        await receiver.holds(2)
        receiver.answers[1](None)

        assert (await link.ack())["code"] == 200


async def test_broken_data_never_reaches_the_handler() -> None:
    receiver = DeferringReceiver()
    async with streaming(on(receiver)) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT, "{")))["code"] == 400
        assert receiver.pushes == []


async def test_a_full_client_stops_the_reading_and_loses_nothing() -> None:
    receiver = DeferringReceiver()
    async with streaming(on(receiver), max_waiting=4) as stream:
        link = await stream.link()
        sent = [await link.push(frame(BOT, {"msgId": f"m{number}"})) for number in range(20)]
        await eventually(lambda: stream.errors("saturated") == 1)
        assert len(receiver.answers) == 4

        acks = set[str]()
        for _ in sent:
            await eventually(lambda: len(receiver.answers) > len(acks))
            receiver.answers[len(acks)](None)
            acks.add((await link.ack())["headers"]["messageId"])

        assert acks == set(sent)


async def test_an_answer_to_a_connection_that_is_gone_is_dropped_and_counted() -> None:
    receiver = DeferringReceiver()
    async with streaming(on(receiver)) as stream:
        link = await stream.link()
        await link.push(frame(BOT))
        await receiver.holds(1)
        await link.socket.close()
        successor = await stream.link()

        receiver.answers[0](None)

        assert stream.errors("ack_dropped") == 1
        assert (await successor.ask(ping()))["code"] == 200


async def test_what_is_not_answered_in_time_at_the_end_is_abandoned() -> None:
    receiver = DeferringReceiver()
    with capture_logs() as logs:
        async with streaming(on(receiver)) as stream:
            link = await stream.link()
            await link.push(frame(BOT))
            await receiver.holds(1)
            await stream.client.stop(grace=0.01)
            receiver.answers[0](None)
    assert [line["abandoned"] for line in logs if line["event"] == "stream.stopped"] == [1]


async def test_the_end_waits_for_what_is_answered_in_time() -> None:
    receiver = DeferringReceiver()
    async with streaming(on(receiver)) as stream:
        link = await stream.link()
        await link.push(frame(BOT))
        await receiver.holds(1)
        stopping = asyncio.create_task(stream.client.stop(grace=PATIENCE))
        await asyncio.sleep(0)
        receiver.answers[0](None)

        assert (await link.ack())["code"] == 200
        await stopping


async def test_a_topic_has_one_handler() -> None:
    async with streaming(on(DeferringReceiver())) as stream:
        with pytest.raises(ValueError, match="has a handler already"):
            stream.client.receive_deferred(BOT, DeferringReceiver())
        with pytest.raises(ValueError, match="has a handler already"):
            stream.client.receive(BOT, Recorder())
