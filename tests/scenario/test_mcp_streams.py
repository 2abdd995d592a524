"""Agents of the older transport: whose stream it is, how many there are, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urljoin

import aiohttp
import orjson
import pytest

from bot.admin.api_keys import revoke_key
from bot.bootstrap import api as api_parts
from bot.web.api.problems import PROBLEM
from bot.web.api.streams import EVENTS
from bot.web.mcp import event_streams
from bot.web.mcp.event_streams import MOST_MESSAGES, MOST_OF_KEY, AgentStreams
from tests.rows import each_row
from tests.scenario.conftest import KEEPER, OpenSystem
from tests.scenario.test_api import BOSS, Door, opened
from tests.scenario.test_attacks import tell
from tests.scenario.test_live_answers import NEVER, next_event, next_told

PING = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
STOCK = {
    "jsonrpc": "2.0",
    "id": 8,
    "method": "tools/call",
    "params": {"name": "stock", "arguments": {"product": "SKU123"}},
}


@dataclass
class Stream:
    """A stream of an agent that holds on to the protocol by hand."""

    door: Door
    response: aiohttp.ClientResponse
    messages: str

    async def post(self, body: Any = PING, **headers: str) -> tuple[int, str]:
        """Post a message; return the status, and what is said of it."""
        async with self.door.client.session.post(
            self.messages, json=body, headers=_shown(self.door) | headers
        ) as answer:
            return answer.status, answer.content_type

    async def answer(self) -> Any:
        return orjson.loads((await next_told(self.response))["data"])


def _shown(door: Door) -> dict[str, str]:
    return {"Authorization": f"Bearer {door.client.token}"}


@asynccontextmanager
async def stream(door: Door, **headers: str) -> AsyncIterator[Stream]:
    address = f"{door.client.base}/mcp/sse"
    async with door.client.session.get(address, headers=_shown(door) | headers) as response:
        told = await next_event(response) if response.status == 200 else {"data": ""}
        yield Stream(door, response, urljoin(address, told["data"]))


def _looking(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(api_parts, "AgentStreams", partial(AgentStreams, look_every=seconds))


Opening = Callable[..., Any]


@pytest.fixture
async def door(open_system: OpenSystem, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    """A bot that looks often whether the keys of its streams are good."""
    _looking(monkeypatch, 0.05)
    async with open_system() as system, opened(system) as door:
        await door.key()
        yield door


async def test_a_stream_says_where_to_post_and_tells_the_answers(door: Door) -> None:
    async with stream(door) as agent:
        assert (agent.response.status, agent.response.content_type) == (200, EVENTS)
        assert await agent.post() == (202, "application/octet-stream")
        assert await agent.answer() == {"jsonrpc": "2.0", "id": 7, "result": {}}
        assert await next_event(agent.response) == {"": "here"}
        assert (await agent.post({"jsonrpc": "2.0", "method": "notifications/initialized"}))[0] == 202
        assert (await agent.post({"jsonrpc": "2.0", "id": 9, "method": "nothing"}))[0] == 202
        assert (await agent.answer())["error"]["code"] == -32601, "what needs no answer gets none"
        assert (await agent.post("no message"))[0] == 202
        assert "error" in await agent.answer()


async def test_the_address_has_the_prefix_that_a_proxy_takes_off(open_system: OpenSystem) -> None:
    async with open_system(http={"public_url": "https://erp.example/bot"}) as system, opened(system) as door:
        await door.key()
        async with stream(door) as agent:
            assert agent.messages.startswith(f"{door.client.base}/bot/mcp/messages?session_id=")


async def test_a_stream_is_its_key_s(door: Door) -> None:
    async with stream(door) as agent:
        for owner in (BOSS, KEEPER):
            await door.key(owner)
            assert await agent.post() == (404, PROBLEM), "as if there were none"
        assert (await agent.post(Authorization="Bearer nothing"))[0] == 401
        agent.messages = agent.messages.partition("?")[0]
        assert (await agent.post())[0] == 404


async def test_a_key_that_is_over_ends_its_streams(door: Door) -> None:
    key = await door.key(KEEPER)
    async with stream(door) as agent:
        await agent.post()
        await agent.answer()
        await revoke_key(door.system.app.settings, key)
        assert (await agent.post())[0] == 401
        assert b"event" not in await agent.response.content.read()


async def test_who_leaves_has_no_stream(door: Door) -> None:
    await door.key(KEEPER)
    async with stream(door) as agent:
        await tell(door.system, "user_leave_org", {"userId": [KEEPER]})
        assert b"event" not in await agent.response.content.read()
        assert (await agent.post())[0] == 401


@each_row(
    "method, path, headers, status",
    [
        ("GET", "/mcp/sse", {"Origin": "https://elsewhere.example"}, 403),
        ("POST", "/mcp/messages", {"Origin": "https://elsewhere.example"}, 403),
        ("POST", "/mcp/sse", {}, 405),
        ("GET", "/mcp/messages", {}, 405),
        ("GET", "/mcp/sse", {"Authorization": "Bearer nothing"}, 401),
        ("POST", "/mcp/messages", {"Authorization": "Bearer nothing"}, 401),
        ("POST", "/mcp/messages", {"Content-Type": "text/plain"}, 415),
    ],
)
async def test_who_may_come_and_how(method: str, path: str, headers: dict[str, str], status: int, door: Door) -> None:
    sent = {"Content-Type": "application/json", **_shown(door), **headers}
    async with door.client.session.request(method, f"{door.client.base}{path}", headers=sent, data=b"{}") as answer:
        assert answer.status == status


async def test_a_key_has_its_share_of_the_streams(door: Door) -> None:
    async with AsyncExitStack() as kept:
        opened = [await kept.enter_async_context(stream(door)) for _ in range(MOST_OF_KEY + 1)]
        assert [each.response.status for each in opened] == [200] * MOST_OF_KEY + [429]
        await door.key(KEEPER)
        assert (await kept.enter_async_context(stream(door))).response.status == 200, "another's key has room"
    while (await _status(door)) == 429:  # noqa: ASYNC110 - until the bot has noticed that they are gone
        await asyncio.sleep(0.05)


async def _status(door: Door) -> int:
    async with stream(door) as agent:
        return agent.response.status


async def test_a_stream_has_its_share_of_the_messages(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    gone_on = asyncio.Event()
    answer = event_streams._answer

    async def waiting(*given: Any) -> None:
        await gone_on.wait()
        await answer(*given)

    monkeypatch.setattr(event_streams, "_answer", waiting)
    async with stream(door) as agent:
        posted = [(await agent.post(STOCK | {"id": number}))[0] for number in range(MOST_MESSAGES + 1)]
        assert posted == [202] * MOST_MESSAGES + [429]
        gone_on.set()
        assert {(await agent.answer())["id"] for _ in range(MOST_MESSAGES)} == {*range(MOST_MESSAGES)}
        assert (await agent.post())[0] == 202


async def test_a_defect_ends_the_stream_that_waits_for_an_answer(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*_given: Any) -> None:
        raise RuntimeError("defect")

    async with stream(door) as agent:
        monkeypatch.setattr("bot.web.mcp.transport.serve", failing)
        assert (await agent.post())[0] == 202
        assert b"event" not in await agent.response.content.read()
        assert (await agent.post())[0] == 404
    assert door.system.count("errors_total", room="mcp", error="RuntimeError") == 1


async def test_streams_end_when_the_bot_stops(open_system: OpenSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    _looking(monkeypatch, NEVER)
    async with AsyncExitStack() as kept:
        async with open_system() as system, opened(system) as door:
            await door.key()
            door.client.session = await kept.enter_async_context(aiohttp.ClientSession())
            agent = await kept.enter_async_context(stream(door))
        assert await agent.response.content.read() == b""
