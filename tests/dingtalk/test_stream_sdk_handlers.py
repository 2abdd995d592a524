"""Handlers written for the SDK run unchanged, and cannot stop the stream whatever they do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import dingtalk_stream
import pytest
from dingtalk_stream import AckMessage
from structlog.testing import capture_logs

from bot.dingtalk.stream import StreamClient
from bot.words.errors import DingerpError
from tests.dingtalk.stream_parts import Recorder, StreamFixture, eventually, streaming
from tests.rows import each_row

from .gateway_double import BOT, CARD, GatewayDouble, event, frame, ping

GRAPH = "/v1.0/graph/api/invoke"


class EchoTextHandler(dingtalk_stream.ChatbotHandler):  # type: ignore[misc]  # the SDK has no types
    """The chat bot of the SDK's README."""

    async def process(self, callback: dingtalk_stream.CallbackMessage) -> tuple[int, str]:
        incoming_message = dingtalk_stream.ChatbotMessage.from_dict(callback.data)
        text = "echo received message:\n" + incoming_message.text.content.strip()
        self.reply_text(text, incoming_message)
        return AckMessage.STATUS_OK, "OK"


class CardCallbackHandler(dingtalk_stream.CallbackHandler):  # type: ignore[misc]  # the SDK has no types
    """The card handler of the SDK's examples."""

    async def process(self, callback: dingtalk_stream.CallbackMessage) -> tuple[int, Any]:
        message = dingtalk_stream.CardCallbackMessage.from_dict(callback.data)
        return AckMessage.STATUS_OK, {"userPrivateData": {"cardParamMap": {"who": message.user_id}}}


class MyEventHandler(dingtalk_stream.EventHandler):  # type: ignore[misc]  # the SDK has no types
    """The event handler of the SDK's README, with a switch for its answer."""

    def __init__(self, code: int = AckMessage.STATUS_OK) -> None:
        super().__init__()
        self.code = code
        self.seen: list[Any] = []

    async def process(self, event: dingtalk_stream.EventMessage) -> tuple[int, str]:
        self.seen.append((event.headers.event_type, event.headers.event_id, event.headers.event_born_time, event.data))
        return self.code, "OK"


