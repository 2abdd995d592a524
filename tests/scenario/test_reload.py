"""SIGHUP: the files of rules are read again, and the bot goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator as simulator_running
from tests.scenario.processes import NO_INDEX, connected, environment, forked, used_before

pytestmark = pytest.mark.process

OPEN = '[[rules]]\ncommands = ["stock"]\nroles = ["admin"]\n'


async def test_rules_are_read_again_and_wrong_ones_are_told(tmp_path: Path) -> None:
    rules = tmp_path / "access.toml"
    rules.write_text(OPEN)
    config = SimulatorConfig()
    async with simulator_running(config) as simulator:
        env = environment(config, simulator.url, used_before(tmp_path / "data"), **NO_INDEX)
        env["DINGERP_ACCESS__FILE"] = str(rules)
        async with forked("bot.cli", "run", env=env, folder=tmp_path) as bot:
            await connected(simulator.engine)
            await bot.saying("bot.running")
            written = rules.stat()
            rules.write_text(OPEN.replace("stock", "stokc"))
            os.utime(rules, ns=(written.st_atime_ns, written.st_mtime_ns))
            bot.process.send_signal(signal.SIGHUP)
            assert "stokc" in str((await bot.saying("bot.reloaded_in_part"))["wrong"])
            rules.write_text(OPEN)
            bot.process.send_signal(signal.SIGHUP)
            await bot.saying("bot.reloaded")
            assert simulator.engine.pushes.connections
            assert (await bot.stop()).code == 0
