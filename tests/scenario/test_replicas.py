"""Two bots on one PostgreSQL and one DingTalk."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.chat.context import QuestionContext
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import RunningSimulator
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.settings import AllowanceSettings
from bot.store.errors import DatabaseInUse
from bot.words.errors import ConfigurationError
from tests.scenario.conftest import READING, BotSystem, run_system
from tests.scenario.processes import NO_INDEX, SHARED_KEY, Program, dingerp, environment, used_before
from tests.scenario.replica_company import PER_SECOND, Mishap, ReplicatedCompany, open_replicated_company
from tests.scenario.traffic import LONGEST_WAIT, Traffic, eventually

CONFIG = SimulatorConfig(qps_limit=None, redelivery_delay=3.0, redeliveries=50)
VERSION_BEFORE = os.environ.get("TEST_VERSION_BEFORE", "")
"""What a frozen bot does not acknowledge soon comes to another one."""


class Replicas:
    """Bots with folders of their own on one database."""

    def __init__(self, folder: Path, simulator: RunningSimulator, url: str) -> None:
        self.folder = folder
        self.simulator = simulator
        self.url = url

    @asynccontextmanager
    async def process(self, name: str, **more: str) -> AsyncIterator[Program]:
        """Run a bot as a process of its own."""
        shared = {"DINGERP_DATABASE_URL": self.url, "DINGERP_REPLICAS": "2", "DINGERP_LIMITS__QPS": "inf"}
        folder = used_before(self.folder / name)
        env = environment(CONFIG, self.simulator.url, folder, **shared, **NO_INDEX, **more)
        async with dingerp("run", env=env, folder=folder) as started:
            yield started

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
    async with open_replicas(tmp_path, postgres_url, monkeypatch, CONFIG) as opened:
        yield opened


@asynccontextmanager
async def open_replicas(
    folder: Path, url: str, monkeypatch: pytest.MonkeyPatch, config: SimulatorConfig
) -> AsyncIterator[Replicas]:
    monkeypatch.chdir(folder)
    async with simulator_running(config) as simulator:
        yield Replicas(folder, simulator, url)


async def readiness(system: BotSystem) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{system.app.port}/readyz") as response,
    ):
        return dict(await response.json())


async def told(system: BotSystem, part: str) -> str:
    return str((await readiness(system))["parts"].get(part, {}).get("reason"))


async def _presences(system: BotSystem) -> list[str]:
    """Return what a bot says of each replica; these two are one process."""
    parts = (await readiness(system))["parts"]
    return [part["reason"] for name, part in parts.items() if name.startswith("replica ")]


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
            assert [await told(each, "work of others") for each in (first, second)] == [_TOLD, _TOLD]
            roles = [words.partition(",")[0] for words in await _presences(second)]
            assert roles == ["leads", "follows"], "who joined first comes first"
            assert all("since 20" in words and " s ago" in words for words in await _presences(second))
            await stack.aclose()
            await eventually(lambda: second.count("replica_leads") == 1, hint=lambda: "nobody leads")
            await until(lambda: _says(second, "1 of 2 replicas live, this one leads"))


_TOLD = "told at once, and looked for every 30 s"


async def test_replicas_behind_a_pooler_say_that_they_look_for_the_work_of_others(
    tmp_path: Path, pooled_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_replicas(tmp_path, pooled_url, monkeypatch, CONFIG) as replicas, replicas.bot("first") as first:
        assert await told(first, "work of others") == "looked for every 5 s"


async def _is(system: BotSystem, status: str) -> bool:
    return bool((await readiness(system))["status"] == status)


@pytest.mark.timeout(300)
async def test_quick_questions_of_one_conversation_keep_their_order_among_replicas(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is asked when the one before is acknowledged, and long before it is answered."""
    answer, moments = QuestionDispatcher.view_for, Random(7)

    async def slowly(dispatcher: QuestionDispatcher, context: QuestionContext) -> PreparedAnswer:
        await asyncio.sleep(moments.uniform(0.0, 0.5))
        return await answer(dispatcher, context)

    monkeypatch.setattr(QuestionDispatcher, "view_for", slowly)
    engine = replicas.simulator.engine
    async with replicas.bot("first") as first, replicas.bot("second") as second:
        traffic = Traffic(engine, 4)
        for _ in range(80):
            traffic.ask()
            await eventually(lambda: not engine.pushes.in_flight, hint=lambda: "not acknowledged")
        await eventually(lambda: traffic.answers == 80, hint=lambda: traffic.unanswered)
        assert traffic.in_order
        assert traffic.doubled == []
        assert all(bot.count("answers_sent_total", via="card") > 10 for bot in (first, second)), "both took their share"


