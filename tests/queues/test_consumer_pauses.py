"""How long a reader waits before it tries again, with a broker that comes and goes as scripted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.mechanisms.metrics import Metrics
from bot.queues import consumer
from bot.queues.brokers import BrokerConnection
from bot.queues.consumer import BACKOFF, LOOK_EVERY, QueueConsumer
from bot.words.errors import DingerpError
from tests.queues.fakes import RememberingIntake, address, event


class Script:
    """The broker's behaviour at each connection.

    ``x`` refuses it, ``!`` breaks it at the first check, and a number answers so many checks before the broker is gone.
    """

    def __init__(self, *steps: str | int) -> None:
        self._steps: Iterator[str | int] = iter(steps)
        self._left = 0
        self.stopped = 0
        self.subscribers = [SimpleNamespace(running=True)]

    async def start(self) -> None:
        step = next(self._steps, None)
        if step is None:
            raise asyncio.CancelledError
        if step == "x":
            raise ConnectionRefusedError
        self._left = -1 if step == "!" else int(step)

    async def ping(self, timeout: float) -> bool:
        if self._left < 0:
            raise ConnectionResetError
        self._left -= 1
        return self._left >= 0

    async def stop(self) -> None:
        self.stopped += 1


def reader_of(
    script: Script, monkeypatch: pytest.MonkeyPatch, metrics: Metrics | None = None
) -> tuple[QueueConsumer, list[float]]:
    """Return a reader of a scripted broker, and the list of its pauses."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(consumer, "build_connection", lambda place, take: BrokerConnection(script, (OSError,)))
    reader = QueueConsumer(
        address("redis://localhost:1"),
        RememberingIntake(),
        metrics=metrics or Metrics(),
        draw=lambda: 1.0,
        sleep=sleep,
    )
    return reader, pauses


@pytest.mark.parametrize(
    ("steps", "pauses"),
    [
        ("xxxx", [0.5, 1.0, 2.0, 4.0]),
        ("xxx0x", [0.5, 1.0, 2.0, 0.5, 1.0]),
        ("000", [0.5, 0.5, 0.5]),
        ("xx!x!!", [0.5, 1.0, 0.5, 1.0, 0.5, 0.5]),
        ("xx2xx", [0.5, 1.0, LOOK_EVERY, LOOK_EVERY, 0.5, 1.0, 2.0]),
        ("x" * 8, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, BACKOFF.longest, BACKOFF.longest]),
    ],
)
async def test_pauses_grow_while_the_broker_is_away_and_begin_anew_when_it_was_there(
    steps: str, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(*steps)
    reader, made = reader_of(script, monkeypatch)
    with pytest.raises(asyncio.CancelledError):
        await reader.run()
    assert made == pauses
    assert script.stopped == len(steps) + 1, "each connection is given back"


async def test_a_subscription_that_ended_is_a_broker_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(9)
    script.subscribers.append(SimpleNamespace(running=False))
    reader, made = reader_of(script, monkeypatch)
    with pytest.raises(asyncio.CancelledError):
        await reader.run()
    assert made == [0.5]


async def test_a_broker_that_is_away_for_days_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, made = reader_of(Script(*"x" * 3000), monkeypatch)
    with capture_logs(), pytest.raises(asyncio.CancelledError):
        await reader.run()
    assert len(made) == 3000
    assert set(made[6:]) == {BACKOFF.longest}


async def test_whether_it_reads_can_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, seen = Metrics(), []
    script = Script("x", 1)

    class Watching:
        def __getattr__(self, name: str) -> Any:
            return getattr(script, name)

        async def ping(self, timeout: float) -> bool:
            seen.append(value("dingerp_queue_up", source="main"))
            return await script.ping(timeout)

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    reader, _ = reader_of(script, monkeypatch, metrics)
    monkeypatch.setattr(consumer, "build_connection", lambda place, take: BrokerConnection(Watching(), (OSError,)))
    with pytest.raises(asyncio.CancelledError):
        await reader.run()
    assert (seen, value("dingerp_queue_up", source="main")) == ([1.0, 1.0], 0.0)
    assert value("dingerp_errors_total", room="queues", error="ConnectionRefusedError") == 1.0


class Away(DingerpError):
    """The database does not answer; the error says for how long."""


async def test_each_message_that_cannot_be_stored_begins_with_a_short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, made = reader_of(Script(), monkeypatch)
    intake = reader._intake
    assert isinstance(intake, RememberingIntake)
    for number in (1, 2):
        intake.failures = 3
        await reader.take(b'{"id": "e%d"}' % number)
    assert intake.ids == ["e1", "e2"]
    assert made == [0.5, 1.0, 2.0, 0.5, 1.0, 2.0]


async def test_what_the_database_asks_for_is_waited_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, made = reader_of(Script(), monkeypatch)
    waits = [20.0, 0.1, None]

    class Busy:
        async def accept(self, source: str, events: Any, *, via: str) -> None:
            if waits:
                raise Away("away", retry_after=waits.pop(0))

    reader._intake = Busy()  # type: ignore[assignment]
    await reader.take(b"{}")
    assert made == [20.0, 1.0, 2.0]


async def test_a_database_that_is_away_for_days_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, made = reader_of(Script(), monkeypatch)
    assert isinstance(reader._intake, RememberingIntake)
    reader._intake.failures = 3000
    with capture_logs():
        await reader.take(b'{"id": "e1"}')
    assert (len(made), made[-1], reader._intake.ids) == (3000, BACKOFF.longest, [event(1)["id"]])
