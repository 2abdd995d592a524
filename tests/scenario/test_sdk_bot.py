"""``dingerp simulator`` as a process with a bot on DingTalk's unmodified SDK: a chat through the control API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp
import dingtalk_stream
import pytest

from bot.kit.simulator.config import SimulatorConfig
from tests.scenario.conftest import KEEPER
from tests.scenario.processes import dingerp, environment, program
from tests.scenario.traffic import eventually

SDK_BOT = Path(__file__).parents[1] / "simulator" / "sdk_bot.py"
CONFIG = SimulatorConfig()

pytestmark = pytest.mark.process


@dataclass(frozen=True, slots=True)
class ControlApi:
    """The simulator's HTTP API, as tests in any language use it."""

    client: aiohttp.ClientSession
    url: str

    async def get(self, path: str, **query: str) -> Any:
        async with self.client.get(f"{self.url}{path}", params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        async with self.client.post(f"{self.url}{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def say(self, conversation: str, text: str) -> Any:
        """Say something and return the bot's answer as an item of the chat."""
        message = await self.post("/sim/messages", conversationId=conversation, senderId=KEEPER, text=text)

        async def answers() -> Any:
            after = str(message["seq"])
            items = await self.get("/sim/messages", conversation=conversation, viewer=KEEPER, after=after)
            return [item for item in items["items"] if item["fromBot"]]

        (answer,) = await asked_until(answers)
        return answer


async def asked_until(question: Callable[[], Awaitable[Any]], seconds: float = 20.0) -> Any:
    """Call until the result is true."""
    async with asyncio.timeout(seconds):
        while not (answer := await question()):  # noqa: ASYNC110 - another process has no event for us
            await asyncio.sleep(0.01)
        return answer


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[ControlApi]:
    """``dingerp simulator`` with the SDK's bot connected to it."""
    env = environment(CONFIG, "", tmp_path)
    async with (
        dingerp("simulator", "--port", "0", env=env, folder=tmp_path) as simulator,
        aiohttp.ClientSession() as client,
    ):
        await eventually(lambda: simulator.out.count("\n") >= 2, hint=lambda: simulator.err)
        address, variables = simulator.out.splitlines()[:2]
        control_api = ControlApi(client, address.rstrip("/"))
        printed = dict(pair.split("=", 1) for pair in variables.split())
        async with program(str(SDK_BOT), env={**env, **printed, "NO_PROXY": "127.0.0.1"}, folder=tmp_path) as bot:

            async def connections() -> Any:
                assert bot.process.returncode is None, bot.err
                return (await control_api.get("/sim/state"))["connections"]

            await asked_until(connections)
            yield control_api
        assert (await simulator.stop()).code == 0


def test_the_sdk_is_the_one_from_the_registry() -> None:
    assert version("dingtalk-stream") == "0.24.3"
    assert "site-packages" in str(dingtalk_stream.__file__)


async def test_a_bot_on_the_sdk_chats_through_the_simulator(control: ControlApi) -> None:
    state = await control.get("/sim/state")
    group = next(chat["id"] for chat in state["conversations"] if chat["kind"] == "group")
    direct = next(chat["id"] for chat in state["conversations"] if chat["members"] == [KEEPER])
    for place in (group, direct):
        assert "echo hello" in (await control.say(place, "hello"))["text"]
    card = (await control.say(group, "card"))["card"]
    assert (card["title"], card["markdown"]) == ("库存", "**12**")
    clicked = {"outTrackId": card["outTrackId"], "conversationId": group, "userId": KEEPER, "buttonId": "yes"}
    assert (await control.post("/sim/clicks", **clicked))["ok"]
    stored = await control.get("/sim/cards", outTrackId=card["outTrackId"])
    assert stored["cardData"]["tips"] == "pressed yes", "everybody who looks sees what a tap is answered with"
    assert stored["answers"] == stored["privateData"] == {}


async def test_it_comes_back_when_the_simulator_cuts_it_off(control: ControlApi) -> None:
    state = await control.get("/sim/state")
    group = next(chat["id"] for chat in state["conversations"] if chat["kind"] == "group")
    assert (await control.post("/sim/connections/drop", how="close"))["dropped"] == 1
    # Asked at once: without a connection the message waits at DingTalk.
    assert "echo again" in (await control.say(group, "again"))["text"]
