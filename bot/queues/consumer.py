"""Consumes a queue: takes messages (one CloudEvent or an array of them), stores their events, and only then
acknowledges.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from bot.alerts.intake.json_codec import decode_json
from bot.alerts.intake.port import Intake, InvalidJson, UnreadableEvent, as_event
from bot.mechanisms.backoff import Backoff, BackoffPolicy
from bot.mechanisms.metrics import Metrics
from bot.queues.brokers import BrokerConnection, QueueAddress, build_connection
from bot.words.errors import DingerpError


def decode_events(body: bytes) -> list[Mapping[str, object] | UnreadableEvent]:
    """Return the events of one message, and an `UnreadableEvent` for anything else."""
    try:
        decoded = decode_json(body)
    except InvalidJson as error:
        return [UnreadableEvent(body.decode("utf-8", "backslashreplace"), error.detail)]
    events = decoded if isinstance(decoded, list) else [decoded]
    return [as_event(event) for event in events]


log = structlog.get_logger(__name__)

BACKOFF = BackoffPolicy(first=0.5, longest=30.0, spread=(0.5, 1.0))
"""Between two attempts to reach a broker, or to store a message."""

LOOK_EVERY = 15.0
"""Seconds between two checks whether the broker still answers."""


class QueueConsumer:
    """One queue of one source.

    A message that cannot be stored now is held, not rejected: the broker would only send it again at once. After a kill
    the broker resends unacknowledged messages, and events already stored are duplicates.
    """

    def __init__(
        self,
        address: QueueAddress,
        intake: Intake,
        *,
        metrics: Metrics,
        draw: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Create it unconnected; raises `ConfigurationError` for an invalid address.

        ``draw`` returns numbers from 0 to 1 for the jitter of pauses.
        """
        self._address = address
        self._intake = intake
        self._up = metrics.queue_up.labels(address.source)
        self._errors = metrics.errors
        self._draw = draw
        self._sleep = sleep
        self._make()

    async def run(self) -> None:
        """Read until cancelled; if the broker goes away, wait for it, with short pauses again once it was reached."""
        backoff = Backoff(BACKOFF, self._draw)
        while True:
            reader = self._make()
            try:
                await self._open(reader)
                backoff.succeeded()
                await self._watch(reader)
                log.warning("queue.lost", source=self._address.source)
            except reader.failures as error:
                self._errors.labels("queues", type(error).__name__).inc()
                log.warning("queue.not_reached", source=self._address.source, error=type(error).__name__)
            finally:
                self._up.set(0)
                await reader.broker.stop()
            await self._sleep(backoff.failed())

    def _make(self) -> BrokerConnection:
        return build_connection(self._address, self.take)

    async def _open(self, reader: BrokerConnection) -> None:
        if reader.prepare is not None:
            await reader.prepare()
        await reader.broker.start()
        _end_if_asked()
        self._up.set(1)
        log.info("queue.reading", source=self._address.source, queue=self._address.name)

    async def _watch(self, reader: BrokerConnection) -> None:
        """Return when the broker is lost: its client reconnects on its own, but not after every failure."""
        while await reader.broker.ping(timeout=5) and all(each.running for each in reader.broker.subscribers):
            _end_if_asked()
            await self._sleep(LOOK_EVERY)
        _end_if_asked()

    async def take(self, body: bytes | list[Any]) -> None:
        """Store the events of one message or of several; return after the commit, however long that takes."""
        bodies = body if isinstance(body, list) else [body]
        events = [event for message in bodies for event in decode_events(message)]
        backoff = Backoff(BACKOFF, self._draw)
        while True:
            try:
                await self._intake.accept(self._address.source, events, via="queue")
            except DingerpError as error:
                self._errors.labels("queues", type(error).__name__).inc()
                log.warning("queue.not_stored", source=self._address.source, events=len(events), error=error.detail)
                await self._sleep(max(backoff.failed(), error.retry_after or 0.0))
            else:
                return


def _end_if_asked() -> None:
    """Raise a cancellation that a client swallowed (seen with redis-py 8.1, during the first ping)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
