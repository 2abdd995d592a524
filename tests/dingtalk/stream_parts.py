"""A client on a gateway double, with a clock that jumps instead of waiting."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from dingtalk_stream import Credential

from bot.dingtalk.dispatcher import CallbackReceiver
from bot.dingtalk.frames import Push
from bot.dingtalk.stream import StreamClient
from bot.dingtalk.stream_policy import StreamPolicy
from bot.mechanisms.metrics import Metrics

from .gateway_double import PATIENCE, GatewayDouble, Link

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECRET = "s3cret-of-the-app"


@dataclass
class Clock:
    """Seconds that pass at once; every pause is on record."""

    time: float = 1000.0
    pauses: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


@dataclass
class StreamFixture:
    """A client that runs, and all that a test wants to look at."""

    client: StreamClient
    gateway: GatewayDouble
    metrics: Metrics
    clock: Clock
    running: asyncio.Task[None]

    async def link(self) -> Link:
        return await self.gateway.link()

    def count(self, name: str, **labels: str) -> float:
        """Return a counter's value, 0 where nothing was counted."""
        return self.metrics.registry.get_sample_value(f"dingerp_{name}", labels) or 0.0

    def errors(self, name: str) -> float:
        return self.count("errors_total", room="stream", error=name)


@asynccontextmanager
async def streaming(
    prepare: Callable[[StreamClient], None] = lambda _client: None,
    *,
    gateway: GatewayDouble | None = None,
    clock: Clock | None = None,
    seed: int = 7,
    **options: Any,
) -> AsyncIterator[StreamFixture]:
    """Run a client with ``prepare``'s handlers; it must stop cleanly. ``options`` are the client's and its policy's."""
    metrics, clock = Metrics(), clock or Clock()
    fields = {name: options.pop(name) for name in tuple(options) if name in StreamPolicy.__dataclass_fields__}
    async with (gateway or GatewayDouble()).serving() as served, aiohttp.ClientSession() as session:
        client = StreamClient(
            Credential("app-key", SECRET),
            **{
                "session": session,
                "metrics": metrics,
                "endpoint": served.url,
                "policy": StreamPolicy(**fields),
                "now": lambda: NOW,
                "monotonic": clock.monotonic,
                "sleep": clock.sleep,
                "rng": random.Random(seed),
                **options,
            },
        )
        prepare(client)
        running = asyncio.create_task(client.run())
        stream = StreamFixture(client, served, metrics, clock, running)
        try:
            yield stream
        finally:
            await asyncio.wait_for(client.stop(grace=0.5), PATIENCE)
            await asyncio.wait({running}, timeout=PATIENCE)
        if not running.cancelled():
            running.result()


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds; it fails the test when it never does."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.002)


@dataclass
class Recorder:
    """A handler of ours that records what it gets, answers ``reply`` and can be held up."""

    reply: Any = None
    messages: list[Push] = field(default_factory=list)
    gate: asyncio.Event | None = None

    @classmethod
    def held(cls, reply: Any = None) -> Recorder:
        return cls(reply, gate=asyncio.Event())

    async def __call__(self, message: Push) -> Any:
        self.messages.append(message)
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def on(topic: str, handler: CallbackReceiver, **options: Any) -> Callable[[StreamClient], None]:
    """Return a ``prepare`` that registers one handler."""
    return lambda client: client.receive(topic, handler, **options)
