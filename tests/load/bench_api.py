"""Lists for programs beside a bot that answers in the chat: ``python -m tests.load.bench_api`` prints the measurements.

``dingerp run`` has a process of its own, on SQLite with the demo company, whose documents it follows. Four programs ask
for lists of 50 at an even pace, and people in groups for stock. Then another program asks as fast as it can over many
connections: first within its limit, and from there on it is refused.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter

import aiohttp

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator
from tests.load.__main__ import Goal
from tests.load.load_generator import percentile
from tests.scenario.processes import environment, program, run_dingerp
from tests.scenario.traffic import Traffic, eventually

CONFIG = SimulatorConfig(qps_limit=None, quota_limit=None)
SECONDS, PER_SECOND, QUESTIONS = 30.0, 50.0, 10.0
LIMIT = 3_000
"""Questions of one key in a minute."""
PROGRAMS, FLOODING, GROUPS = 4, 64, 20
P95_MS, LEAST_SHARE = 100.0, 0.9
OWNER = "boss01"
LISTS = (
    "order?limit=50",
    "order?limit=50&list=late",
    "invoice?limit=50&list=overdue",
    "po?limit=50&list=open",
    "delivery?limit=50",
    "bill?limit=50",
    "payment?limit=50",
    "mo?limit=50",
)
_ON_TIME = 1.0
"""Seconds within which an answer is of use: those that take longer count as none."""


@dataclass(slots=True)
class ApiFigures:
    """What programs got: times in seconds from when each request was due, by their statuses."""

    seconds: float
    answered: list[float] = field(default_factory=list)
    refused: int = 0
    failed: int = 0

    @property
    def rate(self) -> float:
        """Answers within `_ON_TIME`, in each second."""
        return sum(took <= _ON_TIME for took in self.answered) / self.seconds

    def add(self, status: int, took: float) -> None:
        """Count an answer."""
        if status == 200:
            self.answered.append(took)
        elif status == 429:
            self.refused += 1
        else:
            self.failed += 1

    def __str__(self) -> str:
        times = f"p50 {percentile(self.answered, 0.5):.1f} ms, p95 {percentile(self.answered, 0.95):.1f} ms"
        counted = f"{len(self.answered)} answered, {self.refused} refused, {self.failed} failed"
        return f"{counted}, {self.rate:.1f}/s on time, {times}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiMeasurement:
    """The programs in a quiet time and beside a flood, and the flood itself."""

    quiet: ApiFigures
    beside: ApiFigures
    flood: ApiFigures
    unanswered: int
    """Questions of people in groups."""

    @property
    def share(self) -> float:
        """What is left of the answers while another key floods."""
        return self.beside.rate / self.quiet.rate


class Programs:
    """Programs with a key each, which ask a bot for lists."""

    def __init__(self, client: aiohttp.ClientSession, base: str, tokens: Iterable[str]) -> None:
        self._client = client
        self._base = base
        self._tokens = cycle(tokens)
        self._lists = cycle(LISTS)

    async def ask(self, token: str, figures: ApiFigures, due: float) -> None:
        """Ask once, and count what comes."""
        address = f"{self._base}/api/v1/{next(self._lists)}"
        async with self._client.get(address, headers={"Authorization": f"Bearer {token}"}) as told:
            await told.read()
            figures.add(told.status, perf_counter() - due)

    async def ask_evenly(self, seconds: float, per_second: float) -> ApiFigures:
        """Ask when each request is due, however long the others take."""
        figures, started = ApiFigures(seconds), perf_counter()
        async with asyncio.TaskGroup() as asking:
            for number in range(round(seconds * per_second)):
                due = started + number / per_second
                await asyncio.sleep(max(0.0, due - perf_counter()))
                asking.create_task(self.ask(next(self._tokens), figures, due))
        return figures

    async def flood(self, token: str, connections: int, stopped: asyncio.Event) -> ApiFigures:
        """Ask over so many connections, at once again after each answer, until stopped."""
        figures, started = ApiFigures(1.0), perf_counter()

        async def go_on() -> None:
            while not stopped.is_set():
                await self.ask(token, figures, perf_counter())

        async with asyncio.TaskGroup() as asking:
            for _ in range(connections):
                asking.create_task(go_on())
        figures.seconds = perf_counter() - started
        return figures


@asynccontextmanager
async def _open(folder: Path) -> AsyncIterator[tuple[Programs, str, Traffic]]:
    """Run a bot that follows the company's documents; return its programs, the token of another, and its groups."""
    async with open_simulator(CONFIG) as simulator:
        data = folder / "data"
        limits = {"DINGERP_LIMITS__KEY__QUESTIONS_MINUTE": str(LIMIT), "DINGERP_LIMITS__KEY__DOCUMENTS_DAY": "0"}
        env = environment(CONFIG, simulator.url, data, **limits)
        async with program("-m", "bot.cli", "run", env=env, folder=folder) as bot:
            port = (await bot.saying("bot.running"))["port"]
            tokens = [await _key(env, folder) for _ in range(PROGRAMS + 1)]
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector) as client:
                programs = Programs(client, f"http://127.0.0.1:{port}", tokens[:PROGRAMS])
                yield programs, tokens[PROGRAMS], Traffic(simulator.engine, GROUPS)
            await bot.stop()


async def _key(env: dict[str, str], folder: Path) -> str:
    made = await run_dingerp(
        "api", "key", "add", "--owner", OWNER, "--scope", "*", "--expires", "1d", env=env, folder=folder
    )
    return made.out.splitlines()[0]


async def measure(folder: Path, *, seconds: float = SECONDS, per_second: float = PER_SECOND) -> ApiMeasurement:
    """Measure the programs in a quiet time, and beside one that floods."""
    async with _open(folder) as (programs, other, traffic):
        await programs.ask_evenly(seconds / 3, per_second)  # once everything is there that answers need
        quiet, _ = await asyncio.gather(programs.ask_evenly(seconds, per_second), traffic.flow(seconds, QUESTIONS))
        stopped = asyncio.Event()
        flooding = asyncio.create_task(programs.flood(other, FLOODING, stopped))
        beside, _ = await asyncio.gather(programs.ask_evenly(seconds, per_second), traffic.flow(seconds, QUESTIONS))
        stopped.set()
        flood = await flooding
        await eventually(lambda: not traffic.unanswered, hint=lambda: len(traffic.unanswered))
        return ApiMeasurement(quiet=quiet, beside=beside, flood=flood, unanswered=len(traffic.unanswered))


def goals(measured: ApiMeasurement) -> list[Goal]:
    """Return what the API must keep."""
    return [
        Goal("p95 of lists of 50, ms", percentile(measured.quiet.answered, 0.95), P95_MS),
        Goal("share of answers beside a flood", measured.share, LEAST_SHARE, least=True),
        Goal("requests that failed", measured.quiet.failed + measured.beside.failed + measured.quiet.refused, 0),
    ]


def main() -> int:
    """Measure, print the goals, and return 1 when one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.bench_api", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    found: list[ApiMeasurement] = []
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            found.append(asyncio.run(measure(Path(folder), seconds=options.seconds)))
        print(f"quiet   {found[-1].quiet}\nbeside  {found[-1].beside}\nflood   {found[-1].flood}", flush=True)
    reached = [
        Goal(each[0].name, median(goal.value for goal in each), each[0].limit, each[0].least)
        for each in zip(*map(goals, found), strict=True)
    ]
    print(*reached, sep="\n")
    return 0 if all(goal.held for goal in reached) else 1


if __name__ == "__main__":
    sys.exit(main())
