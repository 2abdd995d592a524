"""A storm of alerts at full size: ``python -m tests.load.alert_storm [--postgres]`` prints the measurements.

``dingerp run`` has a process of its own, with DingTalk's limits on; senders, simulator and asking people share another.
PostgreSQL runs with its own durability (fsync, synchronous commits).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import create_engine, text

from tests.erp.sql import postgres_server
from tests.load.__main__ import Goal
from tests.scenario.alerts.call_recorder import assert_every_card_once, assert_nothing_lost
from tests.scenario.alerts.storm import Storm
from tests.scenario.alerts.storm_run import (
    StormFigures,
    assert_within_limits,
    percentile,
    run_storm,
    send_burst,
    send_evenly,
)

EVENTS, ALERTS = 10_000, 500
DRAINED = 300.0
"""Seconds for all cards to be sent: 500 new ones take 50 at ten calls a second."""

_NUMBERS = count(1)


async def measure(name: str, url_of: Iterator[str]) -> list[Goal]:
    """Run all loads on one database, print the figures, and return the goals."""
    batches = await _burst(f"{name}, batches of 100", next(url_of), size=100, senders=4, groups=50)
    single = await _burst(f"{name}, one by one", next(url_of), size=1, senders=32, groups=50)
    waits = await _trickle(next(url_of))
    print(f"{name}, 5 a second: event to card call {_times(waits)}", flush=True)
    return [
        Goal(f"{name}: events/s, batches of 100", batches.rate, 1500, least=True),
        Goal(f"{name}: events/s, one by one", single.rate, 500, least=True),
        Goal(f"{name}: cards created", max(batches.created, single.created), ALERTS),
        Goal(f"{name}: calls in any second", max(batches.most_a_second, single.most_a_second), 20),
        Goal(f"{name}: new cards/place/minute", max(batches.most_a_minute, single.most_a_minute), 20),
        Goal(f"{name}: p95 event to call, s", percentile(waits, 0.95), 1),
        Goal(
            f"{name}: p99 ACK in a storm, ms", max(percentile(run.acks, 0.99) for run in (batches, single)) * 1000, 200
        ),
    ]


async def _burst(name: str, url: str, *, size: int, senders: int, groups: int) -> StormFigures:
    storm = Storm(alerts=ALERTS, rounds=EVENTS // ALERTS, groups=groups)
    with tempfile.TemporaryDirectory() as folder:
        async with run_storm(storm, Path(folder), url) as run:
            counts, figures = await send_burst(run, size=size, senders=senders, seconds=DRAINED)
            assert_nothing_lost(storm, counts)
            assert_every_card_once(storm, run.recorder)
            assert_within_limits(figures, run.recorder)
    print(
        f"{name}: {figures.rate:.0f} events/s, requests {_times(figures.posts)}; {figures.created} cards made,"
        f" {figures.changed} changes, all sent after {figures.settling:.0f} s; at most {figures.most_a_second} calls"
        f" in a second, {figures.most_a_minute} new cards at a place in a minute; ACKs {_times(figures.acks)},"
        f" answers {_times(figures.answers)}",
        flush=True,
    )
    return figures


async def _trickle(url: str) -> list[float]:
    storm = Storm(alerts=200, rounds=1, groups=50)
    with tempfile.TemporaryDirectory() as folder:
        async with run_storm(storm, Path(folder), url) as run:
            return await send_evenly(run, per_second=5)


def _times(seconds: list[float]) -> str:
    p50, p95, p99 = (percentile(seconds, share) * 1000 for share in (0.5, 0.95, 0.99))
    return f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, most {max(seconds) * 1000:.0f} ms"


def _databases(admin_url: str) -> Iterator[str]:
    """Create empty databases, one after the other."""
    engine = create_engine(admin_url, isolation_level="AUTOCOMMIT")
    for number in _NUMBERS:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE storm{number}"))
        yield f"{admin_url.rpartition('/')[0]}/storm{number}"


@contextmanager
def _postgres() -> Iterator[Iterator[str]]:
    found = postgres_server.programs()
    if found is None:
        sys.exit("PostgreSQL is not installed: apt install postgresql")
    # The tests' own server is not durable; here commits must cost what they cost in production.
    durable = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    with patch.dict(postgres_server._SETTINGS, durable), postgres_server.running(found) as postgres:
        yield _databases(postgres.admin_url)


def main() -> int:
    """Measure, print the goals, and return 1 when one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.alert_storm", description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL server of its own instead of SQLite")
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {_load()}")
    if options.postgres:
        with _postgres() as url_of:
            goals = asyncio.run(measure("PostgreSQL", url_of))
    else:
        goals = asyncio.run(measure("SQLite", iter(("", "", ""))))
    print(f"load at the end {_load()}", *goals, sep="\n")
    return 0 if all(goal.held for goal in goals) else 1


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


if __name__ == "__main__":
    sys.exit(main())
