"""One suite for the handlers of all four brokers, on FastStream's in-memory brokers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any, ClassVar

import orjson
import pytest
from faststream.kafka import TestKafkaBroker
from faststream.nats import TestNatsBroker
from faststream.rabbit import TestRabbitBroker
from faststream.redis import TestRedisBroker

from bot.alerts.intake.port import UnreadableEvent
from bot.mechanisms.metrics import Metrics
from bot.queues import consumer
from bot.queues.brokers import BrokerConnection, build_connection
from bot.queues.consumer import QueueConsumer
from bot.words.errors import ConfigurationError
from tests.queues.fakes import NAME, RememberingIntake, address, event

for broker_class in (TestKafkaBroker, TestNatsBroker, TestRabbitBroker, TestRedisBroker):
    broker_class.__test__ = False  # type: ignore[union-attr]  # their names would have pytest collect them


async def _at_once(_seconds: float) -> None:
    """Replaces a pause."""


class HandlerSuite:
    """What holds for every broker; a subclass names the broker."""

    url: ClassVar[str]
    test_broker: ClassVar[type[AbstractAsyncContextManager[Any]]]
    destination: ClassVar[str]
    """The keyword of ``publish`` that names the queue."""
    group: ClassVar[dict[str, Any]] = {}

    @pytest.fixture
    def intake(self) -> RememberingIntake:
        return RememberingIntake()

    @pytest.fixture
    async def broker(self, intake: RememberingIntake) -> AsyncIterator[Any]:
        place = address(self.url)
        reader = QueueConsumer(place, intake, metrics=Metrics(), sleep=_at_once)
        async with self.test_broker(build_connection(place, reader.take).broker) as broker:
            yield broker

    async def _publish(self, broker: Any, body: bytes) -> None:
        await broker.publish(body, **{self.destination: NAME}, **self.group)

    async def test_one_event(self, broker: Any, intake: RememberingIntake) -> None:
        await self._publish(broker, orjson.dumps(event(1)))
        assert intake.events == [event(1)]

    async def test_an_array_of_events(self, broker: Any, intake: RememberingIntake) -> None:
        await self._publish(broker, orjson.dumps([event(1), event(2)]))
        assert intake.ids == ["e1", "e2"]

    async def test_amounts_stay_exact(self, broker: Any, intake: RememberingIntake) -> None:
        await self._publish(broker, b'{"id": "e1", "data": {"amount": 12345678901234.56789}}')
        (one,) = intake.events
        assert one["data"]["amount"] == Decimal("12345678901234.56789")  # type: ignore[index,call-overload]

    async def test_what_is_no_json_is_kept_with_its_reason(self, broker: Any, intake: RememberingIntake) -> None:
        await self._publish(broker, b"{broken")
        (one,) = intake.events
        assert isinstance(one, UnreadableEvent)
        assert one.raw == "{broken"
        assert "no JSON" in one.reason

    async def test_what_is_no_object_is_kept_beside_what_is_one(self, broker: Any, intake: RememberingIntake) -> None:
        await self._publish(broker, orjson.dumps([event(1), 7]))
        assert intake.events == [event(1), UnreadableEvent(7, "not a JSON object")]

    async def test_bytes_that_are_no_text_are_kept(self, broker: Any, intake: RememberingIntake) -> None:
        await self._publish(broker, b"\xff\xfe{}")
        (one,) = intake.events
        assert isinstance(one, UnreadableEvent)
        assert "UTF-8" in one.reason

    async def test_a_message_is_held_until_the_database_is_back(self, broker: Any, intake: RememberingIntake) -> None:
        intake.failures = 3
        await self._publish(broker, orjson.dumps(event(1)))
        assert intake.ids == ["e1"]
        assert intake.failures == 0


class TestRedisHandlers(HandlerSuite):
    url = "redis://localhost:1"
    test_broker = TestRedisBroker
    destination = "stream"


class TestRabbitHandlers(HandlerSuite):
    url = "amqp://localhost:1"
    test_broker = TestRabbitBroker
    destination = "queue"


class TestNatsHandlers(HandlerSuite):
    url = "nats://localhost:1"
    test_broker = TestNatsBroker
    destination = "subject"
    group: ClassVar[dict[str, Any]] = {"stream": "dingerp"}


class TestKafkaHandlers(HandlerSuite):
    url = "kafka://localhost:1"
    test_broker = TestKafkaBroker
    destination = "topic"


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "", "mqtt://localhost"])
def test_another_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        QueueConsumer(address(url), RememberingIntake(), metrics=Metrics())
    assert "redis://" in caught.value.detail
    assert not url or url not in caught.value.detail


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(address("redis://:hunter2@localhost"))


class UnsteadyBroker:
    """Unreachable as often as ``reached`` says; once reached, it is gone at the first check."""

    subscribers = ()

    def __init__(self, reached: list[bool]) -> None:
        self._reached = reached

    async def start(self) -> None:
        if not self._reached:
            raise asyncio.CancelledError
        if not self._reached.pop(0):
            raise ConnectionError

    async def ping(self, timeout: float) -> bool:
        return False

    async def stop(self) -> None:
        pass


async def test_pauses_grow_while_a_broker_is_away_and_are_short_again_once_it_was_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker, pauses = UnsteadyBroker([False, False, False, True, False]), []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(consumer, "build_connection", lambda *_: BrokerConnection(broker, (ConnectionError,)))
    reader = QueueConsumer(
        address("redis://localhost:1"), RememberingIntake(), metrics=Metrics(), draw=lambda: 1.0, sleep=sleep
    )

    with pytest.raises(asyncio.CancelledError):
        await reader.run()
    assert pauses == [0.5, 1.0, 2.0, 0.5, 1.0]
