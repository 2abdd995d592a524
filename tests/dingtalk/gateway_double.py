"""A scripted stream gateway on loopback: it does what a test says, right or wrong, and records what it is sent."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

BOT = "/v1.0/im/bot/messages/get"
CARD = "/v1.0/card/instances/callback"
TICKET = "t/ick+et=&\u00fc"
PATIENCE = 60.0
"""Seconds after which something that does not happen fails the test."""

Opening = Callable[[web.Request], Awaitable[web.StreamResponse]]
_numbers = itertools.count(1)


def frame(topic: str = BOT, data: object = None, **changes: Any) -> dict[str, Any]:
    """Return a frame; ``changes`` replace its top-level keys, ``headers`` are merged and None removes one."""
    headers = {
        "appId": "app",
        "connectionId": "c",
        "contentType": "application/json",
        "messageId": f"mid-{next(_numbers)}",
        "time": "1769851697756",
        "topic": topic,
    }
    headers |= changes.pop("headers", {})
    body = {
        "specVersion": "1.0",
        "type": "CALLBACK",
        "headers": {name: value for name, value in headers.items() if value is not None},
        "data": orjson.dumps({} if data is None else data).decode(),
    }
    return body | changes


def ping(opaque: str = "o-1", **changes: Any) -> dict[str, Any]:
    return frame("ping", {"opaque": opaque}, type="SYSTEM", **changes)


def disconnect(reason: str = "connection is expired") -> dict[str, Any]:
    return frame("disconnect", {"reason": reason}, type="SYSTEM", headers={"messageId": None})


def event(event_id: str = "ev-1", data: object = None, **changes: Any) -> dict[str, Any]:
    headers = {"eventId": event_id, "eventType": "bpms_task_change", "eventBornTime": "1769851697000"}
    return frame("*", {"a": 1} if data is None else data, type="EVENT", headers=headers, **changes)


@dataclass(eq=False)
class Link:
    """One connection of the client, in the hands of the test."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport
    ticket: str
    received: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    pings: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    pongs: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def push(self, body: object) -> str:
        """Send a frame (a string or bytes go as they are) and return its messageId."""
        payload = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else orjson.dumps(body)
        await self.socket.send_frame(payload, WSMsgType.TEXT)
        headers = body.get("headers") if isinstance(body, dict) else None
        return str(headers.get("messageId", "")) if isinstance(headers, dict) else ""

    async def ack(self) -> dict[str, Any]:
        """Return the next ACK, its data decoded."""
        ack = await asyncio.wait_for(self.received.get(), PATIENCE)
        return ack | {"data": orjson.loads(ack["data"])}

    async def ask(self, body: object) -> dict[str, Any]:
        """Push a frame and return the next ACK."""
        await self.push(body)
        return await self.ack()

    async def close(self) -> None:
        """Close politely."""
        await self.socket.close()

    def cut(self) -> None:
        """Reset the TCP connection."""
        self.transport.abort()

    async def gone(self) -> None:
        """Wait until the connection is over."""
        await asyncio.wait_for(self.ended.wait(), PATIENCE)


class GatewayDouble:
    """Answers ``connections/open`` from a script (then: a ticket) and hands each WebSocket to the test."""

    def __init__(self) -> None:
        self.url = ""
        self.opens: list[dict[str, Any]] = []
        self.open_headers: list[Any] = []
        self.replies: list[dict[str, Any]] = []
        """What handlers posted to the session webhook."""
        self.script: deque[Opening] = deque()
        self.greeting: Callable[[Link], Awaitable[None]] | None = None
        """Awaited for each connection before the test gets it."""
        self.handshake_status = 101
        self.answers_pings = True
        self._links: asyncio.Queue[Link] = asyncio.Queue()
        self._opened = asyncio.Condition()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[GatewayDouble]:
        app = web.Application(client_max_size=1 << 22)
        app.router.add_post("/v1.0/gateway/connections/open", self._open)
        app.router.add_get("/connect", self._connect)
        app.router.add_post("/robot/sendBySession", self._reply)
        server = TestServer(app)
        await server.start_server(access_log=None, shutdown_timeout=0.1)
        self.url = str(server.make_url("")).rstrip("/")
        try:
            yield self
        finally:
            await server.close()

    async def link(self) -> Link:
        """Wait for the next connection of the client."""
        return await asyncio.wait_for(self._links.get(), PATIENCE)

    async def opened(self, times: int) -> None:
        """Wait until ``connections/open`` was called so many times."""
        async with asyncio.timeout(PATIENCE), self._opened:
            await self._opened.wait_for(lambda: len(self.opens) >= times)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        self.open_headers.append(request.headers)
        self.opens.append(orjson.loads(await request.read()))
        async with self._opened:
            self._opened.notify_all()
        if self.script:
            return await self.script.popleft()(request)
        return web.json_response({"endpoint": f"{self.url.replace('http', 'ws', 1)}/connect", "ticket": TICKET})

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if self.handshake_status != 101:
            return web.Response(status=self.handshake_status)
        socket = web.WebSocketResponse(autoping=False, max_msg_size=1 << 22)
        await socket.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        link = Link(socket, request.transport, request.query.get("ticket", ""))
        if self.greeting is not None:
            await self.greeting(link)
        self._links.put_nowait(link)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                link.received.put_nowait(orjson.loads(message.data))
            elif message.type is WSMsgType.PING:
                link.pings.put_nowait(message.data)
                if self.answers_pings:
                    await socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                link.pongs.put_nowait(message.data)
        link.ended.set()
        return socket

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        self.replies.append(orjson.loads(await request.read()))
        return web.json_response({"errcode": 0, "errmsg": "ok"})


def answer(status: int, body: object, content_type: str = "application/json") -> Opening:
    """Return a script entry that answers ``connections/open`` so."""

    async def reply(_request: web.Request) -> web.StreamResponse:
        text = body if isinstance(body, str) else orjson.dumps(body).decode()
        return web.Response(status=status, text=text, content_type=content_type)

    return reply


async def hang(_request: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def cut_off(request: web.Request) -> web.StreamResponse:
    """Break the TCP connection instead of answering."""
    assert isinstance(request.transport, asyncio.Transport)
    request.transport.abort()
    return web.Response()
