"""Answers that live, of the whole bot: a program is told once, and again when something has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import orjson
import pytest

from bot.admin.api_keys import revoke_key
from bot.bootstrap import api as api_parts
from bot.web.api.live import EVENTS, MOST_OF_KEY, LiveAnswers
from tests.scenario.conftest import KEEPER, OpenSystem
from tests.scenario.test_api import BOSS, Door
from tests.scenario.test_gate import REQUESTS, YES, ask, card_of, do, gate_of

NEVER = 3_600.0


@pytest.fixture
async def gate(open_system: OpenSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    """A bot whose streams look often."""
    monkeypatch.setattr(api_parts, "LiveAnswers", partial(LiveAnswers, look_every=0.2, shortest=0.01))
    async with gate_of(open_system, tmp_path) as door:
        yield door


@asynccontextmanager
async def stream(door: Door, path: str, **headers: str) -> AsyncIterator[aiohttp.ClientResponse]:
    sent = {"Authorization": f"Bearer {door.client.token}", "Accept": EVENTS, **headers}
    async with door.client.session.get(f"{door.client.base}/api/v1{path}", headers=sent) as response:
        yield response


async def next_event(response: aiohttp.ClientResponse) -> dict[str, str]:
    """Return the fields of the next event, or of the next comment as ``""``."""
    lines = list[str]()
    while line := (await response.content.readline()).decode().rstrip("\n"):
        lines.append(line)
    return dict(line.split(": ", 1) for line in lines)


async def next_told(response: aiohttp.ClientResponse) -> dict[str, str]:
    """Return the next event that is no comment."""
    while "" in (event := await next_event(response)):
        pass
    return event


async def test_an_answer_comes_again_when_it_has_changed(gate: Door) -> None:
    asked = await ask(gate.client, "r-1")
    path = f"{REQUESTS}/{asked.body['id']}"
    by_hand = await gate.client.get(path)
    async with stream(gate, path) as response:
        assert (response.status, response.content_type) == (200, EVENTS)
        first = await next_event(response)
        assert orjson.loads(first["data"]) == by_hand.body
        assert (first["event"], first["id"]) == ("answer", by_hand.headers["ETag"])
        assert await next_event(response) == {"": "the same"}
        await do(gate.client, asked, "withdraw")
        second = await next_told(response)
        assert orjson.loads(second["data"])["state"] == "withdrawn"
    async with stream(gate, path, **{"Last-Event-ID": second["id"]}) as response:
        assert await next_event(response) == {"": "the same"}
    async with stream(gate, path, **{"Last-Event-ID": first["id"]}) as response:
        assert await next_event(response) == second


async def test_what_people_do_is_told_without_waiting_for_the_next_look(
    open_system: OpenSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_parts, "LiveAnswers", partial(LiveAnswers, look_every=NEVER, shortest=0.01))
    async with gate_of(open_system, tmp_path) as door:
        asked = await ask(door.client, "r-1")
        async with stream(door, f"{REQUESTS}/{asked.body['id']}") as response:
            assert orjson.loads((await next_event(response))["data"])["state"] == "pending"
            await door.system.press(await card_of(door.system, KEEPER, "SO-1001"), YES, KEEPER)
            assert orjson.loads((await next_told(response))["data"])["state"] == "allowed"


async def test_a_refusal_ends_a_stream(gate: Door) -> None:
    key = await gate.key(BOSS, "*")
    async with stream(gate, "/order/NOTHING-1") as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")
    async with stream(gate, "/order/SO-1001") as response:
        assert (await next_event(response))["event"] == "answer"
        await revoke_key(gate.system.app.settings, key)
        problem = await next_told(response)
        assert (problem["event"], orjson.loads(problem["data"])["status"]) == ("problem", 401)
        assert await response.content.read() == b""


async def test_a_key_has_few_streams(gate: Door) -> None:
    async with AsyncExitStack() as kept:
        opened = [await kept.enter_async_context(stream(gate, "/whoami")) for _ in range(MOST_OF_KEY + 1)]
        assert [response.status for response in opened] == [200] * MOST_OF_KEY + [429]
        assert "Retry-After" in opened[-1].headers
    while (await _status(gate, "/whoami")) == 429:  # noqa: ASYNC110 - until the bot has noticed that they are gone
        await asyncio.sleep(0.05)


async def _status(gate: Door, path: str) -> int:
    async with stream(gate, path) as response:
        return response.status


async def test_streams_end_when_the_bot_stops(
    open_system: OpenSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_parts, "LiveAnswers", partial(LiveAnswers, look_every=NEVER, shortest=NEVER / 2))
    async with AsyncExitStack() as kept:
        async with gate_of(open_system, tmp_path) as door:
            door.client.session = await kept.enter_async_context(aiohttp.ClientSession())
            response = await kept.enter_async_context(stream(door, "/whoami"))
            await next_event(response)
        assert await response.content.read() == b""
