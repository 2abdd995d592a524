"""Clients that others make: generated from the description of the API in two languages, and MCP's inspector."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.web.mcp.tools import TOOLS
from tests.scenario.conftest import KEEPER
from tests.scenario.test_api import BOSS, Door
from tests.scenario.test_api_documents import Ruled, ruled  # noqa: F401  # a fixture
from tests.scenario.test_mcp import CALLS, by_key, by_login

CLIENTS = Path(__file__).parents[1] / "web" / "clients"
MADE_WITH = Path(sys.prefix) / "clients"
"""Python's generator and npm's packages, which the Makefile installs."""
PYTHON, NPM = MADE_WITH / "bin" / "python", MADE_WITH / "node_modules" / ".bin"
GENERATOR_SETTINGS = "package_name_override: dingerp_client\npost_hooks: []\n"


async def _run(*command: str | Path, folder: Path | None = None, **environment: str) -> bytes:
    """Run a program until it ends well, and return what it printed."""
    program = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=folder,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, wrong = await program.communicate()
    assert program.returncode == 0, (printed + wrong).decode()
    return printed


async def _python_client(folder: Path, description: Path) -> tuple[str | Path, ...]:
    settings, client = folder / "settings.yaml", folder / "dingerp_client"
    settings.write_text(GENERATOR_SETTINGS)
    making = ("-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning")
    await _run(PYTHON, *making, "--config", settings, "--path", description, "--output-path", client)
    return PYTHON, CLIENTS / "asks.py"


async def _typescript_client(folder: Path, description: Path) -> tuple[str | Path, ...]:
    for name in ("asks.ts", "tsconfig.json", "package.json"):
        shutil.copy(CLIENTS / name, folder)
    (folder / "node_modules").symlink_to(NPM.parent)
    await _run(NPM / "openapi-typescript", description, "--output", folder / "api.d.ts")
    await _run(NPM / "tsc", "--project", folder)
    return "node", folder / "asks.js"


@pytest.fixture(autouse=True)
def npm() -> None:
    if not NPM.exists():
        pytest.skip("no npm here: apt-get install npm")


async def _told_by_hand(door: Door) -> Mapping[str, Any]:
    late = await door.client.get("/order", list="late", limit="100")
    total = (await door.client.get("/order/SO-1001")).view["document"]["total"]
    wrong = await door.client.get("/order", days="someday")
    return {
        "late": [each["number"] for each in late.view["rows"]],
        "total": f"hidden: {total['hidden']}" if "hidden" in total else f"{total['amount']} {total['currency']}",
        "asked": (await door.client.ask("stock SKU123")).body["asked"],
        "problem": [wrong.status, [part["parameter"] for part in wrong.body["errors"]]],
        "state": "denied",
    }


@pytest.mark.parametrize("make", [_python_client, _typescript_client])
async def test_generated_clients_are_told_the_same_with_hidden_values_typed(
    make: Any,
    ruled: Ruled,  # noqa: F811
    tmp_path: Path,
) -> None:
    description = tmp_path / "openapi.json"
    description.write_bytes(orjson.dumps((await ruled.boss.client.get("/openapi.json")).body))
    command = await make(tmp_path, description)
    totals = []
    for door, owner in ((ruled.boss, BOSS), (ruled.keeper, KEEPER)):
        await door.key(owner, "*", "gate")
        by_hand = await _told_by_hand(door)
        environment = {"BOT_URL": door.client.base, "BOT_KEY": door.client.token, "PYTHONPATH": str(tmp_path)}
        printed = await _run(*command, folder=tmp_path, **environment)
        assert orjson.loads(printed) == by_hand
        assert len(by_hand["late"]) > 3
        totals.append(by_hand["total"])
    assert totals == ["9577.5 CNY", "hidden: amount"]


@pytest.mark.parametrize("identify", [by_key, by_login])
@pytest.mark.parametrize("transport", ["http", "sse", "stdio"])
async def test_the_inspector_lists_and_calls_every_tool(
    transport: str,
    identify: Callable[[Door], Awaitable[str]],
    ruled: Ruled,  # noqa: F811
) -> None:
    await identify(ruled.boss)
    token, address = ruled.boss.client.token, ruled.boss.client.base
    if transport == "stdio":
        server = ("-e", f"BOT_URL={address}", "-e", f"BOT_KEY={token}", sys.executable, "-m", "bot.cli", "mcp")
    else:
        path = "/mcp/sse" if transport == "sse" else "/mcp"
        server = (f"{address}{path}", "--transport", transport, "--header", f"Authorization: Bearer {token}")
    inspect = (NPM / "mcp-inspector", "--cli", *server)
    listed = orjson.loads(await _run(*inspect, "--method", "tools/list"))
    assert [tool["name"] for tool in listed["tools"]] == [tool.name for tool in TOOLS]
    for name, (arguments, line) in CALLS.items():
        given = [part for each in arguments.items() for part in ("--tool-arg", "=".join(each))]
        told = orjson.loads(await _run(*inspect, "--method", "tools/call", "--tool-name", name, *given))
        assert told["content"][0]["text"].startswith(f"Asked: {line}\n")
