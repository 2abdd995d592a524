"""Two bots on one PostgreSQL and one DingTalk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.bootstrap import preflight
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import RunningSimulator
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.store.errors import DatabaseInUse
from bot.words.errors import ConfigurationError
from tests.scenario.conftest import BotSystem, run_system
from tests.scenario.processes import SHARED_KEY
from tests.scenario.traffic import LONGEST_WAIT, eventually

CONFIG = SimulatorConfig(qps_limit=None)


class Replicas:
    """Bots with folders of their own on one database."""

    def __init__(self, folder: Path, simulator: RunningSimulator, url: str) -> None:
        self.folder = folder
        self.simulator = simulator
        self.url = url

    @asynccontextmanager
    async def bot(self, name: str, **changes: Any) -> AsyncIterator[BotSystem]:
        """Run a bot, which is one of two unless ``changes`` say something else."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        more = {"replicas": 2, "database_url": SecretStr(self.url), "data_key": SecretStr(SHARED_KEY), **changes}
        before = len(self.simulator.engine.pushes.connections)
        async with run_system(folder, CONFIG, simulator=self.simulator, **more) as system:
            await self.simulator.engine.wait_for(lambda: len(self.simulator.engine.pushes.connections) > before)
            yield system


@pytest.fixture
async def replicas(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Replicas]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preflight, "REPLICAS_OFFERED", True)
    async with simulator_running(CONFIG) as simulator:
        yield Replicas(tmp_path, simulator, postgres_url)


async def readiness(system: BotSystem) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{system.app.port}/readyz") as response,
    ):
        return dict(await response.json())


async def told(system: BotSystem, part: str) -> str:
    return str((await readiness(system))["parts"].get(part, {}).get("reason"))


async def until(condition: Callable[[], Any]) -> None:
    """Wait for what is only told when asked."""
    async with asyncio.timeout(LONGEST_WAIT):
        while not await condition():  # noqa: ASYNC110 - the health is asked for
            await asyncio.sleep(0.05)


async def test_a_second_bot_on_one_postgresql_is_refused_in_one_sentence(replicas: Replicas) -> None:
    async with replicas.bot("first", replicas=1) as first:
        with pytest.raises(DatabaseInUse, match=r"^another bot uses the database \(process \d+ on .*\); stop it"):
            async with replicas.bot("second", replicas=1):
                pass
        with pytest.raises(ConfigurationError, match=r"the settings differ .*: replicas; give all of them the same$"):
            async with replicas.bot("second"):
                pass
        assert "replicas" not in (await readiness(first))["parts"], "a bot that is alone says nothing of others"
    async with replicas.bot("third", replicas=1) as third:
        assert third.count("replica_leads") == 1, "an orderly stop leaves nothing to wait for"


async def test_two_bots_say_who_leads_and_the_other_takes_over_at_a_stop(replicas: Replicas) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(replicas.bot("first"))
        assert await told(first, "replicas") == "1 of 2 replicas live, this one leads"
        async with replicas.bot("second") as second:
            assert (first.count("replica_leads"), second.count("replica_leads")) == (1, 0)
            assert "2 of 2 replicas live, process" in await told(second, "replicas")
            await until(lambda: _says(first, "2 of 2 replicas live, this one leads"))
            await stack.aclose()
            await eventually(lambda: second.count("replica_leads") == 1, hint=lambda: "nobody leads")
            await until(lambda: _says(second, "1 of 2 replicas live, this one leads"))


async def _is(system: BotSystem, status: str) -> bool:
    return bool((await readiness(system))["status"] == status)


async def _says(system: BotSystem, words: str) -> bool:
    return await told(system, "replicas") == words


async def test_settings_that_must_agree_are_compared_at_the_join(replicas: Replicas) -> None:
    async with replicas.bot("first"):
        with pytest.raises(ConfigurationError, match=r"the settings differ .*: language, limits; give all"):
            async with replicas.bot("second", language="en", limits={"questions_at_once": 7}):
                pass


async def test_a_replica_with_other_rules_than_the_leader_is_not_ready(replicas: Replicas, tmp_path: Path) -> None:
    rules = tmp_path / "alerts.toml"
    rules.write_text("[default]\nto = []\n")
    async with replicas.bot("first") as first, replicas.bot("second", alerts={"rules": rules}) as second:
        assert (await readiness(first))["status"] != "not ready"
        await until(lambda: _is(second, "not ready"))
        report = await readiness(second)
        assert "the rules differ from those of the replica that leads (process" in report["reasons"][0]
        assert report["reasons"][0].endswith(": alert rules")
