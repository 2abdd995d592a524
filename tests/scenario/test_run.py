"""``dingerp run`` for an operator: what it needs, what it reports about itself, which secrets it never shows."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot import cli
from bot.app import running
from bot.bootstrap import infrastructure, questions
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import RunningSimulator
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.settings import HttpSettings, load_settings
from bot.words.errors import ConfigurationError
from tests.scenario.conftest import KEEPER, BotSystem, OpenSystem, system_settings
from tests.scenario.processes import dingerp, environment, forked, program, used_before
from tests.scenario.traffic import Traffic, eventually

CONFIG = SimulatorConfig(qps_limit=None, quota_limit=None)
NOBODY = "http://127.0.0.1:9"
"""The port `discard`, on which nobody listens."""


@pytest.fixture
async def simulator() -> AsyncIterator[RunningSimulator]:
    async with simulator_running(CONFIG) as opened:
        yield opened


async def get(port: object, path: str) -> tuple[int, str]:
    """Return status and body of the bot's own HTTP server."""
    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


PROMISED = (
    "dingerp_frames_total",
    "dingerp_ack_seconds_bucket",
    "dingerp_stream_opens_total",
    "dingerp_stream_connected 1.0",
    'dingerp_questions_total{command="stock",outcome="answered"} 1.0',
    "dingerp_answer_seconds_bucket",
    'dingerp_answers_sent_total{via="card"} 1.0',
    "dingerp_questions_waiting 0.0",
    'dingerp_api_calls_total{api="create_and_deliver",outcome="ok"} 1.0',
    "dingerp_api_calls_month 1.0",
    "dingerp_erp_calls_total",
)


@pytest.mark.process
async def test_two_keys_and_a_vendor_are_enough(simulator: RunningSimulator, tmp_path: Path) -> None:
    engine, traffic = simulator.engine, Traffic(simulator.engine, 1)
    env = environment(CONFIG, simulator.url, tmp_path / "data")
    # As an operator starts it: in a Python that has loaded nothing yet.
    async with program("-m", "bot.cli", "run", env=env, folder=tmp_path) as bot:
        port = (await bot.saying("bot.running"))["port"]
        traffic.ask()
        await engine.wait_for(lambda: traffic.answers)
        assert not traffic.unanswered
        assert await get(port, "/healthz") == (200, '{"status": "alive"}')
        assert (await get(port, "/readyz"))[0] == 200
        metrics = await settled_metrics(port)
        assert [name for name in PROMISED if name not in metrics] == []
        assert (await bot.stop()).code == 0
        assert (bot.out, "Traceback" in bot.err) == ("", False)


async def settled_metrics(port: object) -> str:
    """Return ``/metrics`` once the bot has counted its answer, which the simulator sees a moment earlier."""
    while "dingerp_questions_waiting 0.0" not in (text := (await get(port, "/metrics"))[1]):  # noqa: ASYNC110 - another process counts
        await asyncio.sleep(0.05)
    return text


async def test_not_ready_without_a_gateway(system: BotSystem) -> None:
    port = system.app.port
    assert (await get(port, "/readyz"))[0] == 200
    system.engine.faults.set("open_503", on=True)
    for connection in list(system.engine.pushes.connections.values()):
        connection.abort()
    await eventually(lambda: not system.app.stream.status.connected, hint=lambda: system.app.stream.status)
    status, body = await get(port, "/readyz")
    assert (status, "no stream connection" in body) == (503, True)
    assert (await get(port, "/healthz"))[0] == 200
    system.engine.faults.clear()
    await eventually(lambda: system.app.stream.status.connected, hint=lambda: system.app.stream.status)
    assert (await get(port, "/readyz"))[0] == 200


def with_database(system: BotSystem, statement: str) -> None:
    """Change the bot's database behind its back."""
    with closing(sqlite3.connect(system.app.settings.database.removeprefix("sqlite:///"))) as database, database:
        database.execute(statement)


async def test_not_ready_with_a_database_of_another_version(system: BotSystem) -> None:
    with_database(system, "UPDATE alembic_version SET version_num = '9999'")
    status, body = await get(system.app.port, "/readyz")
    assert (status, "upgrade" in body) == (503, True)


