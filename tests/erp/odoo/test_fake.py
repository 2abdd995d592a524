"""The fake Odoo answers like the recorded servers: the same errors and the same kinds of values."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.kit.testing.company import Clock, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET
from tests.erp.fakes.odoo import DATABASE, FakeOdoo
from tests.erp.odoo.recordings import JSON2, JSON_RPC, Exchange, find, load


@pytest.fixture(params=[JSON2, JSON_RPC])
def file(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def fake(file: str, clock: Clock) -> AsyncIterator[FakeOdoo]:
    server = FakeOdoo(ReferenceCompany(now=clock.now), clock, (19, 0) if file == JSON2 else (18, 0))
    await server.start()
    yield server
    await server.stop()


async def ask(fake: FakeOdoo, exchange: Exchange, body: Any) -> tuple[int, Any]:
    """Send a recorded request with the fake's database and keys."""
    headers = {"X-Odoo-Database": DATABASE}
    if exchange.key:
        headers["Authorization"] = "bearer " + ("bad" if exchange.key == "bad" else SECRET)
    async with (
        aiohttp.ClientSession() as session,
        session.request(exchange.request["method"], fake.url + exchange.request["path"], json=body,
                        headers=headers) as response,
    ):  # fmt: skip
        return response.status, await response.json()


def _with_own_account(body: Any) -> Any:
    """Return a JSON-RPC body with the fake's database, user and key."""
    service, method, args = (body["params"][name] for name in ("service", "method", "args"))
    own = args
    if service == "object":
        own = [DATABASE, 2, "wrong" if args[2] == "wrong" else SECRET, *args[3:]]
    elif args:
        own = [DATABASE, "bot", SECRET]
    return {**body, "params": {"service": service, "method": method, "args": own}}


def _without_debug(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: _without_debug(value) for name, value in answer.items() if name != "debug"}
    return answer


@pytest.mark.parametrize(
    "title",
    [
        "missing id: empty list",
        "unknown field: 500",
        "unknown method: 404",
        "unknown argument: 422",
        "bad key: 401",
    ],
)
@pytest.mark.parametrize("file", [JSON2], indirect=True)
async def test_errors_of_json2(title: str, fake: FakeOdoo) -> None:
    exchange = find(JSON2, title)
    status, answer = await ask(fake, exchange, exchange.request["json"])
    assert status == exchange.response["status"]
    assert _without_debug(answer) == _without_debug(exchange.response["json"])


@pytest.mark.parametrize("title", ["missing record", "unknown field", "wrong password"])
@pytest.mark.parametrize("file", [JSON_RPC], indirect=True)
async def test_errors_of_json_rpc(title: str, fake: FakeOdoo) -> None:
    exchange = find(JSON_RPC, title)
    status, answer = await ask(fake, exchange, _with_own_account(exchange.request["json"]))
    assert status == exchange.response["status"]
    assert _without_debug(answer) == _without_debug(exchange.response["json"])


async def test_version_and_login(file: str, fake: FakeOdoo) -> None:
    exchange = find(file, "version")
    status, answer = await ask(fake, exchange, exchange.request["json"])
    assert (status, answer) == (200, exchange.response["json"])
    if file == JSON_RPC:
        login = find(file, "login")
        assert await ask(fake, login, _with_own_account(login.request["json"])) == (
            200, {"jsonrpc": "2.0", "id": 1, "result": 2}
        )  # fmt: skip


@pytest.mark.parametrize("file", [JSON2], indirect=True)
async def test_values_are_of_the_recorded_kinds(fake: FakeOdoo) -> None:
    compared = 0
    for exchange in load(JSON2):
        model, method = exchange.call
        if method != "search_read" or not exchange.result:
            continue
        known = fake.records(model)
        assert known is not None
        fields = [name for name in exchange.request["json"]["fields"] if name in known.fields]
        context = {"allowed_company_ids": [1]}
        status, rows = await ask(fake, exchange, {"domain": [], "fields": fields, "context": context})
        assert status == 200
        for name in fields:
            kinds = {_kind(row[name]) for row in exchange.result} | {"bool"}
            found_kinds = {_kind(row[name]) for row in rows}
            if kinds != {"bool"}:
                compared += 1
                assert found_kinds <= kinds, (model, name)
    assert compared > 100


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return f"list of {', '.join(type(item).__name__ for item in value[:2])}" if value and _is_pair(value) else "ids"
    return f"text of {len(value)}" if isinstance(value, str) and value[:2] == "20" else type(value).__name__


def _is_pair(value: list[Any]) -> bool:
    return isinstance(value[-1], str)
