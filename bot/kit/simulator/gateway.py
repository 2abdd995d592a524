"""The stream gateway on the wire: `connections/open` and the WebSocket (docs: platform/dingtalk/stream.md)."""

from __future__ import annotations

import asyncio
from typing import Any
from xml.sax.saxutils import escape

import orjson
from aiohttp import WSMsgType, web

from bot.kit.simulator.credentials import ConnectionTicket
from bot.kit.simulator.engine import ENGINE_KEY, SimEngine
from bot.kit.simulator.push_dispatcher import CALLBACK, EVENT, SYSTEM, SimConnection

OPEN = "/v1.0/gateway/connections/open"
_MISSED_PINGS = 2
_TYPES = frozenset({EVENT, CALLBACK, SYSTEM})


def add_routes(app: web.Application) -> None:
    """Install the gateway."""
    app.router.add_post(OPEN, open_connection)
    app.router.add_get("/connect", connect)


async def open_connection(request: web.Request) -> web.Response:
    """Exchange key and secret for an endpoint and a ticket."""
    engine = request.app[ENGINE_KEY]
    name = f"POST {OPEN}"
    engine.flow.calls[name] += 1
    slow = engine.faults.trigger("slow_open")
    if slow is not None:
        await engine.pause(slow.delay_ms / 1000)
    status, answer = _open(engine, await request.read(), request.host)
    if engine.faults.trigger("open_503"):
        status, answer = 503, _error(engine, "ServiceUnavailable", "The request has failed due to a temporary failure")
    elif engine.faults.trigger("open_401"):
        status, answer = 401, _error(engine, "authFailed", "鉴权失败")
    engine.timeline.record("call", name, status=status, summary=str(answer.get("code", "")), detail={"answer": answer})
    if "json" not in request.headers.get("Accept", ""):
        # According to the SDK for Node, the answer is XML without this header
        # (docs: platform/dingtalk/stream.md#opening).
        return web.Response(status=status, text=_xml(answer), content_type="application/xml")
    return web.Response(status=status, body=orjson.dumps(answer), content_type="application/json")


def _open(engine: SimEngine, body: bytes, host: str) -> tuple[int, dict[str, str]]:
    try:
        wanted = orjson.loads(body)
    except orjson.JSONDecodeError:
        return 400, _error(engine, "MissingBody", "body is mandatory for this action")
    if not isinstance(wanted, dict) or not engine.credentials.is_app_key(
        wanted.get("clientId"), wanted.get("clientSecret")
    ):
        return 401, _error(engine, "authFailed", "鉴权失败")
    subscriptions = _subscriptions(wanted.get("subscriptions"))
    if subscriptions is None:
        return 400, _error(engine, "paramError", "subscriptions")
    ticket, _ = engine.credentials.tickets.issue(ConnectionTicket(subscriptions, str(wanted.get("ua", ""))))
    return 200, {"endpoint": f"ws://{host}/connect", "ticket": ticket}


def _subscriptions(value: Any) -> frozenset[tuple[str, str]] | None:
    """Return pairs of type and topic; None if the gateway does not accept them."""
    if not isinstance(value, list):
        return None
    pairs = set()
    for entry in value:
        type_, topic = (entry.get("type"), entry.get("topic")) if isinstance(entry, dict) else (None, None)
        if type_ not in _TYPES or not isinstance(topic, str) or (type_ == EVENT and topic != "*"):
            return None
        pairs.add((str(type_), topic))
    return frozenset(pairs)


async def connect(request: web.Request) -> web.StreamResponse:
    """Serve the WebSocket. A ticket works once and for 90 seconds."""
    engine = request.app[ENGINE_KEY]
    ticket = engine.credentials.tickets.redeem(request.query.get("ticket"))
    if ticket is None:
        engine.timeline.record("call", "GET /connect", status=401, summary="bad ticket")
        return web.Response(status=401, text="ticket is invalid")
    # Pings and closes are answered manually, because a half-open connection answers neither.
    socket = web.WebSocketResponse(autoping=False, autoclose=False, compress=False, timeout=1.0, max_msg_size=1 << 20)
    await socket.prepare(request)
    if engine.faults.trigger("open_close"):
        engine.timeline.note("open_close", "connection closed right after the handshake")
        await socket.close()
        return socket
    connection = SimConnection(f"{engine.rng.getrandbits(128):032x}", ticket.subscriptions, ticket.user_agent)
    transport = request.transport
    connection.abort = transport.abort if transport is not None else connection.finish
    engine.timeline.note("connected", ticket.user_agent, {"connectionId": connection.id})
    async with asyncio.TaskGroup() as tasks:
        writer = tasks.create_task(_write(socket, connection))
        heart = tasks.create_task(_send_pings(engine, connection))
        engine.pushes.add_connection(connection)
        try:
            await _read(engine, socket, connection)
            if connection.half_open:
                # The peer is gone, but the gateway notices only by its own pings
                # (docs: platform/dingtalk/sdk.md#other-clients).
                await heart
        finally:
            engine.pushes.remove_connection(connection)
            writer.cancel()
            heart.cancel()
    engine.timeline.note("disconnected", ticket.user_agent, {"connectionId": connection.id})
    return socket


async def _read(engine: SimEngine, socket: web.WebSocketResponse, connection: SimConnection) -> None:
    while True:
        message = await socket.receive()
        if message.type is WSMsgType.TEXT:
            engine.pushes.receive(connection, message.data)
        elif message.type is WSMsgType.PING:
            if not connection.half_open:
                await socket.pong(message.data)
        elif message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
            if not connection.half_open:
                await socket.close()
            return


async def _write(socket: web.WebSocketResponse, connection: SimConnection) -> None:
    """Send the queue, in order."""
    try:
        while not connection.is_end_of_queue(text := await connection.outgoing.get()):
            await socket.send_str(text)
        await socket.close()
    except (ConnectionError, RuntimeError):
        # The client is gone; the reader ends the connection.
        return


async def _send_pings(engine: SimEngine, connection: SimConnection) -> None:
    """Send pings; after two unanswered pings the connection is cut.

    Docs: platform/dingtalk/unknowns.md#heartbeat
    """
    while True:
        await asyncio.sleep(engine.config.ping_interval)
        if len(connection.pings) >= _MISSED_PINGS:
            engine.timeline.note("ping", "two pings without echo: connection cut", {"connectionId": connection.id})
            connection.abort()
            return
        opaque = f"{engine.rng.getrandbits(64):016x}"
        data = orjson.dumps({"opaque": opaque}).decode()
        message_id, text = engine.pushes.frame(connection, SYSTEM, "ping", data)
        connection.pings[message_id] = opaque
        connection.send(text)


def _error(engine: SimEngine, code: str, message: str) -> dict[str, str]:
    return {"requestid": f"{engine.rng.getrandbits(128):032X}", "code": code, "message": message}


def _xml(answer: dict[str, str]) -> str:
    fields = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in answer.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{fields}</Response>'