class Handler(dingtalk_stream.CallbackHandler):  # type: ignore[misc]  # the SDK has no types
    """A handler that does what a test wants."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        super().__init__()
        self.work = work
        self.started = threading.Event()
        self.threads: set[str] = set()

    def pre_start(self) -> None:
        self.threads.add(threading.current_thread().name)

    async def process(self, callback: dingtalk_stream.CallbackMessage) -> Any:
        self.threads.add(threading.current_thread().name)
        result = self.work(self)
        return await result if asyncio.iscoroutine(result) else result


async def cancelled_wait() -> None:
    future = asyncio.get_running_loop().create_future()
    future.cancel()
    await future


def sdk(topic: str, handler: Any) -> Callable[[StreamClient], None]:
    return lambda client: client.register_callback_handler(topic, handler)


def message(stream: StreamFixture, text: str = "hi", msg_id: str = "m") -> dict[str, Any]:
    return {
        "msgId": msg_id,
        "msgtype": "text",
        "text": {"content": f" {text}"},
        "conversationId": "cid+/==",
        "senderStaffId": "staff",
        "sessionWebhook": f"{stream.gateway.url}/robot/sendBySession?session=5",
    }


async def test_the_readmes_chat_bot_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with streaming(sdk(BOT, EchoTextHandler())) as stream:
        link = await stream.link()

        ack = await link.ask(frame(BOT, message(stream, "/stock SKU123")))

        # The reply was posted by `requests`: it can only arrive while our loop, which serves it, runs on.
        assert [reply["text"]["content"] for reply in stream.gateway.replies] == [
            "echo received message:\n/stock SKU123"
        ]
        assert (ack["code"], ack["message"], ack["data"]) == (200, "", {"response": "OK"})


async def test_the_examples_card_handler_answers_with_its_update() -> None:
    async with streaming(sdk(CARD, CardCallbackHandler())) as stream:
        link = await stream.link()

        ack = await link.ask(frame(CARD, {"userId": "u1", "content": "{}", "extension": "{}"}))

        assert ack["data"] == {"response": {"userPrivateData": {"cardParamMap": {"who": "u1"}}}}


async def test_the_graph_handler_answers() -> None:
    async with streaming(sdk(GRAPH, Handler(lambda _self: (200, {"statusLine": {"code": 200}})))) as stream:
        link = await stream.link()

        ack = await link.ask(frame(GRAPH, {"requestLine": {"method": "GET", "uri": "/"}}))

        assert ack["data"] == {"response": {"statusLine": {"code": 200}}}


async def test_the_async_chatbot_handler_is_acknowledged_first() -> None:
    seen: list[Any] = []
    done = threading.Event()

    class Slow(dingtalk_stream.AsyncChatbotHandler):  # type: ignore[misc]  # the SDK has no types
        def process(self, callback: Any) -> None:
            done.wait(10)
            seen.append(callback.data)

    handler = Slow(max_workers=1)
    async with streaming(sdk(BOT, handler)) as stream:
        link = await stream.link()

        ack = await link.ask(frame(BOT, {"msgId": "m"}))

        assert (ack["message"], ack["data"], seen) == ("ok", {"msgId": "m"}, [])
        done.set()
        await eventually(lambda: seen == [{"msgId": "m"}])
    handler.async_executor.shutdown()


@pytest.mark.parametrize(
    ("code", "status"), [(AckMessage.STATUS_OK, "SUCCESS"), (AckMessage.STATUS_SYSTEM_EXCEPTION, "LATER")]
)
async def test_an_event_handlers_code_becomes_the_status(code: int, status: str) -> None:
    handler = MyEventHandler(code)
    async with streaming(lambda client: client.register_all_event_handler(handler)) as stream:
        link = await stream.link()

        ack = await link.ask(event("e1", {"processInstanceId": "p"}))

        assert (ack["code"], ack["data"]) == (code, {"status": status, "message": "OK"})
        assert handler.seen == [("bpms_task_change", "e1", 1769851697000, {"processInstanceId": "p"})]


async def test_events_are_told_apart_by_event_id() -> None:
    handler = MyEventHandler()
    async with streaming(lambda client: client.register_all_event_handler(handler)) as stream:
        link = await stream.link()
        for event_id in ("e1", "e1", "e2"):
            assert (await link.ask(event(event_id)))["data"]["status"] == "SUCCESS"
        handler.code = AckMessage.STATUS_SYSTEM_EXCEPTION
        for event_id in ("e3", "e3"):
            assert (await link.ask(event(event_id)))["data"]["status"] == "LATER"

        assert [seen[1] for seen in handler.seen] == ["e1", "e2", "e3", "e3"]


async def test_an_event_handler_that_raises_is_asked_again() -> None:
    class Broken(dingtalk_stream.EventHandler):  # type: ignore[misc]  # the SDK has no types
        async def process(self, event: Any) -> Any:
            raise KeyError("x")

    async with streaming(lambda client: client.register_all_event_handler(Broken())) as stream:
        link = await stream.link()

        ack = await link.ask(event())

        assert (ack["code"], ack["data"]["status"]) == (500, "LATER")


async def test_an_event_whose_data_is_broken_is_not_asked_for_again() -> None:
    handler = MyEventHandler()
    async with streaming(lambda client: client.register_all_event_handler(handler)) as stream:
        link = await stream.link()

        ack = await link.ask(event() | {"data": "{"})

        assert (ack["code"], ack["data"]["status"], handler.seen) == (400, "SUCCESS", [])


@each_row(
    "work",
    [
        lambda _self: 1 / 0,
        lambda _self: None,
        lambda _self: (200, object()),
        lambda _self: (200, "a", "b"),
        lambda _self: cancelled_wait(),
    ],
)
async def test_a_handler_that_fails_is_answered_500_and_gets_another_chance(work: Callable[[Any], Any]) -> None:
    handler = Handler(work)
    async with streaming(sdk(BOT, handler)) as stream:
        link = await stream.link()
        assert (await link.ask(frame(BOT, {"msgId": "m"})))["code"] == 500

        handler.work = lambda _self: (200, "OK")

        assert (await link.ask(frame(BOT, {"msgId": "m"})))["code"] == 200


async def test_a_raw_process_without_ack_has_handled_its_message() -> None:
    class Quiet(dingtalk_stream.CallbackHandler):  # type: ignore[misc]  # the SDK has no types
        async def raw_process(self, callback: Any) -> None:
            return

    async with streaming(sdk(BOT, Quiet())) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT)))["data"] == {"response": None}


async def test_a_handler_that_says_not_implemented_is_quoted() -> None:
    async with streaming(sdk(BOT, dingtalk_stream.CallbackHandler())) as stream:
        link = await stream.link()

        ack = await link.ask(frame(BOT))

        assert (ack["code"], ack["data"]) == (404, {"response": "not implement"})


async def test_a_handler_that_blocks_stops_neither_pings_nor_our_own_handlers() -> None:
    release = threading.Event()
    handler, ours = Handler(lambda _self: (release.wait(10), (200, "OK"))[1]), Recorder()

    def prepare(client: StreamClient) -> None:
        client.register_callback_handler(BOT, handler)
        client.receive(CARD, ours)

    async with streaming(prepare) as stream:
        link = await stream.link()
        blocked = await link.push(frame(BOT, {"msgId": "m"}))

        assert (await link.ask(ping("p")))["data"] == {"opaque": "p"}
        assert (await link.ask(frame(CARD)))["code"] == 200
        release.set()
        assert (await link.ack())["headers"]["messageId"] == blocked
        assert handler.threads == {"sdk-handlers"}, "pre_start too"


async def test_a_handler_that_blocks_forever_does_not_hold_up_the_stop() -> None:
    release = threading.Event()
    handler = Handler(lambda self: (self.started.set(), release.wait(30), (200, "OK"))[2])
    with capture_logs() as logs:
        async with streaming(sdk(BOT, handler), close_timeout=0.05) as stream:
            link = await stream.link()
            await link.push(frame(BOT, {"msgId": "m"}))
            await eventually(handler.started.is_set)

            await asyncio.wait_for(stream.client.stop(grace=0.01), 60)

    assert [line["event"] for line in logs][-2:] == ["stream.sdk_handler_blocks", "stream.stopped"]
    release.set()
    await eventually(lambda: not any(thread.name == "sdk-handlers" for thread in threading.enumerate()))


async def test_a_handler_that_takes_too_long_is_cancelled_and_answered_500() -> None:
    cancelled = threading.Event()

    async def slow() -> Any:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    async with streaming(sdk(BOT, Handler(lambda _self: slow())), sdk_timeout=0.05) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT)))["code"] == 500
        await eventually(cancelled.is_set)


async def test_a_surplus_for_sdk_handlers_is_left_to_come_again() -> None:
    gates: list[asyncio.Event] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def held() -> Any:
        gates.append(asyncio.Event())
        loops.append(asyncio.get_running_loop())
        await gates[-1].wait()
        return 200, "OK"

    async with streaming(sdk(BOT, Handler(lambda _self: held())), max_sdk_in_flight=1) as stream:
        link = await stream.link()
        await link.push(frame(BOT, {"msgId": "m1"}))
        await eventually(lambda: len(gates) == 1)
        await link.push(frame(BOT, {"msgId": "m2"}))
        await eventually(lambda: stream.errors("unacked") == 1)
        loops[0].call_soon_threadsafe(gates[0].set)
        assert (await link.ack())["code"] == 200
        assert link.received.empty()

        again = await link.push(frame(BOT, {"msgId": "m2"}))
        await eventually(lambda: len(gates) == 2)
        loops[1].call_soon_threadsafe(gates[1].set)

        assert (await link.ack())["headers"]["messageId"] == again


async def test_a_redelivery_while_a_slow_handler_works_is_not_a_second_message() -> None:
    gates: list[asyncio.Event] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def held() -> Any:
        gates.append(asyncio.Event())
        loops.append(asyncio.get_running_loop())
        await gates[-1].wait()
        return 200, "OK"

    async with streaming(sdk(BOT, Handler(lambda _self: held()))) as stream:
        link = await stream.link()
        sent = {await link.push(frame(BOT, {"msgId": "m1"})) for _ in range(3)}
        await link.ask(ping())
        await eventually(lambda: len(gates) == 1)
        loops[0].call_soon_threadsafe(gates[0].set)

        assert {(await link.ack())["headers"]["messageId"] for _ in sent} == sent
        assert len(gates) == 1


async def test_what_pre_start_raises_ends_the_run() -> None:
    class Broken(dingtalk_stream.CallbackHandler):  # type: ignore[misc]  # the SDK has no types
        def pre_start(self) -> None:
            raise LookupError("no model")

    with pytest.raises(LookupError, match="no model"):
        async with streaming(sdk(BOT, Broken())) as stream:
            await asyncio.wait({stream.running}, timeout=5)


async def test_topics_have_one_handler() -> None:
    def prepare(client: StreamClient) -> None:
        client.receive(BOT, Recorder())
        client.register_callback_handler(CARD, CardCallbackHandler())
        with pytest.raises(ValueError, match="already"):
            client.register_callback_handler(BOT, EchoTextHandler())
        with pytest.raises(ValueError, match="already"):
            client.receive(CARD, Recorder())
        with pytest.raises(ValueError, match="already"):
            client.receive(BOT, Recorder())

    async with streaming(prepare) as stream:
        await stream.link()


@pytest.mark.parametrize("events", [True, False])
async def test_subscriptions_are_the_topics_and_events_only_where_a_handler_is(events: bool) -> None:
    def prepare(client: StreamClient) -> None:
        client.receive(BOT, Recorder())
        client.register_callback_handler(CARD, CardCallbackHandler())
        if events:
            client.register_all_event_handler(MyEventHandler())

    async with streaming(prepare) as stream:
        await stream.link()

        asked = [(entry["type"], entry["topic"]) for entry in stream.gateway.opens[0]["subscriptions"]]
        assert asked == [("EVENT", "*")] * events + [("CALLBACK", BOT), ("CALLBACK", CARD)]


async def test_a_handler_gets_the_apps_token_from_our_cache_and_uploads_through_our_client() -> None:
    home = threading.get_ident()
    asked: list[Any] = []

    async def token() -> str:
        asked.append(threading.get_ident())
        return "t0ken"

    async def upload(*arguments: Any) -> str:
        asked.append(arguments)
        return "@media"

    handler = Handler(
        lambda self: (200, [self.dingtalk_client.get_access_token(), self.dingtalk_client.upload_to_dingtalk(b"png")])
    )
    async with streaming(sdk(BOT, handler), access_token=token, upload=upload) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT)))["data"] == {"response": ["t0ken", "@media"]}
        assert asked == [home, (b"png", "image", "image.png", "image/png")]


class NoToken(DingerpError):
    """For the test below."""


@each_row("error", [NoToken("401"), OSError(), TimeoutError()])
async def test_a_token_that_cannot_be_had_is_none_as_in_the_sdk(error: Exception) -> None:
    async def token() -> str:
        raise error

    handler = Handler(lambda self: (200, [self.dingtalk_client.get_access_token()]))
    async with streaming(sdk(BOT, handler), access_token=token) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT)))["data"] == {"response": [None]}


async def test_a_token_that_takes_too_long_is_none() -> None:
    async def token() -> str:
        await asyncio.Event().wait()
        raise AssertionError

    handler = Handler(lambda self: (200, [self.dingtalk_client.get_access_token()]))
    async with streaming(sdk(BOT, handler), access_token=token, open_timeout=0.2) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT)))["data"] == {"response": [None]}


async def test_blocking_calls_of_the_sdk_are_refused_on_our_own_loop() -> None:
    async def token() -> str:
        raise AssertionError

    async with streaming(sdk(BOT, Handler(lambda _self: (200, ""))), access_token=token) as stream:
        await stream.link()
        with pytest.raises(RuntimeError, match="thread"):
            stream.client.get_access_token()
        with pytest.raises(RuntimeError, match="run"):
            stream.client.start_forever()


async def test_without_a_source_there_is_no_token() -> None:
    handler = Handler(
        lambda self: (200, [self.dingtalk_client.get_access_token(), self.dingtalk_client.upload_to_dingtalk(b"")])
    )
    async with streaming(sdk(BOT, handler)) as stream:
        link = await stream.link()

        assert (await link.ask(frame(BOT)))["data"] == {"response": [None, None]}


async def test_the_sdks_name_for_run_works_too() -> None:
    gateway = GatewayDouble()
    async with streaming(sdk(BOT, Handler(lambda _self: (200, ""))), gateway=gateway) as stream:
        await stream.link()
        with pytest.raises(RuntimeError, match="once"):
            await stream.client.start()
