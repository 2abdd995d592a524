"""SIGTERM under load: work in progress is finished, the rest waits for the next start, and the exit is clean."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator as simulator_running
from tests.scenario.processes import NO_INDEX, connected, environment, forked, used_before
from tests.scenario.traffic import Traffic, eventually

pytestmark = pytest.mark.process

CONFIG = SimulatorConfig(qps_limit=None, quota_limit=None, redelivery_delay=0.5, redeliveries=1000)
MOST_SECONDS = 150.0
"""Docker kills after ten; the bot gives itself less (`bot.app`), and a machine with much else to do takes its time."""


async def test_it_ends_cleanly_and_the_next_start_answers_the_rest(tmp_path: Path) -> None:
    async with simulator_running(CONFIG) as simulator:
        engine, traffic = simulator.engine, Traffic(simulator.engine, 20)
        slow = {"DINGERP_ERP__MAIN__LATENCY": "0.2", "DINGERP_LIMITS__QPS": "inf"}
        env = environment(CONFIG, simulator.url, used_before(tmp_path / "data"), **slow, **NO_INDEX)
        load = asyncio.create_task(traffic.flow(60.0))
        async with forked("tests.scenario.patient_bot", env=env, folder=tmp_path) as bot:
            await engine.wait_for(lambda: traffic.answers > 20, timeout=60)
            ended = await bot.stop()
        load.cancel()
        assert ended.code == 0
        assert ended.seconds < MOST_SECONDS
        assert "Traceback" not in ended.err
        assert bot.logged("bot.stopped")
        assert not bot.logged("bot.left_for_next_start")
        async with forked("tests.scenario.patient_bot", env=env, folder=tmp_path):
            await eventually(
                lambda: not traffic.unanswered and not engine.pushes.in_flight, hint=lambda: traffic.unanswered
            )
        assert (traffic.doubled, traffic.answers) == ([], len(traffic.questions))


async def test_a_dingtalk_that_hangs_does_not_hold_it_up(tmp_path: Path) -> None:
    async with simulator_running(CONFIG) as simulator:
        engine, traffic = simulator.engine, Traffic(simulator.engine, 20)
        env = environment(CONFIG, simulator.url, used_before(tmp_path / "data"), DINGERP_LIMITS__QPS="inf", **NO_INDEX)
        async with forked("bot.cli", "run", env=env, folder=tmp_path) as bot:
            await connected(engine)
            traffic.ask()
            await engine.wait_for(lambda: traffic.answers, timeout=60)
            engine.faults.set("lying_timeout", on=True, rate=0.5, api="createAndDeliver", delay_ms=600_000)
            engine.faults.set("slow_api", on=True, delay_ms=600_000)
            await traffic.flow(0.5)
            await engine.wait_for(lambda: not engine.pushes.in_flight)
            ended = await bot.stop()
        assert ended.code == 0
        assert ended.seconds < MOST_SECONDS
        assert "Traceback" not in ended.err
        assert bot.logged("bot.left_for_next_start")
        assert traffic.unanswered
        engine.faults.clear()
        async with forked("bot.cli", "run", env=env, folder=tmp_path):
            await eventually(lambda: not traffic.unanswered, hint=lambda: traffic.unanswered)
        assert traffic.doubled == []
