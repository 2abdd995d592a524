"""What the bot stands on fails for a while: what `/readyz` says, what people see, and that work goes on by itself.

Each row of the table in docs/how-to/run-in-production.md ("When something around it fails") has its test here, in
`tests.scenario.test_trouble` or in `tests.scenario.test_faults`.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, TCPConnector
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from bot.app import running
from bot.chat.answers import unstored
from bot.kit.simulator.server import open_simulator as simulator_running
from bot.settings import HookSettings
from tests.alerts.intake.signed_requests import SECRET, sign
from tests.scenario.broken_database import REFUSALS, refusing_disk, relayed
from tests.scenario.conftest import KEEPER, PATIENCE, POLICY, BotSystem, OpenSystem, system_settings
from tests.scenario.processes import NO_INDEX, connected, dingerp, environment, used_before
from tests.scenario.test_run import get
from tests.scenario.test_trouble import CONFIG, _often, said
from tests.scenario.traffic import Traffic, eventually

__all__ = ["_often"]  # pytest finds fixtures in the module

STOCK = "/stock SKU123"
NOT_STORED = "机器人目前无法保存数据"


def is_ready(body: Any) -> bool:
    return bool(body["status"] == "ready")


async def is_told_and_answered_later(system: BotSystem, mend: Callable[[], object]) -> None:
    """Somebody who asks now is told that nothing can be stored, and answered once that is mended."""
    message = system.engine.say(system.group, KEEPER, STOCK)
    cards = system.engine.cards_for
    await eventually(lambda: cards(message), hint=lambda: "no card")
    assert NOT_STORED in cards(message)[0].markdown
    mend()
    await eventually(lambda: len(cards(message)) == 2, hint=lambda: cards(message))
    assert cards(message)[1].title.startswith("SKU123 ")
    assert (await said(system, is_ready))[0] == 200


@pytest.mark.parametrize(("code", "cause"), REFUSALS, ids=["full", "read-only"])
async def test_a_disk_that_takes_nothing(
    code: int, cause: str, open_system: OpenSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unstored, "PATIENCE", 0.05)
    async with open_system(CONFIG) as system:
        await said(system, is_ready)
        with refusing_disk(code, monkeypatch) as mend:
            status, _ = await said(system, lambda body: cause in body["parts"]["database"]["reason"])
            assert status == 503
            await is_told_and_answered_later(system, mend)


async def test_postgresql_that_is_away(
    open_system: OpenSystem, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unstored, "PATIENCE", 0.05)
    url = make_url(postgres_url)
    assert url.port is not None
    async with relayed(url.port) as relay:
        through = url.set(port=relay.port).render_as_string(hide_password=False)
        async with open_system(CONFIG, database_url=SecretStr(through)) as system:
            await said(system, is_ready)
            relay.cut()
            status, _ = await said(system, lambda body: "not reached" in body["parts"]["database"]["reason"])
            assert status == 503
            again: list[asyncio.Task[None]] = []
            await is_told_and_answered_later(system, lambda: again.append(asyncio.create_task(relay.open())))


async def test_names_that_are_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the names of DingTalk there is no stream; what was asked meanwhile is answered afterwards."""
    monkeypatch.chdir(tmp_path)

    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async def fresh(*_: object) -> None:
        """Give no connection that is open already."""

    async with simulator_running(CONFIG) as simulator:
        named = simulator.url.replace("127.0.0.1", "localhost")
        settings = system_settings(CONFIG, named, tmp_path, {})
        async with running(settings, policy=POLICY, patience=PATIENCE) as app:
            system = BotSystem(simulator.engine, app)
            await said(system, is_ready)
            with monkeypatch.context() as names:
                names.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
                names.setattr(TCPConnector, "_get", fresh)
                names.setattr("aiohttp.connector._DNSCacheTable.expired", lambda *_: True)
                _disconnect(system)
                status, body = await said(system, lambda body: body["parts"]["stream"]["status"] == "down")
                assert status == 503
                assert body["parts"]["stream"]["reason"].startswith("no stream connection: ")
                message = system.engine.say(system.group, KEEPER, STOCK)
            await eventually(lambda: system.engine.cards_for(message), hint=lambda: "no answer")
            assert (await said(system, is_ready))[0] == 200


def _disconnect(system: BotSystem) -> None:
    for connection in tuple(system.engine.pushes.connections.values()):
        system.engine.pushes.stop_routing_to(connection)
        connection.abort()


@contextmanager
def few_descriptors(count: int) -> Iterator[None]:
    """Let processes that start now have so many file descriptors."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.process
@pytest.mark.timeout(600)
async def test_callers_of_http_take_no_descriptors_from_the_stream(tmp_path: Path) -> None:
    async with simulator_running(CONFIG) as simulator:
        env = environment(CONFIG, simulator.url, used_before(tmp_path / "data"), **NO_INDEX)
        with few_descriptors(96):
            starting = dingerp("run", env=env, folder=tmp_path)
            bot = await starting.__aenter__()
        try:
            await connected(simulator.engine)
            port = (await bot.saying("bot.running"))["port"]
            callers = [socket.create_connection(("127.0.0.1", int(str(port)))) for _ in range(150)]
            traffic = Traffic(simulator.engine, 5)
            for _ in range(5):
                traffic.ask()
            await eventually(lambda: not traffic.unanswered, hint=lambda: traffic.unanswered)
            for caller in callers:
                caller.close()
            status, _ = await get(port, "/readyz")
            assert status == 200
            assert "Traceback" not in bot.err, bot.err
        finally:
            await starting.__aexit__(None, None, None)


@pytest.mark.parametrize("days", [1, -1])
async def test_a_clock_that_is_a_day_wrong(days: int, open_system: OpenSystem) -> None:
    """Questions are answered; events are refused, since their signatures are of another time, until it is right."""
    wrong = timedelta(0)

    def clock() -> datetime:
        return datetime.now(UTC) + wrong

    hooks = {"erp": HookSettings(secret=SecretStr(SECRET))}
    async with open_system(CONFIG, clock=clock, hooks=hooks) as system:
        await said(system, is_ready)
        assert (await system.ask(STOCK)).title.startswith("SKU123 ")
        wrong = timedelta(days=days)
        assert (await system.ask(STOCK)).title.startswith("SKU123 ")
        assert await _event_sent(system, 1) == 401
        assert (await said(system, is_ready))[0] == 200
        wrong = timedelta(0)
        assert (await system.ask(STOCK)).title.startswith("SKU123 ")
        assert await _event_sent(system, 2) == 202
        assert (await said(system, is_ready))[0] == 200


async def _event_sent(system: BotSystem, number: int) -> int:
    """Post an event with a signature of now and return the status of the answer."""
    event = {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "/erp",
        "type": "stock.low",
        "subject": "SKU123",
        "data": {"available": "1", "reorder_point": "5"},
    }
    body = orjson.dumps(event)
    url = f"http://127.0.0.1:{system.app.port}/hooks/erp"
    async with ClientSession() as client, client.post(url, data=body, headers=sign(body, datetime.now(UTC))) as answer:
        return answer.status
