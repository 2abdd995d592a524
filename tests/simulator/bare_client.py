"""A bare client of the simulated DingTalk: plain aiohttp, nothing of the bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson

from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.server import RunningSimulator

WAREHOUSE = "cidKp3Lr+9x/WhSales0001Aa=="
PURCHASING = "cidQm7Tz/4b+BuyFin00002Bb=="
TEMPLATE = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"
MESSAGES = "/v1.0/im/bot/messages/get"
CARDS = "/v1.0/card/instances/callback"
APP = {"appKey": "dingdemoappkey", "appSecret": "dingdemosecret"}
CLIENT = {"clientId": "dingdemoappkey", "clientSecret": "dingdemosecret"}
TOPICS = ({"type": "EVENT", "topic": "*"}, *({"type": "CALLBACK", "topic": topic} for topic in (MESSAGES, CARDS)))

Json = dict[str, Any]


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **delta: float) -> None:
        self.moment += timedelta(**delta)


@dataclass
class BareStream:
    """An open stream connection that stores every frame and answers as scripted."""

    socket: aiohttp.ClientWebSocketResponse
    frames: list[Json] = field(default_factory=list)
    answer: Callable[[Json], Any] | None = None
    """Given a frame, returns the ACK's decoded data; None sends no ACK."""
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    closed: bool = False
    pongs: int = 0

    async def read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.PONG:
                async with self.arrived:
                    self.pongs += 1
                    self.arrived.notify_all()
                continue
            frame = orjson.loads(message.data)
            frame["decoded"] = orjson.loads(frame["data"])
            async with self.arrived:
                self.frames.append(frame)
                self.arrived.notify_all()
            data = self.answer(frame) if self.answer is not None else None
            if data is not None and not self.socket.closed:
                await self.ack(frame, data)
        async with self.arrived:
            self.closed = True
            self.arrived.notify_all()

    async def ack(self, frame: Json, data: Any, code: int = 200) -> None:
        headers = {"contentType": "application/json", "messageId": frame["headers"]["messageId"]}
        ack = {"code": code, "headers": headers, "message": "OK", "data": orjson.dumps(data).decode()}
        await self.socket.send_str(orjson.dumps(ack).decode())

    def about(self, topic: str) -> list[Json]:
        return [frame for frame in self.frames if frame["headers"]["topic"] == topic]

    async def take(self, topic: str, count: int = 1) -> list[Json]:
        """Wait for this many frames of a topic."""
        async with asyncio.timeout(60), self.arrived:
            await self.arrived.wait_for(lambda: len(self.about(topic)) >= count)
        return self.about(topic)

    async def end(self) -> None:
        """Wait until the server has closed the connection."""
        async with asyncio.timeout(60), self.arrived:
            await self.arrived.wait_for(lambda: self.closed)


def accept(frame: Json) -> Any:
    """Acknowledge every frame as a well-behaved client does."""
    return frame["decoded"] if frame["type"] == "SYSTEM" else {"response": {}}


class BareClient:
    """The HTTP calls of a bot."""

    def __init__(self, simulator: RunningSimulator, session: aiohttp.ClientSession) -> None:
        self.url, self.session = simulator.url, session
        self.engine: SimEngine = simulator.engine
        self._token = ""

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Return status and decoded body."""
        if body is not None:
            options["json"] = body
        async with self.session.request(method, self.url + path, **options) as response:
            return response.status, orjson.loads(await response.read())

    async def token(self) -> str:
        if not self._token:
            self._token = (await self.call("POST", "/v1.0/oauth2/accessToken", APP))[1]["accessToken"]
        return self._token

    async def api(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        headers = {"x-acs-dingtalk-access-token": await self.token()}
        return await self.call(method, path, body, headers=headers, **options)

    async def oapi(self, path: str, body: Any = None) -> Any:
        status, answer = await self.call("POST", path, body or {}, params={"access_token": await self.token()})
        assert status == 200
        return answer

    async def open(self, body: Json | None = None, accept: str = "application/json") -> tuple[int, str]:
        wanted = {**CLIENT, "subscriptions": list(TOPICS), "ua": "test", "localIp": "", **(body or {})}
        async with self.session.post(
            f"{self.url}/v1.0/gateway/connections/open", json=wanted, headers={"Accept": accept}
        ) as response:
            return response.status, await response.text()

    async def ticket(self, **body: Any) -> Json:
        status, text = await self.open(body)
        assert status == 200
        answer: Json = orjson.loads(text)
        return answer

    @asynccontextmanager
    async def stream(
        self, answer: Callable[[Json], Any] | None = accept, *, autoping: bool = True, **body: Any
    ) -> AsyncIterator[BareStream]:
        ticket = await self.ticket(**body)
        socket = await self.session.ws_connect(
            ticket["endpoint"], params={"ticket": ticket["ticket"]}, autoping=autoping
        )
        stream = BareStream(socket, answer=answer)
        reader = asyncio.create_task(stream.read())
        await self.engine.wait_for(lambda: self.engine.pushes.connections)
        try:
            yield stream
        finally:
            await socket.close()
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def card(self, out_track_id: str = "card-1", **changes: Any) -> tuple[int, Any]:
        return await self.api("POST", "/v1.0/card/instances/createAndDeliver", card_body(out_track_id, **changes))


def card_body(out_track_id: str = "card-1", **changes: Any) -> Json:
    """A correct request of createAndDeliver; a change to None removes a field."""
    buttons = (
        '{"msgButtons":[{"text":"同意","color":"blue","id":"yes","request":true,"params":{"id":"yes"}},'
        '{"text":"打开","url":"https://erp.example/1"}]}'
    )
    body = {
        "cardTemplateId": TEMPLATE,
        "outTrackId": out_track_id,
        "callbackType": "STREAM",
        "cardData": {
            "cardParamMap": {"title": "库存", "markdown": "**12** 件", "tips": "刚刚", "sys_full_json_obj": buttons}
        },
        "openSpaceId": f"dtv1.card//IM_GROUP.{WAREHOUSE}",
        "imGroupOpenSpaceModel": {"supportForward": False},
        "imGroupOpenDeliverModel": {"robotCode": "dingdemoappkey"},
        "userIdType": 1,
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}
