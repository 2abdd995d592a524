"""What a large company's directory costs: ``python -m tests.load.bench_directory`` prints the numbers.

The simulated DingTalk has 20 000 people more than the demo company, and its usual limit of 20 calls a second for each
API. Measured are the first walk through all departments, and who-is-it decisions afterwards, with everybody known.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from bot.access.directory_sync import DirectorySync
from bot.access.membership import Membership
from bot.access.people import People
from bot.bootstrap.directory_adapters import DirectoryAdapter, DirectoryListingAdapter
from bot.bootstrap.factories import open_api
from bot.dingtalk.directory import DingTalkDirectory
from bot.dingtalk.directory_listing import DingTalkDirectoryListing
from bot.dingtalk.openapi import pooled_session
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings
from bot.store.database import Database
from bot.store.people import StoredPeople
from tests.scenario.conftest import system_settings

PEOPLE, DECISIONS = 20_000, 20_000


class NoChoices:
    """Nobody chose a language."""

    def chosen(self, user_id: str) -> str | None:
        return None


@dataclass(frozen=True, slots=True)
class DirectoryFigures:
    """Times are in seconds for the walk and in milliseconds for decisions."""

    walk: float
    calls: dict[str, int]
    first_p50: float
    first_p99: float
    again_p99: float

    def lines(self) -> list[str]:
        """Return the figures in words."""
        calls = ", ".join(f"{path.removeprefix('POST /topapi/')} {count}" for path, count in sorted(self.calls.items()))
        return [
            f"first walk: {self.walk:.0f} s, {sum(self.calls.values())} calls ({calls})",
            f"who is it, first time after a start: {self.first_p50:.3f} ms, p99 {self.first_p99:.3f} ms",
            f"who is it, again: p99 {self.again_p99:.4f} ms",
        ]


async def measure(people: int, qps: float) -> DirectoryFigures:
    """Walk through a directory of so many people with so many calls a second, then identify them."""
    config = SimulatorConfig(further_staff=people)
    with tempfile.TemporaryDirectory() as folder:
        async with open_simulator(config) as simulator, pooled_session() as session:
            settings = system_settings(
                config, simulator.url, Path(folder), {"limits": {"qps": 20, "directory_qps": qps}}
            )
            database = Database(settings.database)
            await database.migrate()
            api = open_api(settings, session, Metrics())
            store = StoredPeople(database)
            membership = Membership(store, DirectoryAdapter(DingTalkDirectory(api)), now=lambda: datetime.now(UTC))
            listing = DirectoryListingAdapter(DingTalkDirectoryListing(api))
            sync = DirectorySync(listing, store, membership, every=timedelta(days=1), now=lambda: datetime.now(UTC))
            started = perf_counter()
            await sync.round()
            walk = perf_counter() - started
            calls = {path: count for path, count in simulator.engine.calls.items() if "/topapi/" in path}
            first, again = await _decisions(settings, database, membership, people)
            await database.close()
    return DirectoryFigures(walk, calls, statistics.median(first), _p99(first), _p99(again))


async def _decisions(
    settings: Settings, database: Database, membership: Membership, people: int
) -> tuple[list[float], list[float]]:
    who = People(
        languages=NoChoices(), default_language=settings.language, configured_languages={}, directory=membership
    )
    first: list[float] = []
    again: list[float] = []
    for times in (first, again):
        for number in range(0, people, max(1, people // DECISIONS)):
            started = perf_counter()
            person = await who.identify(f"staff{number:05}", name="")
            times.append((perf_counter() - started) * 1000)
            assert not person.is_external
    return first, again


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--qps", type=float, default=10.0)
    options = parser.parse_args()
    for line in asyncio.run(measure(options.people, options.qps)).lines():
        print(line)


if __name__ == "__main__":
    main()
