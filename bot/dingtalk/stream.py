"""DingTalk's stream: the SDK's client with a connection loop of our own.

The SDK's handler and frame types are kept, so that handlers written for it run unchanged; its loop is replaced, because
it blocks, reconnects without a pause, swallows cancellation and loses messages (docs: platform/dingtalk/sdk.md).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import aiohttp
import structlog

from bot.dingtalk.connection import Connection
from bot.dingtalk.dispatcher import (
    CallbackReceiver,
    DeferredReceiver,
    Dispatcher,
    EventReceiver,
    OnIdle,
    SdkHandler,
)
from bot.dingtalk.errors import DingTalkAuthFailed
from bot.dingtalk.gateway import Socket, StreamGateway, StreamOpenFailed
from bot.dingtalk.sdk import CallbackMessage, Credential, DingTalkStreamClient, EventMessage
from bot.dingtalk.sdk_handlers import HandlerThread, StreamLoop
from bot.dingtalk.stream_metrics import StreamMetrics
from bot.dingtalk.stream_policy import StreamPolicy
from bot.mechanisms.backoff import Backoff
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.version import user_agent as own_user_agent
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

_ALL_EVENTS = "*"
EVENT_SECONDS = 2.5
"""DingTalk waits three for the ACK of an event (docs: platform/dingtalk/stream.md#redelivery)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStatus:
    """The state of the stream, for ``/readyz`` and the doctor."""

    connected: bool
    since: datetime | None
    """When the newest connection was opened, or the last one was lost; None before the first."""
    last_frame_at: datetime | None
    """When the gateway last sent anything."""
    opens: int
    """Calls of ``connections/open`` so far."""
    last_error: str
    """Why there is no connection, or why the last one ended; empty while all is well."""
    unauthorized: bool
    """The gateway rejected client id and secret, and has not accepted them since."""


class StreamClient(DingTalkStreamClient):  # type: ignore[misc]  # the SDK has no types
    """Keeps one connection to the gateway (briefly two while the gateway hands over) until it is stopped.

    Our own handlers are registered with `receive`, handlers written for the SDK with the SDK's own methods; topics are
    announced to the gateway when a connection opens, so register before `run`. One client runs once.
    """

    def __init__(
        self,
        credential: Credential,
        *,
        session: aiohttp.ClientSession,
        metrics: Metrics,
        endpoint: str = "https://api.dingtalk.com",
        proxy: str | None = None,
        policy: StreamPolicy | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
        user_agent: str | None = None,
        local_ip: str = "",
        access_token: Callable[[], Awaitable[str]] | None = None,
        upload: Callable[[bytes, str, str, str], Awaitable[str]] | None = None,
    ) -> None:
        """Prepare a client inside the running event loop of ``session``.

        ``proxy`` is for HTTP and WebSocket alike; without it none is used unless the session trusts the environment.
        ``now``, ``monotonic`` (seconds), ``sleep`` and ``rng`` serve the pauses between opens; heartbeat, silence and
        drain run on the event loop's clock. ``access_token`` and ``upload`` (content, type, file name, MIME type →
        media id) serve handlers written for the SDK, whose own calls would block without a timeout.
        """
        super().__init__(credential, logger=logging.getLogger("dingtalk_stream.client"))
        self._policy = policy or StreamPolicy()
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._local_ip = local_ip
        self._token_source = access_token
        self._uploader = upload
        self._stream_loop: StreamLoop | None = None
        self._counts = StreamMetrics(metrics)
        self._thread = HandlerThread()
        self._dispatcher = Dispatcher(
            policy=self._policy,
            counts=self._counts,
            monotonic=monotonic,
            sdk_handler=self._sdk_handler,
            thread=self._thread,
        )
        self._gateway = StreamGateway(
            credential,
            session=session,
            endpoint=endpoint,
            proxy=proxy,
            user_agent=user_agent or own_user_agent(),
            local_ip=local_ip,
            policy=self._policy,
        )
        draw = (rng or random.Random()).random  # noqa: S311 - spreads reconnects, guards nothing
        self._backoff = Backoff(self._policy.backoff, draw, stable_after=self._policy.stable_after)
        self._supervisor: asyncio.Task[NoReturn] | None = None
        self._connections: set[Connection] = set()
        self._readers: set[asyncio.Task[None]] = set()
        self._running = False
        self._stopping = False
        self._grace = 0.0
        self._finished = asyncio.Event()
        self._opens = 0
        self._number = 0
        self._since: datetime | None = None
        self._last_seen: float | None = None
        self._last_error = ""
        self._unauthorized = False

    @property
    def status(self) -> StreamStatus:
        """The current state of the stream."""
        seen = max((connection.last_seen for connection in self._connections), default=self._last_seen)
        age = None if seen is None else timedelta(seconds=asyncio.get_running_loop().time() - seen)
        return StreamStatus(
            connected=bool(self._connections),
            since=self._since,
            last_frame_at=None if age is None else self._now() - age,
            opens=self._opens,
            last_error=self._last_error,
            unauthorized=self._unauthorized,
        )

    def receive(self, topic: str, handler: CallbackReceiver, *, timeout: float = 5.0) -> None:
        """Let ``handler`` answer the callbacks of ``topic``; after ``timeout`` seconds the answer is 500.

        Raises `ValueError` if the topic has a handler already.
        """
        self._refuse_second(topic)
        self._counts.announce(topic)
        self._dispatcher.receive(topic, handler, timeout=timeout)

    def receive_deferred(self, topic: str, handler: DeferredReceiver, on_idle: OnIdle = lambda: None) -> None:
        """Give the callbacks of ``topic`` to ``handler``, and call ``on_idle`` when there are no more for now.

        Raises `ValueError` if the topic has a handler already.
        """
        self._refuse_second(topic)
        self._counts.announce(topic)
        self._dispatcher.receive_deferred(topic, handler, on_idle)

    def receive_events(self, handler: EventReceiver, *, timeout: float = EVENT_SECONDS) -> None:
        """Let ``handler`` take all events the console subscribes to; one that takes longer is redelivered.

        So it should only store them, and leave the work for later.

        Raises `ValueError` if there is a handler of events already.
        """
        if self._dispatcher.takes_events or self._is_event_required:
            raise ValueError("events have a handler already")
        self._counts.announce(_ALL_EVENTS)
        self._dispatcher.receive_events(handler, timeout=timeout)

    def register_all_event_handler(self, handler: Any) -> None:
        """Register a handler written for the SDK. Raises `ValueError` if a handler of ours takes events."""
        if self._dispatcher.takes_events:
            raise ValueError("events have a handler already")
        super().register_all_event_handler(handler)

    def register_callback_handler(self, topic: str, handler: Any) -> None:
        """Register a handler written for the SDK. Raises `ValueError` for a topic that has a handler of ours."""
        if topic in self._dispatcher.topics:
            raise ValueError(f"topic {topic} has a handler already")
        self._counts.announce(topic)
        super().register_callback_handler(topic, handler)

    async def run(self) -> None:
        """Stay connected until `stop`; cancelling it ends everything at once. Raises the errors of ``pre_start``."""
        if self._running:
            raise RuntimeError("a StreamClient runs once")
        if self._stopping:
            return
        self._running = True
        self._stream_loop = StreamLoop()
        grace = 0.0
        try:
            if self._is_event_required or self.callback_handler_map:
                await self._thread.call(self._pre_start)
            if not self._stopping:
                self._supervisor = asyncio.create_task(self._supervise())
                await asyncio.wait({self._supervisor})
                if not self._supervisor.cancelled():
                    self._supervisor.result()
            grace = self._grace
        finally:
            try:
                await self._shut(grace)
            finally:
                self._finished.set()

    async def stop(self, grace: float = 10.0) -> None:
        """Stop opening and reading, give frames in flight ``grace`` seconds, then close; `run` returns."""
        self._grace = grace
        self._halt()
        if self._running:
            await self._finished.wait()

    # The other methods of the SDK's client, so that its own loop is never used.

    async def start(self) -> None:
        """Run like `run`, under the SDK's name."""
        await self.run()

    def start_forever(self) -> NoReturn:
        """Refuse: the client belongs to the event loop of its session. Raises `RuntimeError`."""
        raise RuntimeError("await run() inside the event loop of the client's session")

    async def open_connection(self) -> Socket:
        """Return a new connection to the gateway. Raises `DingTalkAuthFailed` or `StreamOpenFailed`."""
        self._opens += 1
        wants_events = self._is_event_required or self._dispatcher.takes_events
        subscriptions = [{"type": EventMessage.TYPE, "topic": _ALL_EVENTS}] if wants_events else []
        topics = dict.fromkeys((*self._dispatcher.topics, *self.callback_handler_map))
        subscriptions += [{"type": CallbackMessage.TYPE, "topic": topic} for topic in topics]
        return await self._gateway.open(subscriptions)

    def get_host_ip(self) -> str:
        """Return the configured address, without asking the network (docs: platform/dingtalk/sdk.md#local-address)."""
        return self._local_ip

    def get_access_token(self) -> str | None:
        """Return the app's token to a handler written for the SDK, or None, as the SDK does, when there is none."""
        return None if self._token_source is None else self._ask_stream_loop("access_token", self._token_source)

    def upload_to_dingtalk(
        self, image_content: bytes, filetype: str = "image", filename: str = "image.png", mimetype: str = "image/png"
    ) -> str | None:
        """Return the media id of an upload for a handler written for the SDK, or None when it failed."""
        uploader = self._uploader
        if uploader is None:
            return None
        return self._ask_stream_loop("upload", lambda: uploader(image_content, filetype, filename, mimetype))

    def _ask_stream_loop(self, what: str, question: Callable[[], Awaitable[str]]) -> str | None:
        if self._stream_loop is None:
            raise RuntimeError("the client is not running")
        try:
            return self._stream_loop.ask(question, timeout=2 * self._policy.open_timeout)
        except (DingerpError, aiohttp.ClientError, OSError) as error:
            log.error("stream.sdk_call_failed", call=what, error=type(error).__name__)
            return None

    async def _pre_start(self) -> None:
        self.pre_start()

    def _refuse_second(self, topic: str) -> None:
        if topic in self._dispatcher.topics or topic in self.callback_handler_map:
            raise ValueError(f"topic {topic} has a handler already")

    def _sdk_handler(self, kind: str, topic: str) -> SdkHandler | None:
        if kind == EventMessage.TYPE:
            return self.event_handler if self._is_event_required else None
        return self.callback_handler_map.get(topic)

    async def _supervise(self) -> NoReturn:
        """Keep a connection open. Only this method opens connections, whatever ended the last one."""
        pause = 0.0
        while True:
            if pause:
                await self._sleep(pause)
            try:
                socket = await self.open_connection()
            except (DingTalkAuthFailed, StreamOpenFailed) as error:
                pause = self._refused(error)
                continue
            opened = self._monotonic()
            connection = self._welcome(socket)
            await connection.draining.wait()  # the old connection is still read while its successor opens
            pause = self._backoff.ended(self._monotonic() - opened)

    def _refused(self, error: DingTalkAuthFailed | StreamOpenFailed) -> float:
        """Record a failed open and return the seconds until the next one."""
        pause = self._backoff.failed()
        self._counts.opened(error.outcome)
        self._last_error = error.detail
        if isinstance(error, StreamOpenFailed):
            pause = max(pause, error.retry_after or 0.0)
            log.warning("stream.open_failed", reason=error.detail, again_in=round(pause, 1))
            return pause
        pause = max(pause, self._policy.unauthorized_wait)
        if not self._unauthorized:
            self._unauthorized = True
            log.error("stream.unauthorized", reason=error.detail, remedy="check client id and secret", again_in=pause)
        return pause

    def _welcome(self, socket: Socket) -> Connection:
        """Start reading a new connection."""
        self._counts.opened("ok")
        self._number += 1
        self._since = self._now()
        self._last_error = ""
        self._unauthorized = False
        connection = Connection(
            socket, number=self._number, sink=self._dispatcher, policy=self._policy, counts=self._counts
        )
        self._connections.add(connection)
        self._counts.connected(1)
        log.info("stream.connected", connection=connection.number, connections=len(self._connections))
        reader = asyncio.create_task(self._read(connection))
        self._readers.add(reader)
        reader.add_done_callback(self._reader_done)
        return connection

    async def _read(self, connection: Connection) -> None:
        try:
            why = await connection.read()
            self._ended(connection, why)
        finally:
            if not self._stopping:  # otherwise answers in flight still need it
                await self._close(connection)

    def _ended(self, connection: Connection, why: str) -> None:
        handed_over = why == "drained" or any(other.number > connection.number for other in self._connections)
        if not handed_over:
            self._last_error = why
            self._counts.error(why.partition(" (")[0].replace(" ", "_"))
        log.info("stream.ended", connection=connection.number, reason=why, handed_over=handed_over)

    async def _close(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._last_seen = connection.last_seen
        self._counts.connected(-1)
        if not self._connections:
            self._since = self._now()
        await connection.close()

    def _reader_done(self, reader: asyncio.Task[None]) -> None:
        self._readers.discard(reader)
        if not reader.cancelled() and (error := reader.exception()) is not None:
            self._counts.error(type(error).__name__)
            log.error("stream.reader_failed", exc_info=error)

    def _halt(self) -> tuple[asyncio.Task[Any], ...]:
        """Stop opening and reading; connections stay for answers in flight."""
        self._stopping = True
        tasks = (*self._readers, *((self._supervisor,) if self._supervisor else ()))
        for task in tasks:
            task.cancel()
        return tasks

    async def _shut(self, grace: float) -> None:
        """End reading, then work, then connections, then the SDK's thread."""
        await asyncio.gather(*self._halt(), return_exceptions=True)
        abandoned = await self._dispatcher.finish(grace)
        await asyncio.gather(*(self._close(connection) for connection in tuple(self._connections)))
        if not await self._thread.stop(self._policy.close_timeout):
            log.warning("stream.sdk_handler_blocks")
        log.info("stream.stopped", abandoned=abandoned)
