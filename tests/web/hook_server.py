"""The bot's HTTP server with hooks over a real database, and senders that sign."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from bot.alerts.intake.batched_intake import BatchedIntake
from bot.alerts.intake.port import EventState, StoredEvent
from bot.alerts.intake.webhook import build_webhook
from bot.mechanisms.health import HealthReport
from bot.mechanisms.metrics import Metrics
from bot.store.alerts.events import EventSearch, StoredEvents
from bot.store.database import Database
from bot.web.hooks import BodyMemory, HookEndpoint
from bot.web.server import make_web_app, serving
from tests.alerts.intake.samples import NOW
from tests.alerts.intake.signed_requests import OTHER_SECRET, SECRET, sign

TOKEN = "a-token-of-its-own"


@dataclass(slots=True)
class Clock:
    """A clock that only tests move."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass(slots=True)
class HookServer:
    """A running server."""

    client: aiohttp.ClientSession
    port: int
    database: Database
    metrics: Metrics
    clock: Clock
    room: BodyMemory

    def url(self, source: str = "main") -> str:
        return f"http://127.0.0.1:{self.port}/hooks/{source}"

    async def post(
        self, body: Any, headers: Mapping[str, str] | None = None, source: str = "main", **query: str
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Send a body, signed unless headers are given; return status, decoded answer and headers."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = sign(raw, self.clock.at) if headers is None else headers
        async with self.client.post(self.url(source), data=io.BytesIO(raw), headers=headers, params=query) as answer:
            text = await answer.text()
            found = json.loads(text) if answer.content_type.endswith("json") else text
            return answer.status, found, answer.headers

    async def kept(self, state: EventState | None = None) -> tuple[StoredEvent, ...]:
        """Return the stored events, oldest first."""
        found = await StoredEvents(self.database).search(EventSearch(state=state, limit=10_000))
        return found[::-1]

    def counted(self, outcome: str, source: str = "main") -> float:
        labels = {"source": source, "outcome": outcome}
        return self.metrics.registry.get_sample_value("dingerp_hooks_total", labels) or 0.0


async def ready() -> HealthReport:
    return HealthReport({})


@asynccontextmanager
async def hook_server(
    database: Database, *, room: BodyMemory | None = None, **options: Any
) -> AsyncIterator[HookServer]:
    """Serve one hook of each kind on loopback."""
    clock, metrics = Clock(), Metrics()
    hooks = HookEndpoint(
        hooks={
            "main": build_webhook("main", secrets=[SECRET, OTHER_SECRET]),
            "small": build_webhook("small", secrets=[SECRET], max_bytes=1_000),
            "odoo": build_webhook("odoo", scheme="odoo", secrets=[TOKEN], currency="CNY"),
            "erpnext": build_webhook("erpnext", scheme="erpnext", secrets=[TOKEN]),
        },
        intake=BatchedIntake(StoredEvents(database), metrics=metrics, now=clock.now, **options),
        metrics=metrics,
        now=clock.now,
        room=room or BodyMemory(),
    )
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as client,
        serving(make_web_app(metrics=metrics, readiness=ready, hooks=hooks), "127.0.0.1", 0) as port,
    ):
        yield HookServer(client, port, database, metrics, clock, hooks.room)


LATER = timedelta(minutes=6)