@pytest.mark.timeout(300)
async def test_a_person_goes_on_at_another_replica_in_their_language(replicas: Replicas) -> None:
    async with replicas.bot("first", **READING) as first, replicas.bot("second", **READING) as second:
        await first.ask("/lang en")
        for turn in range(8):
            card = await first.ask("SKU123 库存")
            assert "按" not in card.tips, (turn, card)
            card = await first.ask("那深圳仓呢")
            assert "SKU123" in card.title, (turn, card)
        assert all(bot.count("answers_sent_total", via="card") > 0 for bot in (first, second))


@pytest.mark.process
@pytest.mark.timeout(300)
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
async def test_what_a_replica_acknowledged_another_answers_if_it_ends(
    end: signal.Signals, replicas: Replicas, tmp_path: Path
) -> None:
    traffic = Traffic(replicas.simulator.engine, 20)
    async with AsyncExitStack() as stack:
        bots = [await stack.enter_async_context(replicas.process(f"bot{number}")) for number in range(2)]
        for bot in bots:
            await bot.saying("stream.connected")
        await eventually(lambda: any(bot.logged("replica.leads") for bot in bots), hint=lambda: bots[0].err)
        # Which of the two leads is open.
        bots.sort(key=lambda bot: not bot.logged("replica.leads"))
        load = asyncio.create_task(traffic.flow(4.0))
        await eventually(lambda: traffic.answers > 20, hint=lambda: bots[0].err)
        bots[0].process.send_signal(end)
        await load
        await eventually(lambda: not traffic.unanswered, hint=lambda: (traffic.unanswered, bots[1].err))
        await bots[1].saying("replica.leads")
        bots[0].process.send_signal(signal.SIGCONT)
        if end is signal.SIGSTOP:
            await bots[0].saying("replica.follows")
            stopped = await bots[0].stop()
            assert stopped.code == 0, stopped.err
        await bots[1].stop()
    assert traffic.doubled == []
    assert traffic.answers == len(traffic.questions)


def has_gone_on(company: ReplicatedCompany, work: asyncio.Task[None], answers: float) -> bool:
    return work.done() or company.traffic.answers > answers


