"""Events for a handler of ours: subscribed, answered when they are stored, and pushed again when they are not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import dingtalk_stream
import pytest
from dingtalk_stream import EventMessage

from bot.dingtalk.frames import Push
from bot.dingtalk.stream import EVENT_SECONDS, StreamClient
from bot.words.errors import DingerpError

from .gateway_double import event, frame
from .stream_parts import streaming

CLICKS = "/v1.0/card/instances/callback"


@dataclass
class Store:
    """A handler that keeps events, unless it is away."""

    away: bool = False
    kept: list[EventMessage] = field(default_factory=list)

    async def __call__(self, message: EventMessage) -> None:
        if self.away:
            raise DingerpError("the store is away")
        self.kept.append(message)


def said(ack: dict[str, Any]) -> tuple[object, object]:
    return ack["code"], ack["data"]["status"]


async def test_an_event_is_answered_when_it_is_stored_and_known_again() -> None:
    store = Store()
    async with streaming(lambda client: client.receive_events(store)) as stream:
        link = await stream.link()
        assert {"type": "EVENT", "topic": "*"} in stream.gateway.opens[0]["subscriptions"]
        assert said(await link.ask(event("ev-1", {"processInstanceId": "i-1"}))) == (200, "SUCCESS")
        assert said(await link.ask(event("ev-1", {"processInstanceId": "i-1"}))) == (200, "SUCCESS")
    assert [event.data for event in store.kept] == [{"processInstanceId": "i-1"}]


async def test_an_event_that_cannot_be_stored_comes_again() -> None:
    store = Store(away=True)
    async with streaming(lambda client: client.receive_events(store)) as stream:
        link = await stream.link()
        assert said(await link.ask(event("ev-1"))) == (500, "LATER")
        store.away = False
        assert said(await link.ask(event("ev-1"))) == (200, "SUCCESS")
    assert len(store.kept) == 1


async def test_an_event_that_takes_long_to_store_is_answered_in_time_and_comes_again() -> None:
    started = asyncio.Event()

    async def slow(message: EventMessage) -> None:
        started.set()
        await asyncio.Event().wait()

    async with streaming(lambda client: client.receive_events(slow, timeout=0.01)) as stream:
        link = await stream.link()
        assert said(await link.ask(event("ev-1"))) == (500, "LATER")
    assert started.is_set()
    assert EVENT_SECONDS < 3


async def test_an_event_behind_slow_work_is_answered_in_time() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow(push: Push) -> dict[str, Any]:
        begun.set()
        await ended.wait()
        return {}

    def prepare(client: StreamClient) -> None:
        client.receive(CLICKS, slow, timeout=60)
        client.receive_events(Store(), timeout=0.01)

    async with streaming(prepare, max_in_flight=1) as stream:
        link = await stream.link()
        await link.push(frame(CLICKS, {}))
        await begun.wait()
        assert said(await link.ask(event("ev-1"))) == (500, "LATER")
        ended.set()


async def test_without_a_handler_events_are_not_asked_for() -> None:
    async with streaming() as stream:
        await stream.link()
        assert not [topic for topic in stream.gateway.opens[0]["subscriptions"] if topic["type"] == "EVENT"]


async def test_events_have_one_handler() -> None:
    def twice(client: StreamClient) -> None:
        client.receive_events(Store())
        with pytest.raises(ValueError, match="handler already"):
            client.receive_events(Store())
        with pytest.raises(ValueError, match="handler already"):
            client.register_all_event_handler(dingtalk_stream.EventHandler())

    def after_the_sdk(client: StreamClient) -> None:
        client.register_all_event_handler(dingtalk_stream.EventHandler())
        with pytest.raises(ValueError, match="handler already"):
            client.receive_events(Store())

    for prepare in (twice, after_the_sdk):
        async with streaming(prepare) as stream:
            await stream.link()
