"""Hands events over to a message broker: one is taken once the broker has confirmed that it keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import structlog

from bot.outbox.receiver_lane import EVENT_MEDIA, EventMessage, EventNotTaken
from bot.queues.brokers import QUEUE_EXTRAS
from bot.words.errors import ConfigurationError

log = structlog.get_logger(__name__)

_CLOSED_WITHIN = 5.0
"""Seconds."""

_Put: TypeAlias = Callable[[EventMessage], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class _Writer:
    """A kind of broker: how to connect, and what it raises."""

    open: Callable[[str, str, AsyncExitStack], Awaitable[_Put]]
    """Takes the address, the name of the stream, queue, subject or topic, and a stack that ends the connection."""
    failures: tuple[type[Exception], ...]


class QueueSender:
    """A `bot.outbox.receiver_lane.EventSender` for one receiver: it connects with its first event, and anew after a
    failure.
    """

    def __init__(self, url: str, name: str, *, timeout: float) -> None:
        """``url`` may hold a password; ``timeout`` are the seconds of one event, connecting included.

        Raises `ConfigurationError` for an unknown or uninstalled kind of broker.
        """
        self._url, self._name, self._timeout = url, name, timeout
        self._writer = _writer(url.partition("://")[0].lower())
        self._failures: tuple[type[Exception], ...] = (*self._writer.failures, OSError, TimeoutError)
        self._connecting = asyncio.Lock()
        self._connection: tuple[_Put, AsyncExitStack] | None = None

    async def send(self, receiver: str, message: EventMessage) -> None:
        """Write an event and wait for the broker's word. Raises `EventNotTaken`."""
        try:
            async with asyncio.timeout(self._timeout):
                await (await self._connected())(message)
        except Exception as error:
            # Whatever it was, what is left of the connection is not used again.
            await self.close()
            if not isinstance(error, self._failures):
                raise
            # The text of such an error may hold the address.
            raise EventNotTaken(f"not reached: {type(error).__name__}") from None

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            async with asyncio.timeout(_CLOSED_WITHIN):
                await connection[1].aclose()
        except self._failures as error:
            log.info("queue.not_closed", error=type(error).__name__)

    async def _connected(self) -> _Put:
        async with self._connecting:
            if self._connection is None:
                async with AsyncExitStack() as stack:
                    put = await self._writer.open(self._url, self._name, stack)
                    self._connection = put, stack.pop_all()
            return self._connection[0]


def _writer(scheme: str) -> _Writer:
    make = _WRITERS.get(scheme)
    if make is None:
        kinds = ", ".join(f"{each}://" for each in _WRITERS)
        raise ConfigurationError(f"it is no https:// address, and a broker's begins with one of {kinds}")
    try:
        return make()
    except ImportError as error:
        raise ConfigurationError(f"{error.name} is missing; install dingerp[{QUEUE_EXTRAS[scheme]}]") from None


def _redis() -> _Writer:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    async def connect(url: str, name: str, stack: AsyncExitStack) -> _Put:
        client: Redis = await stack.enter_async_context(Redis.from_url(url))
        return lambda message: client.xadd(name, {"event": message.body})

    return _Writer(connect, (RedisError,))


def _rabbit() -> _Writer:
    import aio_pika
    from aio_pika.exceptions import AMQPError, ChannelInvalidStateError

    async def connect(url: str, name: str, stack: AsyncExitStack) -> _Put:
        connection = await stack.enter_async_context(await aio_pika.connect(url))
        # An event for a queue that does not exist comes back.
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)

        def put(message: EventMessage) -> Awaitable[object]:
            mode = aio_pika.DeliveryMode.PERSISTENT
            letter = aio_pika.Message(message.body, content_type=EVENT_MEDIA, message_id=message.id, delivery_mode=mode)
            return channel.default_exchange.publish(letter, routing_key=name, mandatory=True)

        return put

    return _Writer(connect, (AMQPError, ChannelInvalidStateError))


def _nats() -> _Writer:
    from nats.aio.client import Client
    from nats.errors import Error

    async def connect(url: str, name: str, stack: AsyncExitStack) -> _Put:
        client = Client()
        # Also when connecting fails midway, which leaves a socket open.
        stack.push_async_callback(client.close)
        # One try: the receiver's lane knows when to try again.
        await client.connect(url, allow_reconnect=False, max_reconnect_attempts=1, error_cb=_told_by_the_call)
        stream = client.jetstream()

        def put(message: EventMessage) -> Awaitable[object]:
            # JetStream drops what it has by this id.
            return stream.publish(name, message.body, headers={"Nats-Msg-Id": message.id, "Content-Type": EVENT_MEDIA})

        return put

    return _Writer(connect, (Error,))


async def _told_by_the_call(error: Exception) -> None:
    """Take what NATS would log with its traceback: the call that waits ends with it, and that is logged once."""


def _kafka() -> _Writer:
    from aiokafka import AIOKafkaProducer
    from aiokafka.errors import KafkaError

    async def connect(url: str, name: str, stack: AsyncExitStack) -> _Put:
        servers = url.partition("://")[2].split(",")
        producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", enable_idempotence=True)
        stack.push_async_callback(producer.stop)
        await producer.start()

        async def put(message: EventMessage) -> None:
            headers = [("id", message.id.encode()), ("content-type", EVENT_MEDIA.encode())]
            # What is about one subject comes to one partition, which keeps its order.
            await producer.send_and_wait(name, message.body, key=message.subject.encode(), headers=headers)

        return put

    return _Writer(connect, (KafkaError,))


_WRITERS: Mapping[str, Callable[[], _Writer]] = MappingProxyType(
    {"redis": _redis, "rediss": _redis, "amqp": _rabbit, "amqps": _rabbit, "nats": _nats, "kafka": _kafka}
)