@pytest.mark.process
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("url", "count", "seconds", "mishaps"),
    [
        pytest.param("postgres_url", 2, 8.0, [Mishap.CUT_OFF, Mishap.STOPPED], id="seconds"),
        pytest.param("pooled_url", 2, 8.0, [Mishap.FROZEN], id="behind PgBouncer"),
        pytest.param("postgres_url", 2, 120.0, [*Mishap, *Mishap], id="two minutes", marks=pytest.mark.soak),
        pytest.param("postgres_url", 4, 120.0, [*Mishap, *Mishap], id="four replicas", marks=pytest.mark.soak),
        pytest.param("pooled_url", 2, 120.0, [*Mishap, *Mishap], id="two behind PgBouncer", marks=pytest.mark.soak),
    ],
)
async def test_replicas_outlive_one_another(
    url: str, count: int, seconds: float, mishaps: Sequence[Mishap], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The one that leads is killed, frozen beyond its lease, stopped, or cut off, in turn, while everybody works."""
    async with open_replicated_company(tmp_path, request.getfixturevalue(url), seconds, count) as company:
        for port in company.senders.ports:
            await company.start(port)
        work = asyncio.create_task(company.work())
        for mishap in mishaps:
            wanted = company.traffic.answers + seconds * PER_SECOND / (len(mishaps) + 2)
            await eventually(partial(has_gone_on, company, work, wanted), hint=lambda: company)
            await company.suffer(mishap)
        await work
        await company.assert_nothing_lost_or_doubled()
        await company.stop()
    print(company)


@pytest.mark.soak
@pytest.mark.process
@pytest.mark.timeout(900)
@pytest.mark.skipif(not VERSION_BEFORE, reason="TEST_VERSION_BEFORE names no checkout of the version before")
async def test_a_new_version_comes_to_one_replica_after_the_other(empty_postgres_url: str, tmp_path: Path) -> None:
    before = Path(VERSION_BEFORE)
    async with open_replicated_company(tmp_path, empty_postgres_url, 60.0) as company:
        for port in company.senders.ports:
            await company.start(port, before)
        work = asyncio.create_task(company.work())
        for port in company.senders.ports:
            wanted = company.traffic.answers + 60 * PER_SECOND / 4
            await eventually(partial(has_gone_on, company, work, wanted), hint=lambda: company)
            await company.replace(port)
        await work
        await company.assert_nothing_lost_or_doubled()
        await company.stop()
    print(company)


async def _says(system: BotSystem, words: str) -> bool:
    return await told(system, "replicas") == words


async def test_settings_that_must_agree_are_compared_at_the_join(replicas: Replicas) -> None:
    async with replicas.bot("first"):
        with pytest.raises(ConfigurationError, match=r"the settings differ .*: language, limits; give all"):
            async with replicas.bot("second", language="en", limits={"questions_at_once": 7}):
                pass


@pytest.mark.timeout(300)
async def test_a_person_has_one_allowance_at_all_replicas(replicas: Replicas) -> None:
    allowance = AllowanceSettings(questions_minute=12, documents_day=0, documents_row=0)
    limits = {"limits": {"person": allowance}}
    async with replicas.bot("first", **limits) as first, replicas.bot("second", **limits) as second:
        traffic = Traffic(first.engine, 3)
        for _ in range(30):
            traffic.ask()
        answered = "outcome", "answered"
        await eventually(
            lambda: sum(asked(bot) for bot in (first, second)) == 30,
            hint=lambda: [asked(bot) for bot in (first, second)],
        )
        assert sum(asked(bot, answered) for bot in (first, second)) == 12


def asked(system: BotSystem, *labels: tuple[str, str]) -> float:
    """Return the number of questions with such an end."""
    families = system.app.metrics.registry.restricted_registry(["dingerp_questions_total"]).collect()
    samples = (sample for family in families for sample in family.samples)
    return sum(sample.value for sample in samples if dict(labels).items() <= sample.labels.items())


async def test_no_more_join_than_share_the_rate(replicas: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    async with replicas.bot("first"), replicas.bot("second"):
        monkeypatch.setattr("bot.bootstrap.replicas.LEASE", timedelta(0))  # how long it would wait for room
        with pytest.raises(ConfigurationError, match=r"^2 replicas work on the database already .*, and replicas = 2;"):
            async with replicas.bot("third"):
                pass


@pytest.mark.timeout(300)
async def test_replicas_share_the_calls_of_a_second(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone each would make as many as DingTalk takes of both."""
    limited = SimulatorConfig(qps_limit=20)
    async with open_replicas(tmp_path, postgres_url, monkeypatch, limited) as replicas:
        wanted = {"limits": {"qps": 20.0}}
        async with replicas.bot("first", **wanted) as first, replicas.bot("second", **wanted) as second:
            traffic = Traffic(first.engine, 10)
            for _ in range(60):
                traffic.ask()
            await eventually(lambda: traffic.answers == 60, hint=lambda: traffic.unanswered)
            for bot in (first, second):
                families = bot.app.metrics.registry.collect()
                refused = [
                    sample
                    for family in families
                    for sample in family.samples
                    if sample.labels.get("outcome") == "rate_limited" and sample.value
                ]
                assert refused == []


async def test_a_replica_with_other_rules_than_the_leader_is_not_ready(replicas: Replicas, tmp_path: Path) -> None:
    rules = tmp_path / "others.toml"  # the bots look for alerts.toml themselves
    rules.write_text("[default]\nto = []\n")
    async with replicas.bot("first") as first, replicas.bot("second", alerts={"rules": rules}) as second:
        assert (await readiness(first))["status"] != "not ready"
        await until(lambda: _is(second, "not ready"))
        report = await readiness(second)
        assert "the rules differ from those of the replica that leads (process" in report["reasons"][0]
        assert report["reasons"][0].endswith(": alert rules")
