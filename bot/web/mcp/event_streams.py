"""Agents that speak the transport of 2024-11-05: what they post is answered on a stream of server-sent events.

Platforms of companies' agents still ask for it. A stream belongs to a key, and to one process. It carries answers and
nothing else: each message shows the key again, as without a stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from secrets import token_urlsafe

import structlog
from aiohttp import web

from bot.mechanisms.tracing import REQUEST, tracing
from bot.mechanisms.wakeup import Wakeup
from bot.web.api.problems import JSON, ApiProblem
from bot.web.api.routes import AGAIN, ApiRequest, read_body
from bot.web.api.streams import EVENTS, STREAM_HEADERS, OpenStreams
from bot.web.mcp.exchange import Exchange
from bot.words.errors import DingerpError
from bot.words.phrase import phrase

log = structlog.get_logger(__name__)

LOOK_EVERY = 5.0
"""Seconds between two looks at a stream's key; each is a sign of life as well, for proxies that end silent streams."""
MOST_OF_KEY, MOST = 16, 100
"""Streams at the same time. A platform has one for each conversation, all with one key."""
MOST_MESSAGES = 8
"""Messages of one stream that are answered at the same time."""
NO_STREAM = phrase(
    "There is no such stream of this key here. It may have ended, or be at another replica: open a new one."
)
TOO_MANY_MESSAGES = phrase("Too many messages of this stream wait for their answers.")

_WRITE_SECONDS = 10.0
_SENT: tuple[tuple[bytes, bytes], ...] = (
    (b"content-type", JSON.encode()),
    (b"accept", f"{JSON}, {EVENTS}".encode()),
)
"""The headers of a message, as the newer transport has them; this one knows no versions of the protocol in headers."""
Answer = Callable[[ApiRequest, Exchange], Awaitable[None]]


@dataclass(eq=False, slots=True)
class _AgentStream:
    """An open stream, and the id of its key."""

    events: web.StreamResponse
    key: str
    wakeup: Wakeup
    is_broken: bool = False
    work: set[asyncio.Task[None]] = field(default_factory=set)

    async def tell(self, event: str, data: str) -> None:
        await self.write(f"event: {event}\ndata: {data}\n\n")

    async def write(self, text: str) -> None:
        """Send something. Raises `ConnectionError` and `TimeoutError` for a program that is gone or does not read."""
        async with asyncio.timeout(_WRITE_SECONDS):
            await self.events.write(text.encode())

    def break_off(self) -> None:
        """End it: who waits for an answer that cannot come learns it so."""
        self.is_broken = True
        self.wakeup.call()


@dataclass(eq=False)
class AgentStreams:
    """The streams of one process; ``messages`` is where agents post, as they have to call it."""

    messages: str
    look_every: float = LOOK_EVERY
    _streams: OpenStreams = field(init=False)
    _by_session: dict[str, _AgentStream] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._streams = OpenStreams(MOST_OF_KEY, MOST, AGAIN)

    async def end(self, app: web.Application) -> None:
        """End all streams: the process stops."""
        await self._streams.end(app)

    async def serve(self, asked: ApiRequest) -> web.StreamResponse:
        """Tell where to post, and keep the stream until its key is over. Raises `ApiProblem` where there is no room."""
        events = web.StreamResponse(headers=STREAM_HEADERS)
        with self._streams.opened(asked.program.key.id) as wakeup:
            await events.prepare(asked.request)
            stream = _AgentStream(events, asked.program.key.id, wakeup)
            with self._known(stream) as session, suppress(ConnectionError, TimeoutError):
                await stream.tell("endpoint", f"{self.messages}?session_id={session}")
                while await self._goes_on(stream, asked):
                    await stream.write(": here\n\n")
        return events

    async def take(self, asked: ApiRequest, answer: Answer) -> web.Response:
        """Take a message: its answer comes on the stream. Raises `ApiProblem` for a stream that is not the key's."""
        body = await read_body(asked.request)
        stream = self._by_session.get(asked.request.query.get("session_id", ""))
        if stream is None or stream.key != asked.program.key.id:
            raise ApiProblem(HTTPStatus.NOT_FOUND, NO_STREAM)
        if len(stream.work) >= MOST_MESSAGES:
            raise ApiProblem(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY_MESSAGES, retry_after=AGAIN)
        task = asyncio.create_task(_answer(stream, asked, Exchange(asked.request, body, _SENT), answer))
        stream.work.add(task)
        task.add_done_callback(stream.work.discard)
        return web.Response(status=HTTPStatus.ACCEPTED)

    @contextmanager
    def _known(self, stream: _AgentStream) -> Iterator[str]:
        """Let messages for a stream come to it, by a word that nobody can guess."""
        session = token_urlsafe(24)
        self._by_session[session] = stream
        try:
            yield session
        finally:
            del self._by_session[session]
            for task in stream.work:
                task.cancel()

    async def _goes_on(self, stream: _AgentStream, asked: ApiRequest) -> bool:
        """Wait, and return whether there is still somebody who may ask."""
        await stream.wakeup.sleep(self.look_every)
        if stream.is_broken or self._streams.is_ended:
            return False
        try:
            return await asked.parts.door.keys.stands(stream.key)
        except DingerpError as error:  # nobody knows at the moment, and each message is looked at for itself
            log.warning("mcp.stream_not_looked_at", error=type(error).__name__, detail=error.detail)
            return True


async def _answer(stream: _AgentStream, asked: ApiRequest, exchange: Exchange, answer: Answer) -> None:
    parts = asked.parts
    with tracing(REQUEST, parts.now(), parts.traced) as trace:
        try:
            await answer(asked, exchange)
            trace.note("mcp_message", str(exchange.status), "")
            if exchange.sent:
                await stream.tell("message", exchange.sent.decode())
        except (ConnectionError, TimeoutError):
            stream.break_off()
        except Exception as defect:
            log.error("mcp.failed", exc_info=defect)
            parts.metrics.errors.labels("mcp", type(defect).__name__).inc()
            stream.break_off()
