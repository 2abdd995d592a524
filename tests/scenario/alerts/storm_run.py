"""Whole runs of a storm: ``dingerp run`` as a process, senders, the simulated DingTalk, and people who ask."""

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

from bot.simulator.config import SimulatorConfig
from bot.simulator.server import open_simulator as simulator_running
from bot.store.database import Database
from tests.scenario.alerts.call_recorder import CHANGE, CREATE, CallRecorder, StoredCounts, settled
from tests.scenario.alerts.storm import Senders, Storm, free_port, hook, sku
from tests.scenario.processes import NO_INDEX, Program, connected, environment, forked, used_before
from tests.scenario.traffic import Traffic, eventually

LIMITS = SimulatorConfig(quota_limit=None)
"""DingTalk's own 20 calls a second for each API; the month has room."""

ASKED = 10.0
"""Questions a second while the storm goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StormRun:
    """A bot that waits for the storm."""

    storm: Storm
    wire: CallRecorder
    traffic: Traffic
    senders: Senders
    bot: Program
    database: Database


@dataclass(frozen=True, slots=True, kw_only=True)
class StormFigures:
    """What was measured of a burst. Times are seconds."""

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
    """Calls of one API in any second."""
    most_a_minute: int
    """New cards at one place in any minute."""

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.sending


@asynccontextmanager
async def scene(storm: Storm, folder: Path, database_url: str = "", **more: str) -> AsyncIterator[StormRun]:
    """Run a bot for a storm; ``more`` are variables, and SQLite is the default as it is the bot's."""
    async with simulator_running(LIMITS) as simulator:
        engine, port = simulator.engine, free_port()
        wire, traffic = CallRecorder(engine), Traffic(engine, 20)
        storm.open_groups(engine)
        variables = {"DINGERP_HTTP__PORT": str(port), "DINGERP_DATABASE_URL": database_url, **NO_INDEX, **more}
        env = environment(LIMITS, simulator.url, used_before(folder / "data"), **hook(storm.rules(folder)), **variables)
        async with forked("bot.cli", "run", env=env, folder=folder) as bot:
            await connected(engine)
            await bot.saying("bot.running")
            database = Database(database_url or f"sqlite:///{folder / 'data' / 'dingerp.sqlite3'}")
            yield StormRun(storm=storm, wire=wire, traffic=traffic, senders=Senders([port]), bot=bot, database=database)
            await database.close()
            await bot.stop()
            assert "Traceback" not in bot.err, bot.err


async def send_burst(one: StormRun, *, size: int, senders: int, seconds: float) -> tuple[StoredCounts, StormFigures]:
    """Send all at once, in requests of ``size`` events, and ask meanwhile; ``seconds`` bound the rest of the work."""
    storm, wire = one.storm, one.wire
    context = asyncio.create_task(one.traffic.flow(600.0, ASKED))
    began = perf_counter()
    await one.senders.send(storm.batches(senders, size))
    counts = await settled(one.database, seconds)
    settling = perf_counter() - began
    context.cancel()
    await eventually(lambda: not one.traffic.unanswered, 10, hint=lambda: one.traffic.unanswered)
    created, changed = wire.of(CREATE), wire.of(CHANGE)
    places = {call.place for call in created}
    return counts, StormFigures(
        events=storm.events,
        sending=one.senders.seconds,
        settling=settling,
        posts=one.senders.took,
        acks=wire.acks,
        answers=one.traffic.waits,
        created=len(created),
        changed=len(changed),
        most_a_second=max(wire.fastest(created, 1.0), wire.fastest(changed, 1.0)),
        most_a_minute=max(wire.fastest([call for call in created if call.place == place], 60.0) for place in places),
    )


async def send_evenly(one: StormRun, per_second: float) -> list[float]:
    """Send one event after the other at an even pace; return the seconds from sending each to its card's call."""
    storm, senders = one.storm, one.senders
    began = perf_counter()
    async with aiohttp.ClientSession() as client:
        for correlation in range(storm.alerts):
            await asyncio.sleep(max(0.0, began + correlation / per_second - perf_counter()))
            await senders.post(client, [storm.event(correlation, 0)])
        await eventually(lambda: len(one.wire.first_shown) == storm.alerts, 20, hint=lambda: one.wire.first_shown)
    return [
        one.wire.first_shown[sku(correlation)] - senders.first_sent[storm.event(correlation, 0)["id"]]
        for correlation in range(storm.alerts)
    ]


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[ceil(len(ordered) * share) - 1]


def assert_within_limits(
    figures: StormFigures, wire: CallRecorder, *, per_second: int = 10, place_minute: int = 20
) -> None:
    """No budget was exceeded in any window, by the log of calls, and DingTalk refused none as too many."""
    assert wire.limited == []
    assert figures.most_a_second <= per_second
    assert figures.most_a_minute <= place_minute
    assert Counter(call.refusal for call in wire.calls) == {"": len(wire.calls)}