async def test_not_ready_with_a_broken_database(system: BotSystem) -> None:
    # Written by another process and then damaged, so that the bot has to read the file again. It may do so in between;
    # then it is the next check that finds the damage.
    with_database(system, "CREATE TABLE another (id INTEGER)")
    path = Path(system.app.settings.database.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(b"this is no database" * 300)  # noqa: ASYNC240 - a moment
    while "the database's file is damaged" not in (answer := await get(system.app.port, "/readyz"))[1]:  # noqa: ASYNC110 - the bot checks in its own time
        await asyncio.sleep(0.05)
    assert answer[0] == 503


async def test_a_database_that_is_away_for_a_while_costs_no_question(
    open_system: OpenSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infrastructure, "_METER_SAVED_EVERY", 0.02)
    monkeypatch.setattr(questions, "_INBOX_PRUNED_EVERY", 0.02)
    config = SimulatorConfig(qps_limit=None, quota_limit=None, redelivery_delay=0.1, redeliveries=1000)
    with capture_logs() as logs:
        async with open_system(config) as system:
            await system.ask("/stock SKU123")
            for table in ("inbox", "api_month"):
                with_database(system, f"ALTER TABLE {table} RENAME TO {table}_away")
            traffic = Traffic(system.engine)
            await traffic.flow(0.4)
            assert traffic.answers == 0
            assert system.count("errors_total", room="stream", error="StoreUnavailable") > 0
            for table in ("inbox", "api_month"):
                with_database(system, f"ALTER TABLE {table}_away RENAME TO {table}")
            await eventually(lambda: not traffic.unanswered, hint=lambda: traffic.unanswered)
            await system.settle()
            assert not system.app.died.done()
    assert traffic.doubled == []
    assert not any("exc_info" in line and line["exc_info"] for line in logs)


WRONG = {
    "no client id": ({"DINGTALK_CLIENT_ID": ""}, "", "DINGTALK_CLIENT_ID"),
    "no client secret": ({"DINGTALK_CLIENT_SECRET": ""}, "", "DINGTALK_CLIENT_SECRET"),
    "no ERP": ({"DINGERP_ERP__MAIN__VENDOR": ""}, "", "no ERP is configured"),
    "a file that is no TOML": ({}, "[http\nport = 1", "dingerp.toml"),
    "an unknown key": ({}, "[http]\nprot = 8788", "http.prot"),
    "a bad value": ({"DINGERP_HTTP__PORT": "http"}, "", "http.port"),
    "an unknown time zone": ({"DINGERP_ZONE": "Asia/Beijing"}, "", "Asia/Beijing"),
    "an unknown vendor": ({"DINGERP_ERP__MAIN__VENDOR": "nosuch"}, "", "nosuch"),
    "a bad option of a vendor": ({"DINGERP_ERP__MAIN__LATENCY": "soon"}, "", "latency"),
    "a database that is none": ({"DINGERP_DATABASE_URL": "mysql://bot:hunter2@db/bot"}, "", "mysql"),
    "a database that is another file": ({"DINGERP_DATABASE_URL": "sqlite:////dev/null"}, "", "database cannot be used"),
    "a key file that is none": ({"DINGERP_DATA_KEY_FILE": "/nowhere/key"}, "", "no key file /nowhere/key"),
    "a password as the key": ({"DINGERP_DATA_KEY": "password"}, "", "dingerp data new-key"),
    "a folder that is none": ({"DINGERP_DATA_DIR": "/dev/null/data"}, "", "/dev/null/data"),
}


SEEN_LATE = ("a bad option of a vendor", "a database that is another file")
"""Mistakes that show only when the bot builds its services."""

PLAINLY_STARTED = "no client id"
"""Started as an operator does; the other processes are forks, which take a tenth of the two seconds."""


@pytest.mark.parametrize("wrong", WRONG)
def test_what_the_operator_did_wrong_is_one_plain_line(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, file, words = WRONG[wrong]
    wanted = environment(CONFIG, NOBODY, tmp_path / "data", **changes)
    monkeypatch.chdir(tmp_path)
    if file:
        (tmp_path / "dingerp.toml").write_text(file)
    for name in os.environ.keys() - wanted.keys():
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["dingerp", "run"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert complaint(ended.value.code, capsys.readouterr().err, words) == ""


@pytest.mark.process
async def test_it_is_one_plain_line_of_a_process_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        some = {wrong: WRONG[wrong] for wrong in (PLAINLY_STARTED, *SEEN_LATE)}
        all_wrong = {**some, "a taken port": ({"DINGERP_HTTP__PORT": port}, "", port)}
        starts = (wrong_start(tmp_path / wrong, wrong, *how) for wrong, how in all_wrong.items())
        complaints = dict(zip(all_wrong, await asyncio.gather(*starts), strict=True))
    assert {mistake: text for mistake, text in complaints.items() if text} == {}


async def wrong_start(folder: Path, wrong: str, changes: Mapping[str, str], file: str, words: str) -> str:
    """Return the differences from a clean end."""
    assert not file, "for this the test in one process is enough"
    env = environment(CONFIG, NOBODY, folder / "data", **changes)
    starting = partial(dingerp, "run") if wrong == PLAINLY_STARTED else partial(forked, "bot.cli", "run")
    async with starting(env=env, folder=folder) as started:
        ended = await started.ended()
    return complaint(ended.code, ended.err, words)


def complaint(code: object, err: str, words: str) -> str:
    """Return the differences from a configuration error: code 2 and one correct line beside the log."""
    lines = [line for line in err.splitlines() if not line.startswith("{")]
    well = code == 2 and len(lines) == 1 and lines[0].startswith("dingerp: ") and words in lines[0]
    return "" if well and "hunter2" not in err else f"exit code {code}, {err}"


@pytest.mark.process
async def test_a_second_bot_on_the_same_file_says_who_has_it_and_ends(
    simulator: RunningSimulator, tmp_path: Path, unused_tcp_port: int
) -> None:
    # On the same port, too, as a second one is that was started by mistake.
    env = environment(CONFIG, simulator.url, tmp_path / "data", DINGERP_HTTP__PORT=str(unused_tcp_port))
    async with forked("bot.cli", "run", env=env, folder=tmp_path) as first:
        await first.saying("stream.connected")
        opened = simulator.engine.calls["POST /v1.0/gateway/connections/open"]
        async with forked("bot.cli", "run", env=env, folder=tmp_path) as second:
            ended = await second.ended()
        assert (ended.code, ended.err.count("\n")) == (3, 1)
        assert re.search(
            r"dingerp: another bot uses the database .*\(process \d+ on .* since .*\); stop it first", ended.err
        )
        assert simulator.engine.calls["POST /v1.0/gateway/connections/open"] == opened
        async with forked("bot.cli", "db", "upgrade", env=env, folder=tmp_path) as upgrade:
            assert (await upgrade.ended()).code == 3
        async with forked("bot.cli", "events", "search", env=env, folder=tmp_path) as search:
            assert (await search.ended()).code == 0
        await first.kill()
    async with forked("bot.cli", "run", env=env, folder=tmp_path) as third:
        await third.saying("bot.running")
        assert (await third.stop()).code == 0


UNUSABLE: Mapping[str, Mapping[str, str]] = {
    "vendor": {"DINGERP_ERP__MAIN__VENDOR": "nosuch"},
    "option of a vendor": {"DINGERP_ERP__MAIN__LATENCY": "soon"},
    "database": {"DINGERP_DATABASE_URL": "sqlite:////dev/null"},
    "hook's secret": {"DINGERP_HOOKS__ERP__SECRET": "whsec_?"},
    "queue's address": {"DINGERP_QUEUES__ERP__URL": "smoke://signals", "DINGERP_QUEUES__ERP__NAME": "events"},
    "access rule": {"DINGERP_ACCESS__RULES": '[{"commands": ["stok"], "roles": ["admin"]}]'},
}


@pytest.mark.parametrize("wrong", UNUSABLE)
async def test_nothing_is_taken_from_dingtalk_before_all_is_checked(
    wrong: str, simulator: RunningSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(CONFIG, simulator.url, tmp_path / "data", **UNUSABLE[wrong]).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError):
        async with running(load_settings()):
            raise AssertionError("it runs")
    assert not simulator.engine.calls


async def test_a_port_that_is_taken_is_found_before_the_stream_opens(
    simulator: RunningSimulator, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        http = HttpSettings.model_validate({"port": taken.getsockname()[1]})
        settings = system_settings(CONFIG, simulator.url, tmp_path, {"http": http})
        with pytest.raises(ConfigurationError, match="DINGERP_HTTP__PORT"):
            async with running(settings):
                raise AssertionError("it runs")
    assert not simulator.engine.calls


async def test_a_database_of_a_newer_version_stops_the_start(simulator: RunningSimulator, tmp_path: Path) -> None:
    settings = system_settings(CONFIG, simulator.url, tmp_path, {})
    used_before(tmp_path / "demo")
    with closing(sqlite3.connect(tmp_path / "demo" / "dingerp.sqlite3")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="a newer version of dingerp has used the database"):
        async with running(settings):
            raise AssertionError("it runs")
    assert not simulator.engine.calls


LOUD: Mapping[str, Mapping[str, Any]] = {
    "html_error": {"rate": 0.1},
    "api_reset": {"rate": 0.1},
    "invalid_auth": {"rate": 0.1},
    "deliver_failed": {"rate": 0.2},
}
"""Makes the bot write about calls, tokens and webhooks."""


def remember_secrets(engine: SimEngine) -> set[str]:
    """Return a set that collects every ticket, token and session that the simulator issues."""
    handed = {engine.config.client_secret}
    credentials = engine.credentials
    for kind in (credentials.tickets, credentials.sessions):

        def issue(value: Any, issue: Any = kind.issue) -> tuple[str, float]:
            key, expires = issue(value)
            handed.add(key)
            return key, expires

        kind.issue = issue  # type: ignore[method-assign]  # of this simulator only
    grant = credentials.app_token

    def app_token() -> tuple[str, int]:
        token, life = grant()
        handed.add(token)
        return token, life

    credentials.app_token = app_token  # type: ignore[method-assign]  # of this simulator only
    return handed


def prices(text: str) -> set[str]:
    """Return the amounts of at least four digits, as displayed and as a program would write them."""
    shown = set(re.findall(r"\d[\d,]*\.\d{2}", text))
    return {form for amount in shown if len(amount) > 6 for form in (amount, amount.replace(",", ""))}


@pytest.mark.process
async def test_the_log_never_holds_a_secret_or_a_price(simulator: RunningSimulator, tmp_path: Path) -> None:
    engine = simulator.engine
    secrets = remember_secrets(engine)
    traffic, group = Traffic(engine), next(iter(engine.chat.conversations))
    env = environment(CONFIG, simulator.url, tmp_path / "data", DINGERP_LOG__LEVEL="debug", DINGERP_LIMITS__QPS="inf")
    engine.faults.set("open_503", on=True, count=1)
    async with dingerp("run", env=env, folder=tmp_path) as bot:
        await bot.saying("stream.open_failed")
        lines = ("/invoice INV-7", "/order SO-1001", "/po PO-1001", "/invoice overdue", "/order late")
        asked = [engine.say(group, KEEPER, line) for line in lines]
        await engine.wait_for(lambda: len(engine.cards_for(asked[0])) == len(lines), timeout=60)
        amounts = prices(" ".join(card.markdown for card in engine.cards_for(asked[0])))
        for switch, settings in LOUD.items():
            engine.faults.set(switch, on=True, **settings)
        await traffic.flow(1.0)
        engine.faults.clear()
        engine.faults.set("quota_exhausted", on=True)
        engine.faults.set("session_expired", on=True)
        # In its own group: in the others it would wait behind answers that are still being retried.
        engine.say(group, KEEPER, "/stock SKU123")
        await bot.saying("answer.not_delivered")
    written = bot.out + bot.err
    assert len(secrets) > len(traffic.questions)
    assert len(amounts) > 10
    assert [secret for secret in secrets if secret in written] == []
    assert [amount for amount in amounts if amount in written] == []
    assert "sendBySession" not in written
