"""A bot of fifty lines on the bare wire, independent of dingerp, that answers the page's tests with cards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

MESSAGES = "/v1.0/im/bot/messages/get"
CLICKS = "/v1.0/card/instances/callback"
TEMPLATE = "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema"
_TIMEOUT = aiohttp.ClientTimeout(total=10)

Json = dict[str, Any]


def button(text: str, token: str = "", *, color: str = "gray", url: str = "") -> Json:
    """A button that calls back with ``token``, or a link."""
    if url:
        return {"text": text, "color": color, "url": url}
    return {"text": text, "color": color, "id": token, "request": True, "params": {"id": token}}


def card(title: str, markdown: str = "", tips: str = "", *buttons: Json) -> dict[str, str]:
    """The variables of a card of DingTalk's public template."""
    return {
        "title": title,
        "markdown": markdown,
        "tips": tips,
        "sys_full_json_obj": orjson.dumps({"msgButtons": buttons}).decode(),
    }


def shown_to_clicker(**changes: str) -> Json:
    """The answer to a click; it changes the card for the clicker alone."""
    return {"cardData": {"cardParamMap": changes}, "cardUpdateOptions": {"updateCardDataByKey": True}}


@dataclass(slots=True)
class EchoBot:
    """Set ``answer`` (message → card) and ``on_click`` (callback → answer, None: never answers) to script it."""

    url: str
    http: aiohttp.ClientSession
    client_id: str = "dingdemoappkey"
    client_secret: str = "dingdemosecret"
    answer: Callable[[Json], dict[str, str]] = field(default=lambda message: card("Echo", message["text"]["content"]))
    on_click: Callable[[Json], Json | None] = field(default=lambda click: {})
    messages: list[Json] = field(default_factory=list)
    clicks: list[Json] = field(default_factory=list)
    _token: str = ""

    async def call(self, method: str, path: str, body: Json) -> Json:
        """Call the API with the app's token; raises `aiohttp.ClientResponseError`."""
        if not self._token:
            keys = {"appKey": self.client_id, "appSecret": self.client_secret}
            async with self.http.post(f"{self.url}/v1.0/oauth2/accessToken", json=keys) as response:
                self._token = (await response.json())["accessToken"]
        headers = {"x-acs-dingtalk-access-token": self._token}
        async with self.http.request(method, f"{self.url}{path}", json=body, headers=headers) as response:
            response.raise_for_status()
            result: Json = await response.json()
            return result

    async def send_card(
        self, conversation_id: str, track_id: str, params: dict[str, str], template: str = TEMPLATE
    ) -> None:
        """Put a card into a group."""
        await self.call(
            "POST",
            "/v1.0/card/instances/createAndDeliver",
            {
                "cardTemplateId": template,
                "outTrackId": track_id,
                "callbackType": "STREAM",
                "cardData": {"cardParamMap": params},
                "openSpaceId": f"dtv1.card//IM_GROUP.{conversation_id}",
                "imGroupOpenSpaceModel": {"supportForward": True},
                "imGroupOpenDeliverModel": {"robotCode": self.client_id},
                "userIdType": 1,
            },
        )

    async def update_card(self, track_id: str, **changes: str) -> None:
        """Change a card for everybody."""
        options = {"updateCardDataByKey": True}
        body = {"outTrackId": track_id, "cardData": {"cardParamMap": changes}, "cardUpdateOptions": options}
        await self.call("PUT", "/v1.0/card/instances", body)

    async def run(self, connected: asyncio.Event) -> None:
        topics = [{"type": "CALLBACK", "topic": topic} for topic in (MESSAGES, CLICKS)]
        body = {"clientId": self.client_id, "clientSecret": self.client_secret, "subscriptions": topics, "ua": "echo"}
        headers = {"Accept": "application/json"}
        async with self.http.post(f"{self.url}/v1.0/gateway/connections/open", json=body, headers=headers) as response:
            place = await response.json()
        async with self.http.ws_connect(place["endpoint"], params={"ticket": place["ticket"]}) as socket:
            connected.set()
            async for frame in socket:
                await self._serve(socket, orjson.loads(frame.data))

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse, frame: Json) -> None:
        topic, data = frame["headers"]["topic"], orjson.loads(frame["data"])
        if topic == CLICKS:
            self.clicks.append(data)
            response = self.on_click(data)
            if response is not None:
                await _ack(socket, frame, {"response": response})
        elif topic == MESSAGES:
            await _ack(socket, frame, {"response": {}})
            self.messages.append(data)
            if "text" in data:
                await self.send_card(data["conversationId"], f"answer-{data['msgId']}", self.answer(data))
        elif topic == "ping":
            await _ack(socket, frame, data)


async def _ack(socket: aiohttp.ClientWebSocketResponse, frame: Json, data: Json) -> None:
    headers = {"contentType": "application/json", "messageId": frame["headers"]["messageId"]}
    await socket.send_json({"code": 200, "message": "OK", "headers": headers, "data": orjson.dumps(data).decode()})


@asynccontextmanager
async def connected_bot(url: str) -> AsyncIterator[EchoBot]:
    """A connected echo bot for the duration of the block."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
        bot = EchoBot(url, http)
        connected = asyncio.Event()
        serving = asyncio.create_task(bot.run(connected))
        opened = asyncio.create_task(connected.wait())
        try:
            await asyncio.wait({serving, opened}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            yield bot
        finally:
            opened.cancel()
            serving.cancel()
            await asyncio.gather(opened, serving, return_exceptions=True)
