"""A storm of events over webhook, and its senders.

Every event of an alert reports a different figure, so a card's figure tells which event it shows.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp
import orjson

from bot.kit.simulator.chat import SimConversation
from bot.kit.simulator.config import utc_now
from bot.kit.simulator.engine import SimEngine
from tests.alerts.intake.signed_requests import SECRET, sign

SOURCE = "storm"
"""Name of the hook; by these rules the polled ERP's own alerts go nowhere."""

_ENOUGH = 10_000
"""The reorder point: figures from here on mean that the shortage is over."""

_PATIENCE = aiohttp.ClientTimeout(total=10)
_AGAIN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """``rounds`` events for each alert, spread over ``groups``; in the last round every fifth alert ends."""

    alerts: int
    rounds: int
    groups: int
    began: datetime = field(default_factory=lambda: utc_now() - timedelta(seconds=60))

    @property
    def events(self) -> int:
        """The number of events."""
        return self.alerts * self.rounds

    @property
    def group_ids(self) -> list[str]:
        """The conversations that get the cards."""
        return [f"cidStorm{number:04d}/+==" for number in range(self.groups)]

    def group_of(self, correlation: int) -> str:
        """Return an alert's conversation."""
        return self.group_ids[correlation % self.groups]

    def ends(self, correlation: int) -> bool:
        """Whether the alert's last event resolves it."""
        return self.rounds > 1 and correlation % 5 == 0

    def reported(self, correlation: int) -> int:
        """Return how often an alert is reported to be open."""
        return self.rounds - self.ends(correlation)

    def figure(self, correlation: int, turn: int) -> int:
        """Return the figure that an event reports; it grows from event to event."""
        return turn + (_ENOUGH if turn == self.rounds - 1 and self.ends(correlation) else 0)

    def last(self, correlation: int) -> int:
        """Return the figure that an alert's card has to show in the end."""
        return self.figure(correlation, self.rounds - 1)

    def event(self, correlation: int, turn: int) -> dict[str, Any]:
        """Return one event."""
        return {
            "specversion": "1.0",
            "id": f"m{correlation}-t{turn}",
            "source": "/storm",
            "type": "stock.low",
            "subject": sku(correlation),
            "time": (self.began + timedelta(milliseconds=turn * self.alerts + correlation)).isoformat(),
            "data": {
                "name": "内六角螺丝 M6×20",
                "warehouse": f"W{correlation % self.groups}",
                "available": str(self.figure(correlation, turn)),
                "reorder_point": str(_ENOUGH),
                "unit": "个",
            },
        }

    def batches(self, senders: int, size: int) -> Iterator[list[list[dict[str, Any]]]]:
        """Return each sender's requests in order; no alert is shared between senders."""
        for sender in range(senders):
            own = range(sender, self.alerts, senders)
            events = [self.event(correlation, turn) for turn in range(self.rounds) for correlation in own]
            yield [events[start : start + size] for start in range(0, len(events), size)]

    def rules(self, folder: Path) -> Path:
        """Write alert rules that give each warehouse its group, and return the file."""
        owners = "".join(f'W{number} = "group:{group}"\n' for number, group in enumerate(self.group_ids))
        route = f'[[routes]]\nname = "storm"\nsources = ["{SOURCE}"]\nto = ["owner"]\n'
        file = folder / "storm.toml"
        file.write_text(f"[default]\nto = []\n\n[owners]\n{owners}\n{route}", "utf-8")
        return file

    def open_groups(self, engine: SimEngine) -> None:
        """Open the conversations in the simulated DingTalk."""
        for group in self.group_ids:
            members = ("keeper01",)
            engine.chat.conversations[group] = SimConversation(group, "group", group, members, deque(maxlen=200))


def sku(correlation: int) -> str:
    """Return an alert's product."""
    return f"STORM{correlation:05d}"


def hook(rules: Path) -> dict[str, str]:
    """Return the variables with which ``dingerp run`` accepts the storm."""
    return {f"DINGERP_HOOKS__{SOURCE.upper()}__SECRET": SECRET, "DINGERP_ALERTS__RULES": str(rules)}


@dataclass(slots=True)
class Senders:
    """Post every request until it gets a 202, as real senders do; a failed request is sent again, to the next port."""

    ports: Sequence[int]
    now: Callable[[], datetime] = utc_now
    pause: float = 0.0
    """Pause of each sender between two requests."""
    share: float = 1.0
    """The share of the storm that may have been sent so far."""
    durations: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    receipts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    first_sent: dict[str, float] = field(default_factory=dict)
    """When the event was sent for the first time, by `time.perf_counter`."""

    async def send(self, batches: Iterable[list[list[dict[str, Any]]]]) -> None:
        """Send everything; each sender waits for an answer before its next request."""
        began = perf_counter()
        async with aiohttp.ClientSession(timeout=_PATIENCE) as client, asyncio.TaskGroup() as group:
            for number, requests in enumerate(batches):
                group.create_task(self._send_requests(client, requests, number))
        self.seconds = perf_counter() - began

    async def post(self, client: aiohttp.ClientSession, events: Sequence[Mapping[str, Any]], first: int = 0) -> None:
        """Post one request until it is accepted."""
        body = orjson.dumps(events if len(events) > 1 else events[0])
        for event in events:
            self.first_sent.setdefault(event["id"], perf_counter())
        attempt = first
        while not await self._accepted(client, body, self.ports[attempt % len(self.ports)]):
            attempt += 1
            await asyncio.sleep(_AGAIN)

    async def _send_requests(
        self, client: aiohttp.ClientSession, requests: list[list[dict[str, Any]]], number: int
    ) -> None:
        for turn, events in enumerate(requests):
            while turn >= self.share * len(requests):  # noqa: ASYNC110 - the test sets the share without an event
                await asyncio.sleep(_AGAIN)
            await self.post(client, events, number + turn)
            await asyncio.sleep(self.pause)

    async def _accepted(self, client: aiohttp.ClientSession, body: bytes, port: int) -> bool:
        began = perf_counter()
        url = f"http://127.0.0.1:{port}/hooks/{SOURCE}"
        try:
            async with client.post(url, data=body, headers=sign(body, self.now())) as answer:
                if answer.status != 202:
                    assert answer.status in (429, 503), await answer.text()
                    self.refused[str(answer.status)] += 1
                    return False
                receipt = orjson.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            self.refused[type(error).__name__] += 1
            return False
        self.durations.append(perf_counter() - began)
        assert not receipt["rejected"], receipt
        self.receipts.update({name: receipt[name] for name in ("accepted", "duplicate")})
        return True
