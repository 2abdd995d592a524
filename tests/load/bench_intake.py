"""Events accepted per second: ``python -m tests.load.bench_intake`` prints the numbers for both databases.

The real HTTP server on loopback, with signatures, and every answer after its commit. The senders run in their own
process. PostgreSQL runs with its own durability (fsync, synchronous commits) where it is installed.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from unittest.mock import patch

import aiohttp
import orjson
from sqlalchemy import func, select

from bot.alerts.intake.batched_intake import BatchedIntake
from bot.alerts.intake.webhook import build_webhook
from bot.mechanisms.health import HealthReport
from bot.mechanisms.metrics import Metrics
from bot.store.alerts.events import StoredEvents
from bot.store.database import Database
from bot.store.tables import EVENT
from bot.web.hooks import HookEndpoint
from bot.web.server import make_web_app, serving
from tests.alerts.intake.signed_requests import SECRET, sign
from tests.erp.sql import postgres_server


@dataclass(frozen=True, slots=True)
class IntakeLoad:
    """``requests`` requests of ``batch`` events each, ``at_once`` of them concurrently."""

    name: str
    requests: int
    batch: int
    at_once: int


LOADS = (IntakeLoad("batches of 100", 200, 100, 4), IntakeLoad("one by one", 6_000, 1, 32))


def event(number: int) -> dict[str, object]:
    """Return an event of realistic size."""
    return {
        "specversion": "1.0",
        "id": f"{secrets.token_hex(6)}-{number}",
        "source": "/erp/main",
        "type": "stock.low",
        "subject": f"SKU{number % 500}",
        "time": datetime.now(UTC).isoformat(),
        "data": {
            "name": "内六角螺丝 M6×20",
            "warehouse": "SH",
            "available": f"{number % 50}.5",
            "reorder_point": 100,
            "unit": "个",
            "owner": "buyer01",
            "link": "https://erp.example.com/app/item/SKU1",
        },
    }


async def send(port: int, load: IntakeLoad) -> dict[str, float]:
    """Send everything and return the rate and the slowest answers."""
    bodies = [
        orjson.dumps([event(n * load.batch + k) for k in range(load.batch)] if load.batch > 1 else event(n))
        for n in range(load.requests)
    ]
    took: list[float] = []
    queue = iter(bodies)

    async def sender(client: aiohttp.ClientSession) -> None:
        for body in queue:
            headers = sign(body, datetime.now(UTC))
            began = perf_counter()
            async with client.post(f"http://127.0.0.1:{port}/hooks/main", data=body, headers=headers) as answer:
                receipt = await answer.json()
            took.append(perf_counter() - began)
            assert (answer.status, receipt["accepted"]) == (202, load.batch), receipt

    began = perf_counter()
    async with aiohttp.ClientSession() as client:
        await asyncio.gather(*(sender(client) for _ in range(load.at_once)))
    seconds = perf_counter() - began
    return {
        "rate": load.requests * load.batch / seconds,
        "p50": statistics.median(took) * 1000,
        "p99": statistics.quantiles(took, n=100)[98] * 1000,
    }


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[tuple[int, Database]]:
    """Run the bot's server with one hook on a database."""
    database = Database(url)
    await database.migrate()
    metrics = Metrics()
    now = partial(datetime.now, UTC)
    hooks = HookEndpoint(
        hooks={"main": build_webhook("main", secrets=[SECRET])},
        intake=BatchedIntake(StoredEvents(database), metrics=metrics, now=now),
        metrics=metrics,
        now=now,
    )
    async with serving(make_web_app(metrics=metrics, readiness=_ready, hooks=hooks), "127.0.0.1", 0) as port:
        yield port, database
    await database.close()


async def _ready() -> HealthReport:
    return HealthReport({})


async def measure(name: str, url: str) -> None:
    """Print a line for each load."""
    async with listening(url) as (port, database):
        sent = 0
        for number, load in enumerate(LOADS):
            command = [sys.executable, "-m", "tests.load.bench_intake", str(port), str(number)]
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            output, _ = await process.communicate()
            found = json.loads(output)
            sent += load.requests * load.batch
            kept = await database.run(lambda connection: connection.scalar(select(func.count()).select_from(EVENT)))
            assert kept == sent, (kept, sent)
            print(
                f"{name:<11} {load.name:<15} {found['rate']:>7.0f} events/s"
                f"   answers p50 {found['p50']:.1f} ms, p99 {found['p99']:.1f} ms"
            )


async def main() -> None:
    """Measure on both databases."""
    with tempfile.TemporaryDirectory() as folder:
        await measure("SQLite", f"sqlite:///{Path(folder) / 'bot.sqlite3'}")
    if found := postgres_server.programs():
        # The tests' own server is not durable; here commits must cost what they cost in production.
        durable = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
        with patch.dict(postgres_server._SETTINGS, durable), postgres_server.running(found) as postgres:
            await measure("PostgreSQL", postgres.admin_url)
    else:
        print("PostgreSQL is not installed: apt install postgresql")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(asyncio.run(send(int(sys.argv[1]), LOADS[int(sys.argv[2])]))))
    else:
        asyncio.run(main())
