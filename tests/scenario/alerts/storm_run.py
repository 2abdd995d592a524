"""Complete runs of a storm: ``dingerp run`` as a process, senders, the simulated DingTalk, and people who ask."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from time import perf_counter

import aiohttp

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.store.database import Database
from tests.free_ports import free_port
from tests.scenario.alerts.call_recorder import CHANGE, CREATE, CallRecorder, StoredCounts, settled
from tests.scenario.alerts.storm import Senders, Storm, hook, sku
from tests.scenario.processes import NO_INDEX, Program, connected, environment, forked, shared_database, used_before
from tests.scenario.traffic import Traffic, eventually

LIMITS = SimulatorConfig(quota_limit=None)
"""DingTalk's own 20 calls per second for each API; no monthly limit."""

ASKED = 10.0
"""Questions per second during the storm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StormRun:
    """A running bot that is ready for the storm."""

    storm: Storm
    recorder: CallRecorder
    traffic: Traffic
    senders: Senders
    bot: Program
    database: Database


@dataclass(frozen=True, slots=True, kw_only=True)
class StormFigures:
    """The measurements of a burst. Times are seconds."""

    events: int
    sending: float
    """Until the last 202."""
    settling: float
    """From the first request until every card was sent."""
    posts: list[float]
    acks: list[float]
    answers: list[float]
    created: int
    changed: int
    most_a_second: int
    """The largest number of calls of one API in any second."""
    most_a_minute: int
    """The largest number of new cards at one place in any minute."""

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.sending


@asynccontextmanager
async def run_storm(storm: Storm, folder: Path, database_url: str = "", **more: str) -> AsyncIterator[StormRun]:
    """Run a bot for a storm; ``more`` are variables. The database is SQLite by default, as for the bot."""
    async with simulator_running(LIMITS) as simulator:
        engine, port = simulator.engine, free_port()
        recorder, traffic = CallRecorder(engine), Traffic(engine, 20)
        storm.open_groups(engine)
        variables = {"DINGERP_HTTP__PORT": str(port), "DINGERP_DATABASE_URL": database_url, **NO_INDEX, **more}
        env = environment(LIMITS, simulator.url, used_before(folder / "data"), **hook(storm.rules(folder)), **variables)
        async with forked("bot.cli", "run", env=env, folder=folder) as bot:
            await connected(engine)
            await bot.saying("bot.running")
            database = shared_database(database_url or f"sqlite:///{folder / 'data' / 'dingerp.sqlite3'}")
            yield StormRun(
                storm=storm, recorder=recorder, traffic=traffic, senders=Senders([port]), bot=bot, database=database
            )
            await database.close()
            await bot.stop()
            assert "Traceback" not in bot.err, bot.err


async def send_burst(run: StormRun, *, size: int, senders: int, seconds: float) -> tuple[StoredCounts, StormFigures]:
    """Send all events at once, in requests of ``size`` events, with questions meanwhile.

    ``seconds`` limits the work after the last request.
    """
    storm, recorder = run.storm, run.recorder
    questions = asyncio.create_task(run.traffic.flow(600.0, ASKED))
    began = perf_counter()
    await run.senders.send(storm.batches(senders, size))
    counts = await settled(run.database, seconds)
    settling = perf_counter() - began
    questions.cancel()
    await eventually(lambda: not run.traffic.unanswered, hint=lambda: run.traffic.unanswered)
    created, changed = recorder.of(CREATE), recorder.of(CHANGE)
    places = {call.place for call in created}
    return counts, StormFigures(
        events=storm.events,
        sending=run.senders.seconds,
        settling=settling,
        posts=run.senders.durations,
        acks=recorder.acks,
        answers=run.traffic.waits,
        created=len(created),
        changed=len(changed),
        most_a_second=max(recorder.fastest(created, 1.0), recorder.fastest(changed, 1.0)),
        most_a_minute=max(
            recorder.fastest([call for call in created if call.place == place], 60.0) for place in places
        ),
    )


async def send_evenly(run: StormRun, per_second: float) -> list[float]:
    """Send events at an even pace; return the seconds from sending each to the call of its card."""
    storm, senders = run.storm, run.senders
    began = perf_counter()
    async with aiohttp.ClientSession() as client:
        for correlation in range(storm.alerts):
            await asyncio.sleep(max(0.0, began + correlation / per_second - perf_counter()))
            await senders.post(client, [storm.event(correlation, 0)])
        await eventually(lambda: len(run.recorder.first_shown) == storm.alerts, hint=lambda: run.recorder.first_shown)
    return [
        run.recorder.first_shown[sku(correlation)] - senders.first_sent[storm.event(correlation, 0)["id"]]
        for correlation in range(storm.alerts)
    ]


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[ceil(len(ordered) * share) - 1]


def assert_within_limits(
    figures: StormFigures, recorder: CallRecorder, *, per_second: int = 10, place_minute: int = 20
) -> None:
    """No budget was exceeded in any window of the recorded calls, and DingTalk refused no call for its limits."""
    assert recorder.limited == []
    assert figures.most_a_second <= per_second
    assert figures.most_a_minute <= place_minute
    assert Counter(call.refusal for call in recorder.calls) == {"": len(recorder.calls)}
