"""Mixed load for long: memory and file descriptors of the bot stay where they are after its first minutes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter

import aiohttp
import orjson
import pytest

from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.config import SimulatorConfig, utc_now
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import open_simulator as simulator_running
from tests.alerts.intake.signed_requests import sign
from tests.free_ports import free_port
from tests.scenario.alerts.storm import SOURCE, Storm, hook
from tests.scenario.conftest import KEEPER
from tests.scenario.processes import Program, connected, environment, forked, used_before
from tests.scenario.traffic import eventually

LIMITS = SimulatorConfig(qps_limit=None, quota_limit=None)
NO_QUOTA = {f"DINGERP_LIMITS__MONTHLY_{quota}": "1000000000" for quota in ("CALLS", "USES")}
"""The standard edition's quotas last a few minutes of this."""
LINES = ("/stock SKU123", "/order late", "/invoice INV-7", "/po", "/mo", "/help", "哪些订单延期了", "SKU150 还有多少")
WARM_UP = 1 / 6
"""The share of the time in which caches fill: five minutes of thirty."""
PAUSE = 0.1
SAMPLES = 300
EVENTS = 20
"""Events in a request."""


@dataclass(slots=True)
class Load:
    """People who ask and click, a source that reports, and somebody who looks at the numbers, all at an even pace."""

    engine: SimEngine
    storm: Storm
    port: int
    asked: int = 0
    answered: int = 0
    statuses: set[int] = field(default_factory=set)

    async def run(self, seconds: float) -> None:
        """Work for so many seconds."""
        ends = perf_counter() + seconds
        async with aiohttp.ClientSession() as client, asyncio.TaskGroup() as group:
            group.create_task(self._ask(ends))
            group.create_task(self._report(client, ends))
            group.create_task(self._watch(client, ends))

    async def _ask(self, ends: float) -> None:
        group = next(iter(self.engine.chat.conversations))
        for number in _until(ends):
            message = self.engine.say(group, KEEPER, LINES[number % len(LINES)])
            self.asked += 1
            answers = partial(self.engine.cards_for, message)
            await eventually(answers, hint=lambda: self.asked)
            self.answered += 1
            await self._turn_page(answers()[0])
            await asyncio.sleep(PAUSE)

    async def _turn_page(self, card: SimCardView) -> None:
        for button in card.buttons:
            if button.text == "下一页":
                await self.engine.click(card.out_track_id, KEEPER, button.text)

    async def _report(self, client: aiohttp.ClientSession, ends: float) -> None:
        for number in _until(ends):
            # Each matter begins, repeats and ends again and again.
            events = [
                self.storm.event(matter, number % self.storm.rounds)
                | {"id": f"{number}-{matter}", "time": utc_now().isoformat()}
                for matter in range(number % self.storm.alerts, self.storm.alerts, self.storm.alerts // EVENTS)
            ]
            body = orjson.dumps(events)
            url = f"http://127.0.0.1:{self.port}/hooks/{SOURCE}"
            async with client.post(url, data=body, headers=sign(body, utc_now())) as answer:
                self.statuses.add(answer.status)
            await asyncio.sleep(5 * PAUSE)

    async def _watch(self, client: aiohttp.ClientSession, ends: float) -> None:
        for number in _until(ends):
            path = ("readyz", "metrics", "healthz", "hooks/nobody")[number % 4]
            async with client.get(f"http://127.0.0.1:{self.port}/{path}") as answer:
                await answer.read()
            await asyncio.sleep(10 * PAUSE)


def _until(ends: float) -> Iterator[int]:
    for number in count():
        if perf_counter() >= ends:
            return
        yield number


@dataclass(slots=True)
class Samples:
    """What a process holds, at even times."""

    memory: list[int] = field(default_factory=list)
    """Resident kilobytes."""
    descriptors: list[int] = field(default_factory=list)

    async def take(self, bot: Program, seconds: float) -> None:
        """Take `SAMPLES` of them in so many seconds."""
        home = Path(f"/proc/{bot.process.pid}")
        for _ in range(SAMPLES):
            await asyncio.sleep(seconds / SAMPLES)
            (resident,) = [line for line in (home / "status").read_text().splitlines() if line.startswith("VmRSS")]
            self.memory.append(int(resident.split()[1]))
            self.descriptors.append(len(list((home / "fd").iterdir())))


def growth(values: list[int]) -> float:
    """Return by which share the last tenth exceeds the tenth after the warm-up."""
    tenth, warm = len(values) // 10, round(len(values) * WARM_UP)
    before = median(values[warm : warm + tenth])
    return median(values[-tenth:]) / before - 1


@pytest.mark.process
@pytest.mark.parametrize(
    ("seconds", "more"),
    [
        # In so short a time caches still fill.
        pytest.param(10.0, 0.3, id="ten seconds", marks=pytest.mark.timeout(600)),
        pytest.param(1_800.0, 0.02, id="half an hour", marks=[pytest.mark.soak, pytest.mark.timeout(2_400)]),
    ],
)
async def test_memory_and_descriptors_stay_where_they_are(seconds: float, more: float, tmp_path: Path) -> None:
    storm, port, samples = Storm(alerts=200, rounds=10, groups=4), free_port(), Samples()
    async with simulator_running(LIMITS) as simulator:
        storm.open_groups(simulator.engine)
        variables = {"DINGERP_HTTP__PORT": str(port), **NO_QUOTA, **hook(storm.rules(tmp_path))}
        env = environment(LIMITS, simulator.url, used_before(tmp_path / "data"), **variables)
        async with forked("bot.cli", "run", env=env, folder=tmp_path) as bot:
            await connected(simulator.engine)
            await bot.saying("bot.running")
            load = Load(simulator.engine, storm, port)
            await asyncio.gather(load.run(seconds), samples.take(bot, seconds))
            assert "Traceback" not in bot.err, bot.err
    assert load.answered == load.asked > 0
    assert load.statuses == {202}
    assert growth(samples.memory) <= more, samples.memory[:: SAMPLES // 30]
    # A connection may be under way when a sample is taken.
    assert growth(samples.descriptors) <= max(more, 2 / samples.descriptors[-1]), samples.descriptors[:: SAMPLES // 30]
