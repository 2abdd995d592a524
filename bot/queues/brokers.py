"""The address of a queue, and a FastStream connection for each kind of broker. They differ in how a message is kept
until it is acknowledged.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from bot.words.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAddress:
    """``url`` may hold a password and is not shown; its scheme is the kind of broker.

    ``name`` is the stream, queue, subject or topic. Readers of the same ``group`` share the messages, and ``reader``
    names one of them: on its return it gets the messages it left unacknowledged.
    """

    source: str
    url: str = field(repr=False)
    name: str
    group: str
    reader: str
    abandoned_after: float = 60.0
    """Seconds after which another reader takes over unacknowledged messages (only needed for Redis)."""

    @property
    def scheme(self) -> str:
        """Return the part of the address before ``://``, in lower case."""
        return self.url.partition("://")[0].lower()


MessageHandler = Callable[[bytes | list[Any]], Awaitable[None]]
"""Called with the body of one message or of several, which are acknowledged on return."""

BATCH = 100
"""Messages that share a commit if the broker delivers several at once."""

_AT_ONCE = 50
"""Messages processed concurrently if the broker delivers one by one; they share commits, too."""

_LOG = logging.getLogger("dingerp.queues")
"""FastStream's messages go through the bot's own log, which redacts addresses."""


@dataclass(frozen=True, slots=True)
class BrokerConnection:
    """A broker with its subscriptions, not connected yet; ``failures`` are the errors of a broker that cannot be
    reached.
    """

    broker: Any
    failures: tuple[type[Exception], ...]
    prepare: Callable[[], Awaitable[None]] | None = None
    """Runs between connecting and reading."""


def build_connection(address: QueueAddress, take: MessageHandler) -> BrokerConnection:
    """Return the connection to a queue; raises `ConfigurationError` for an unknown or uninstalled kind of broker."""
    make = _READERS.get(address.scheme)
    if make is None:
        kinds = ", ".join(f"{scheme}://" for scheme in _READERS)
        raise ConfigurationError(f"queue of {address.source}: the address must begin with one of {kinds}")
    try:
        return make(address, take)
    except ImportError as error:
        extra = QUEUE_EXTRAS[address.scheme]
        raise ConfigurationError(
            f"queue of {address.source}: {error.name} is missing; install dingerp[{extra}]"
        ) from None


async def _body(message: Any) -> Any:
    """Return a message undecoded: bodies that are not JSON must be kept, and numbers must not become floats."""
    return message.body


async def _entry(message: Any) -> Any:
    """Return the event in a Redis stream entry: FastStream's own field, or the only one."""
    fields = message.raw_message["data"]
    return message.body if len(fields) != 1 or b"__data__" in fields else next(iter(fields.values()))


def _redis(address: QueueAddress, take: MessageHandler) -> BrokerConnection:
    from faststream import AckPolicy
    from faststream.redis import RedisBroker, StreamSub
    from redis.exceptions import RedisError, ResponseError

    broker = RedisBroker(
        address.url, logger=_LOG, apply_types=False, decoder=_entry, ack_policy=AckPolicy.NACK_ON_ERROR
    )
    stream = partial(StreamSub, address.name, group=address.group, consumer=address.reader)
    new = stream(max_records=BATCH, polling_interval=1000)
    broker.subscriber(stream=new, max_workers=_AT_ONCE)(take)
    # Unacknowledged messages stay with their reader for ever, unless another one claims them.
    idle = int(address.abandoned_after * 1000)
    abandoned = stream(min_idle_time=idle, polling_interval=min(1000, idle))
    broker.subscriber(stream=abandoned, max_workers=_AT_ONCE)(take)

    async def prepare() -> None:
        # FastStream would create the group at the end of the stream and lose waiting messages.
        connection = await broker.connect()
        try:
            await connection.xgroup_create(address.name, address.group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    return BrokerConnection(broker, (RedisError, OSError), prepare)


def _rabbit(address: QueueAddress, take: MessageHandler) -> BrokerConnection:
    from aio_pika.exceptions import AMQPError
    from faststream import AckPolicy
    from faststream.rabbit import Channel, RabbitBroker, RabbitQueue

    broker = RabbitBroker(
        address.url,
        logger=_LOG,
        apply_types=False,
        decoder=_body,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        default_channel=Channel(prefetch_count=_AT_ONCE),
    )
    broker.subscriber(RabbitQueue(address.name, durable=True))(take)
    return BrokerConnection(broker, (AMQPError, OSError))


def _nats(address: QueueAddress, take: MessageHandler) -> BrokerConnection:
    from faststream import AckPolicy
    from faststream.nats import JStream, NatsBroker, PullSub
    from nats.errors import Error

    # JetStream, because plain NATS keeps nothing for an absent reader.
    broker = NatsBroker(address.url, logger=_LOG, apply_types=False, decoder=_body, ack_policy=AckPolicy.NACK_ON_ERROR)
    broker.subscriber(
        address.name,
        stream=JStream(address.group.replace(".", "_")),
        durable=f"{address.group}-{address.source}".replace(".", "_"),
        pull_sub=PullSub(batch_size=BATCH, timeout=1.0),
    )(take)
    return BrokerConnection(broker, (Error, OSError))


def _kafka(address: QueueAddress, take: MessageHandler) -> BrokerConnection:
    from aiokafka.errors import KafkaError
    from faststream import AckPolicy
    from faststream.kafka import KafkaBroker

    servers = address.url.partition("://")[2].split(",")
    broker = KafkaBroker(servers, logger=_LOG, apply_types=False, decoder=_body, ack_policy=AckPolicy.NACK_ON_ERROR)
    broker.subscriber(
        address.name, group_id=address.group, auto_offset_reset="earliest", batch=True, max_records=BATCH
    )(take)
    return BrokerConnection(broker, (KafkaError, OSError))


_READERS: Mapping[str, Callable[[QueueAddress, MessageHandler], BrokerConnection]] = MappingProxyType(
    {"redis": _redis, "rediss": _redis, "amqp": _rabbit, "amqps": _rabbit, "nats": _nats, "kafka": _kafka}
)
QUEUE_EXTRAS: Mapping[str, str] = MappingProxyType(
    {"redis": "redis", "rediss": "redis", "amqp": "rabbit", "amqps": "rabbit", "nats": "nats", "kafka": "kafka"}
)
"""The extra that each kind of broker needs."""
