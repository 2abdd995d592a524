"""The unmodified official SDK as a client, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.simulator.bare_client import WAREHOUSE

BOT = Path(__file__).with_name("sdk_bot.py")

pytestmark = pytest.mark.process


@asynccontextmanager
async def sdk_bot(wire):
    env = {**os.environ, "DINGTALK_OPENAPI_ENDPOINT": wire.url, "NO_PROXY": "127.0.0.1"}
    process = await asyncio.create_subprocess_exec(sys.executable, str(BOT), env=env)
    try:
        await wire.engine.wait_for(lambda: wire.engine.pushes.connections, timeout=120)
        yield
    finally:
        process.kill()
        await process.wait()


async def test_it_echoes_sends_a_card_and_answers_a_click(start):
    async with start(ping_interval=1.0) as wire, sdk_bot(wire):
        engine = wire.engine
        message = engine.say(WAREHOUSE, "keeper01", "hello")
        echo = await engine.wait_for(lambda: engine.items(WAREHOUSE, "keeper01", message.seq))
        assert [(item["fromBot"], item["text"]) for item in echo] == [(True, "echo hello")]
        asked = engine.say(WAREHOUSE, "keeper01", "card")
        [card] = await engine.wait_for(lambda: engine.cards_for(asked))
        assert (card.title, card.markdown, card.tips) == ("库存", "**12**", "刚刚")
        result = await engine.click(card.out_track_id, "keeper01", "yes")
        assert result.ok
        assert engine.cards_for(asked)[0].tips == "pressed yes"
        await engine.wait_for(lambda: not engine.pushes.in_flight)


async def test_it_comes_back_after_a_disconnect_frame(start):
    async with start() as wire, sdk_bot(wire):
        engine = wire.engine
        [before] = engine.pushes.connections
        await wire.call("POST", "/sim/connections/drop", {"how": "disconnect"})
        await engine.wait_for(lambda: [id_ for id_ in engine.pushes.connections if id_ != before], timeout=60)
        message = engine.say(WAREHOUSE, "keeper01", "again")
        [item] = await engine.wait_for(lambda: engine.items(WAREHOUSE, "keeper01", message.seq))
        assert item["text"] == "echo again"
