"""Brokers that are away, and addresses that are none; `tests.queues.test_brokers` has real ones."""

from __future__ import annotations

import pytest

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


def test_an_unknown_kind_of_broker() -> None:
    with pytest.raises(ConfigurationError, match="redis://, rediss://, amqp://, amqps://, nats://, kafka://"):
        QueueSender("mqtt://127.0.0.1", "events", timeout=5.0)
