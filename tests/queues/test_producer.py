"""Brokers that are away, and addresses that are none; `tests.queues.test_brokers` has real ones."""

from __future__ import annotations

from unittest.mock import AsyncMock, MagicMock

import aio_pika
import pytest
from aio_pika.exceptions import ChannelInvalidStateError

from bot.outbox.receiver_lane import EventMessage, EventNotTaken
from bot.queues.producer import QueueSender
from bot.words.errors import ConfigurationError

EVENT = EventMessage("e1", b"{}", "alerts/1")


@pytest.mark.parametrize("scheme", ["redis", "amqp", "nats", "kafka"])
async def test_a_broker_that_is_away_is_tried_anew_and_its_address_is_not_told(scheme: str) -> None:
    sender = QueueSender(f"{scheme}://127.0.0.1:1", "events", timeout=0.5)
    for _ in range(2):
        with pytest.raises(EventNotTaken, match="not reached: ") as told:
            await sender.send("flow", EVENT)
        assert "127.0.0.1" not in str(told.value)
    await sender.close()


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        # What RabbitMQ's client raises once it has seen that its connection is lost.
        pytest.param(ChannelInvalidStateError("closed"), EventNotTaken, id="a lost connection"),
        pytest.param(ZeroDivisionError(), ZeroDivisionError, id="a defect"),
    ],
)
async def test_a_connection_that_failed_is_not_used_again(
    raised: Exception, told: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, whole = _connection(raised), _connection(None)
    monkeypatch.setattr(aio_pika, "connect", AsyncMock(side_effect=[lost, whole]))
    sender = QueueSender("amqp://127.0.0.1", "events", timeout=5.0)
    with pytest.raises(told):
        await sender.send("flow", EVENT)
    lost.__aexit__.assert_awaited_once()
    await sender.send("flow", EVENT)
    await sender.close()
    whole.__aexit__.assert_awaited_once()


def _connection(raised: Exception | None) -> MagicMock:
    connection = MagicMock()
    connection.__aenter__ = AsyncMock(return_value=connection)
    connection.__aexit__ = AsyncMock(return_value=None)
    connection.channel = AsyncMock()
    connection.channel.return_value.default_exchange.publish = AsyncMock(side_effect=raised)
    return connection


def test_an_unknown_kind_of_broker() -> None:
    with pytest.raises(ConfigurationError, match="redis://, rediss://, amqp://, amqps://, nats://, kafka://"):
        QueueSender("mqtt://127.0.0.1", "events", timeout=5.0)
