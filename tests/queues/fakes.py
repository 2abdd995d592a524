"""Shared by the tests of queues: addresses, events, an intake in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.alerts.intake.port import IntakeOutcome, UnreadableEvent
from bot.queues.brokers import QueueAddress
from bot.words.errors import DingerpError

NAME = "erp-events"


class Away(DingerpError):
    """The database does not answer."""


class RememberingIntake:
    """Stores the events it gets; the first ``failures`` calls fail as if the database were down."""

    def __init__(self, failures: int = 0) -> None:
        self.events: list[Mapping[str, object] | UnreadableEvent] = []
        self.failures = failures
        self._came = asyncio.Condition()

    async def accept(
        self, source: str, events: Sequence[Mapping[str, object] | UnreadableEvent], *, via: str
    ) -> IntakeOutcome:
        assert (source, via) == ("main", "queue")
        if self.failures:
            self.failures -= 1
            raise Away("away")
        async with self._came:
            self.events += events
            self._came.notify_all()
        return IntakeOutcome(accepted=len(events), duplicate=0)

    async def until(self, count: int, *, timeout: float = 20.0) -> None:
        """Wait until so many events have come in."""
        async with asyncio.timeout(timeout), self._came:
            await self._came.wait_for(lambda: len(self.events) >= count)

    @property
    def ids(self) -> list[object]:
        return [event["id"] for event in self.events if isinstance(event, Mapping)]


def address(url: str, *, reader: str = "one", abandoned_after: float = 60.0) -> QueueAddress:
    """Return the place of the source ``main``'s events."""
    return QueueAddress(
        source="main", url=url, name=NAME, group="dingerp", reader=reader, abandoned_after=abandoned_after
    )


def event(number: int) -> dict[str, Any]:
    """Return a CloudEvent."""
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "/erp/main",
        "type": "stock.low",
        "subject": f"SKU{number}",
        "data": {"available": "3", "reorder_point": "10"},
    }
