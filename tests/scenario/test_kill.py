"""``kill -9`` at any moment under load: no question is lost, none is answered twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator as simulator_running
from tests.scenario.processes import NO_INDEX, Program, connected, environment, forked, used_before
from tests.scenario.traffic import Traffic, eventually

CONFIG = SimulatorConfig(qps_limit=None, quota_limit=None, redelivery_delay=0.5, redeliveries=1000)

PATIENT_BOT = "tests.scenario.patient_bot"

LATEST = 0.4
"""Seconds: a bot is killed at a random moment up to this long after it connected or gave its first answer."""

AT_WORK = {"DINGERP_ERP__MAIN__LATENCY": "0.1", "DINGERP_LIMITS__QPS": "inf"}
"""An ERP so slow that at any moment some questions are acknowledged and not answered."""

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]


@dataclass(slots=True)
class BotStarts:
    """What the bots logged at their starts."""

    resumed: int = 0
    """Questions that an earlier bot had acknowledged and the next one answered."""
    given_up: int = 0
    """Questions whose text may have been sent, so that they were not answered again."""

    def note(self, bot: Program) -> None:
        """Read the log of an ended bot."""
        assert "Traceback" not in bot.err
        self.resumed += sum(entry["questions"] for entry in bot.logged("inbox.resumed"))
        self.given_up += given_up(bot)


def given_up(bot: Program) -> int:
    """Return the number of questions that a bot says it does not answer again."""
    return sum(entry["questions"] for entry in bot.logged("inbox.given_up"))


async def kill_often(traffic: Traffic, kills: int, moments: Random, url: str, folder: Path) -> BotStarts:
    """Kill one bot after the other while people ask, and let the last one answer the rest."""
    engine, starts = traffic.engine, BotStarts()
    env = environment(CONFIG, url, used_before(folder / "data"), **AT_WORK, **NO_INDEX)
    load = asyncio.create_task(traffic.flow(600.0))
    try:
        for number in range(kills):
            async with forked(PATIENT_BOT, env=env, folder=folder) as bot:
                await connected(engine)
                if number % 4:  # the others are killed during their start
                    await _one_more_answer(traffic)
                await asyncio.sleep(moments.uniform(0.0, LATEST))
                await bot.kill()
            await engine.wait_for(lambda: not engine.pushes.connections)
            starts.note(bot)
    finally:
        load.cancel()
    async with forked(PATIENT_BOT, env=env, folder=folder) as bot:
        await bot.saying("bot.running")
        await eventually(lambda: not engine.pushes.in_flight, hint=lambda: engine.pushes.in_flight)
        # What is acknowledged may wait yet: a bot that stops leaves to the next one what it cannot answer soon.
        await eventually(
            lambda: len(left := traffic.unanswered) == 0 or len(left) <= starts.given_up + given_up(bot),
            hint=lambda: len(traffic.unanswered),
        )
        last = await bot.stop()
    starts.note(bot)
    assert last.code == 0
    assert len(traffic.questions) > kills * 10
    return starts


async def _one_more_answer(traffic: Traffic) -> None:
    before = traffic.answers
    await traffic.engine.wait_for(lambda: traffic.answers > before, timeout=60)


@pytest.mark.parametrize(
    ("kills", "groups"), [pytest.param(4, 20, id="a few"), pytest.param(50, 120, id="fifty", marks=pytest.mark.soak)]
)
async def test_under_load_no_question_is_lost_or_doubled(
    kills: int, groups: int, tmp_path: Path, moments: Random
) -> None:
    async with simulator_running(CONFIG) as simulator:
        traffic = Traffic(simulator.engine, groups)
        starts = await kill_often(traffic, kills, moments, simulator.url, tmp_path)
        assert (traffic.unanswered, traffic.doubled) == ([], [])
        assert traffic.answers == len(traffic.questions)
        assert (starts.resumed > 0, starts.given_up) == (True, 0)


@pytest.mark.soak
async def test_a_text_is_not_sent_again_when_it_may_stand(tmp_path: Path, moments: Random) -> None:
    """Texts have no identity: nobody knows whether one arrived before the kill. The log counts these questions."""
    async with simulator_running(CONFIG) as simulator:
        simulator.engine.faults.set("quota_exhausted", on=True)
        kills, groups = 20, 60
        traffic = Traffic(simulator.engine, groups)
        starts = await kill_often(traffic, kills, moments, simulator.url, tmp_path)
        assert traffic.doubled == []
        # Each kill may leave one question of each group in doubt: on a slow machine more are under way at that moment.
        assert len(traffic.unanswered) <= starts.given_up < kills * groups / 2


@pytest.fixture
def moments(pytestconfig: pytest.Config) -> Random:
    """Return the random source for the moments of the kills; the same seed gives the same moments."""
    seed = int(pytestconfig.getoption("randomly_seed", 0))
    print(f"moments of the kills: --randomly-seed={seed}")
    return Random(seed)
