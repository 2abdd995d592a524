"""Against real brokers: waiting events are read, repeats are recognised, a killed process loses nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest
from sqlalchemy import func, select
from yarl import URL

from bot.alerts.intake.port import EventState
from bot.mechanisms.metrics import Metrics
from bot.outbox.receiver_lane import EventMessage, EventNotTaken
from bot.queues.consumer import QueueConsumer
from bot.queues.producer import QueueSender
from bot.store.database import Database
from bot.store.tables import EVENT
from tests.queues import broker_servers
from tests.queues.fakes import NAME, RememberingIntake, address, event
from tests.scenario.broken_database import relayed
from tests.scenario.processes import at_work
from tests.scenario.traffic import LONGEST_WAIT

EVENTS = 2100


def needs(program: str) -> pytest.MarkDecorator:
    """Return the mark for tests of a broker that may not be installed; the other tests still run."""
    return pytest.mark.skipif(program in broker_servers.missing(), reason=f"not installed here: {program}")


async def refused(url: str, name: str) -> None:
    """Expect that an event for a queue that nobody made is not taken, and that the address is not told."""
    sender = QueueSender(url, name, timeout=LONGEST_WAIT)
    with pytest.raises(EventNotTaken) as told:
        await sender.send("flow", EventMessage("e1", b"{}"))
    await sender.close()
    assert url not in str(told.value)


Publish = Callable[[bytes], Awaitable[None]]


@asynccontextmanager
async def reading(reader: QueueConsumer) -> AsyncIterator[None]:
    task = asyncio.create_task(reader.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))


class ServerSuite:
    """What holds for every real broker; a subclass names the broker."""

    server: ClassVar[Callable[[], AbstractContextManager[str]]]

    @pytest.fixture(scope="class")
    @classmethod
    def url(cls) -> Iterator[str]:
        with cls.server() as url:
            yield url

    async def open(self, url: str, stack: AsyncExitStack) -> Publish:
        """Empty the queue and return a way to write to it, as an ERP that knows nothing of the bot does."""
        raise NotImplementedError

    @pytest.fixture
    async def publish(self, url: str) -> AsyncIterator[Publish]:
        async with AsyncExitStack() as stack:
            yield await self.open(url, stack)

    async def test_what_waited_before_the_first_start_is_read(self, url: str, publish: Publish) -> None:
        await publish(orjson.dumps([event(1), event(2)]))
        intake = RememberingIntake()
        async with reading(QueueConsumer(address(url), intake, metrics=Metrics())):
            await intake.until(2)
            await publish(orjson.dumps(event(3)))
            await intake.until(3)
        assert intake.ids == ["e1", "e2", "e3"]

    async def test_what_was_acknowledged_does_not_come_again(self, url: str, publish: Publish) -> None:
        first, second = RememberingIntake(), RememberingIntake()
        await publish(orjson.dumps(event(1)))
        async with reading(QueueConsumer(address(url), first, metrics=Metrics())):
            await first.until(1)
        async with reading(QueueConsumer(address(url), second, metrics=Metrics())):
            await publish(orjson.dumps(event(2)))
            await second.until(1)
        assert second.ids == ["e2"]

    async def test_what_is_written_is_read_whole_and_once_also_over_a_new_connection(
        self, url: str, publish: Publish
    ) -> None:
        sender, intake = QueueSender(url, NAME, timeout=LONGEST_WAIT), RememberingIntake()
        async with reading(QueueConsumer(address(url), intake, metrics=Metrics())):
            for number in (1, 2, 3):
                await sender.send("flow", EventMessage(f"e{number}", orjson.dumps(event(number)), "alerts/1"))
                if number == 2:
                    await sender.close()
            await intake.until(3)
        await sender.close()
        assert intake.events == [event(1), event(2), event(3)]

    async def test_a_connection_that_was_cut_is_made_anew(self, url: str, publish: Publish) -> None:
        intake = RememberingIntake()
        async with relayed(URL(url).port or 0) as relay:
            sender = QueueSender(str(URL(url).with_port(relay.port)), NAME, timeout=LONGEST_WAIT)
            await sender.send("flow", EventMessage("cut-1", orjson.dumps(event(1))))
            relay.cut()
            for _ in range(2):
                with pytest.raises(EventNotTaken, match="not reached: "):
                    await sender.send("flow", EventMessage("cut-2", orjson.dumps(event(2))))
            await relay.open()
            await sender.send("flow", EventMessage("cut-2", orjson.dumps(event(2))))
            await sender.close()
        async with reading(QueueConsumer(address(url), intake, metrics=Metrics())):
            await intake.until(2)
        assert intake.ids == ["e1", "e2"]

    @pytest.mark.process
    @pytest.mark.parametrize("kills", [pytest.param(2, id="two"), pytest.param(5, id="five", marks=pytest.mark.soak)])
    async def test_killed_readers_lose_and_double_nothing(
        self, url: str, publish: Publish, tmp_path: Path, kills: int
    ) -> None:
        """Events in messages of seven, each message sent twice, while one reader after the other is killed."""
        database = Database(f"sqlite:///{tmp_path / 'bot.sqlite3'}")
        await database.migrate()
        messages = [
            orjson.dumps([event(number) for number in range(start, start + 7)]) for start in range(0, EVENTS, 7)
        ]
        for message in (*messages, *messages):
            await publish(message)
        rng, killed = random.Random(7), 0
        async with asyncio.timeout(LONGEST_WAIT):
            while await self._kept(database) < EVENTS:
                reader = f"reader{killed % 2}"
                async with at_work(
                    "tests.queues.consumer_process", url, str(tmp_path), reader, folder=tmp_path
                ) as consumer:
                    before = await self._kept(database)
                    # The last readers may run until all is read; the first ones die before that.
                    enough = EVENTS if killed >= kills else min(EVENTS, before + rng.randrange(1, 300))
                    while consumer.process.returncode is None and await self._kept(database) < enough:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                    await consumer.kill()
                killed += 1
        assert killed > 1, "nobody was killed in the middle"
        rows = await database.run(lambda connection: connection.execute(select(EVENT.c.event_id, EVENT.c.state)).all())
        await database.close()
        assert sorted(row.event_id for row in rows) == sorted(f"e{number}" for number in range(EVENTS))
        assert {row.state for row in rows} == {EventState.WAITING}

    @staticmethod
    async def _kept(database: Database) -> int:
        return await database.run(lambda connection: connection.scalar(select(func.count()).select_from(EVENT)) or 0)


@needs("redis-server")
class TestRedis(ServerSuite):
    server = staticmethod(broker_servers.redis)

    async def open(self, url: str, stack: AsyncExitStack) -> Publish:
        from redis.asyncio import Redis

        client: Any = await stack.enter_async_context(Redis.from_url(url))
        await client.delete(NAME)

        async def publish(body: bytes) -> None:
            await client.xadd(NAME, {"event": body})

        return publish


@needs("rabbitmq-server")
class TestRabbit(ServerSuite):
    server = staticmethod(broker_servers.rabbit)

    async def open(self, url: str, stack: AsyncExitStack) -> Publish:
        import aio_pika

        connection = await stack.enter_async_context(await aio_pika.connect(url))
        channel = await connection.channel()
        queue = await channel.declare_queue(NAME, durable=True)
        await queue.purge()

        async def publish(body: bytes) -> None:
            message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, routing_key=NAME)

        return publish

    async def test_a_queue_that_does_not_exist(self, url: str) -> None:
        await refused(url, "nowhere")


@needs("nats-server")
class TestNats(ServerSuite):
    server = staticmethod(broker_servers.nats)

    async def open(self, url: str, stack: AsyncExitStack) -> Publish:
        import nats

        client = await nats.connect(url)
        stack.push_async_callback(client.close)
        stream = client.jetstream()
        await stream.add_stream(name="dingerp", subjects=[NAME])
        await stream.purge_stream("dingerp")

        async def publish(body: bytes) -> None:
            await stream.publish(NAME, body)

        return publish

    async def test_a_subject_of_no_stream(self, url: str) -> None:
        await refused(url, "nowhere")

    async def test_an_event_that_is_sent_again_is_kept_once(self, url: str, publish: Publish) -> None:
        sender, intake = QueueSender(url, NAME, timeout=LONGEST_WAIT), RememberingIntake()
        for number in (7, 7, 8):
            await sender.send("flow", EventMessage(f"once-{number}", orjson.dumps(event(number))))
        await sender.close()
        async with reading(QueueConsumer(address(url), intake, metrics=Metrics())):
            await intake.until(2)
        assert intake.ids == ["e7", "e8"]
