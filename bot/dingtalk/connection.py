"""One stream connection, from its first frame to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from types import coroutine
from typing import Any, Final, Protocol, TypeVar

import aiohttp
import structlog
from aiohttp import WSMsgType

from bot.dingtalk.errors import BadPayload
from bot.dingtalk.frames import BadFrame, Frame, ping_reply, read_data, read_frame
from bot.dingtalk.gateway import Socket
from bot.dingtalk.sdk import CallbackMessage, EventMessage, SystemMessage
from bot.dingtalk.stream_metrics import StreamMetrics
from bot.dingtalk.stream_policy import StreamPolicy
from bot.mechanisms.time_limit import TimeLimit

log = structlog.get_logger(__name__)

T = TypeVar("T")

_PAYLOADS: Final = (WSMsgType.TEXT, WSMsgType.BINARY)
_FOR_HANDLERS: Final = (CallbackMessage.TYPE, EventMessage.TYPE)
_MESSAGE_TOO_BIG: Final = 1009


class FrameSink(Protocol):
    """Accepts frames for handlers, and answers each frame on the connection it came from."""

    @property
    def full(self) -> bool:
        """Whether too many frames wait for more to be read."""
        ...

    def take(self, frame: Frame, connection: Connection) -> None:
        """Start working on a frame; returns at once."""
        ...

    def notify_idle(self) -> None:
        """Note that there is currently nothing more to read."""
        ...

    async def wait_for_room(self) -> None:
        """Wait until there is capacity again."""
        ...


class Connection:
    """Reads one WebSocket, answers pings first, and tells when a successor is needed.

    A full ``sink`` stops the reading, and TCP then slows the gateway down. Pings behind the unread frames wait too, but
    no longer than the quickest running handler. A pause on our side does not count as silence of the gateway.
    """

    def __init__(
        self, socket: Socket, *, number: int, sink: FrameSink, policy: StreamPolicy, counts: StreamMetrics
    ) -> None:
        self.number = number
        self.draining = asyncio.Event()
        """Set when no more pushes will come here: the gateway announced the end, or the connection is closed."""
        self._socket = socket
        self._sink = sink
        self._policy = policy
        self._counts = counts
        self._loop = asyncio.get_running_loop()
        self._watchdog: asyncio.TimerHandle | None = None
        self._limit = asyncio.timeout(None)
        self._sending = TimeLimit(policy.send_timeout)
        self._reading = False
        self._paused = False
        self._drained_at: float | None = None
        self._blocked_send: asyncio.Task[None] | None = None
        self._end_reason = ""
        self.last_seen = self._loop.time()
        """The event loop's time of the last sign of life."""

    async def read(self) -> str:
        """Read until the connection ends and return the reason. The socket stays open for ACKs until `close`."""
        try:
            async with self._limit:
                self._reading = True
                self._watch()
                return await _notifying_before_wait(self._read(), self._sink.notify_idle)
        except TimeoutError:
            return self._end_reason
        finally:
            self._reading = False
            if self._watchdog is not None:
                self._watchdog.cancel()
            self.draining.set()

    def send(self, payload: bytes) -> bool:
        """Write one frame. Returns False if this connection can no longer carry it; no other connection takes it.

        Nothing waits here, so that an ACK needs no task: the socket writes or buffers the frame before it waits for
        space in a full buffer. If no space appears in time, the connection is dropped.
        """
        sending = self._socket.send_frame(payload, WSMsgType.TEXT)
        try:
            room: asyncio.Future[None] = sending.send(None)
        except StopIteration:
            return True
        except (aiohttp.ClientError, OSError):
            return False
        room._asyncio_future_blocking = False  # as a task does with the future its coroutine awaits
        sending.close()
        if self._blocked_send is None or self._blocked_send.done():
            self._blocked_send = self._loop.create_task(self._wait_for(room))
        return True

    async def _wait_for(self, room: asyncio.Future[None]) -> None:
        try:
            with self._sending.running(), suppress(aiohttp.ClientError, OSError):  # the next read reports it
                await room
        except TimeoutError:
            self._give_up("stalled")

    async def close(self) -> None:
        """Close the connection, with a close frame if the gateway still listens."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._policy.close_timeout):
                await self._socket.close()

    async def _read(self) -> str:
        while True:
            message = await self._socket.receive()
            if message.type in _PAYLOADS:
                self.last_seen = self._loop.time()
                await self._take(message.data)
            elif message.type is WSMsgType.PING:
                self.last_seen = self._loop.time()
                with suppress(aiohttp.ClientError, OSError):  # the next read reports the end of the connection
                    await self._socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self.last_seen = self._loop.time()
            else:
                return self._ending(message)

    async def _take(self, payload: bytes) -> None:
        try:
            frame = read_frame(payload)
        except BadFrame as error:
            self._counts.frame("", "")
            self._counts.error("bad_frame")
            log.warning("stream.bad_frame", connection=self.number, reason=str(error), size=len(payload))
            return
        self._counts.frame(frame.type, frame.topic)
        if frame.type in _FOR_HANDLERS:
            self._sink.take(frame, self)
            if self._sink.full:
                await self._pause()
        elif frame.type == SystemMessage.TYPE:
            await self._obey(frame)
        else:
            self._counts.error("unknown_type")
            log.warning("stream.unknown_type", connection=self.number, type=frame.type[:32])

    async def _pause(self) -> None:
        self._paused = True
        self._counts.error("saturated")
        log.warning("stream.saturated", connection=self.number, waiting=self._policy.max_waiting)
        try:
            await self._sink.wait_for_room()
        finally:
            self._paused = False
            self.last_seen = self._loop.time()

    async def _obey(self, frame: Frame) -> None:
        if frame.topic == "ping":
            self.send(ping_reply(frame))
        elif frame.topic == SystemMessage.TOPIC_DISCONNECT and self._drained_at is None:
            log.info("stream.disconnect", connection=self.number, reason=_reason(frame))
            self._drained_at = self._loop.time() + self._policy.drain
            self.draining.set()
            self._watch()

    def _watch(self) -> None:
        """Drop the connection at its deadline; a moved deadline is checked again at its new time."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        now = self._loop.time()
        if self._paused:
            self.last_seen = now
        silent_at = self.last_seen + self._policy.silence_limit
        due, reason = silent_at, "silence"
        if self._drained_at is not None and self._drained_at < due:
            due, reason = self._drained_at, "drained"
        if due <= now:
            self._give_up(reason)
        else:
            self._watchdog = self._loop.call_at(due, self._watch)

    def _give_up(self, reason: str) -> None:
        if self._reading and not self._limit.expired():
            self._end_reason = reason
            self._limit.reschedule(self._loop.time())

    def _ending(self, message: Any) -> str:
        cause = message.data if message.type is WSMsgType.ERROR else self._socket.exception()
        if isinstance(cause, aiohttp.ServerTimeoutError):
            return "no pong"
        if isinstance(cause, aiohttp.WebSocketError):
            return "oversize" if cause.code == _MESSAGE_TOO_BIG else f"protocol error {cause.code}"
        if message.type is WSMsgType.CLOSE:
            return f"closed by the gateway ({message.data})"
        return "connection lost"


def _reason(frame: Frame) -> str:
    """Return the reason in a ``disconnect`` frame."""
    with suppress(BadPayload):
        return str(read_data(frame).get("reason", ""))[:100]
    return ""


@coroutine
def _notifying_before_wait(work: Coroutine[Any, Any, T], notice: Callable[[], None]) -> Generator[Any, Any, T]:
    """Await ``work``, and call ``notice`` each time before it suspends: it has then done all it could do at once."""
    go_on = partial(work.send, None)
    while True:
        try:
            waited_for = go_on()
        except StopIteration as end:
            result: T = end.value
            return result
        notice()
        try:
            yield waited_for
        except BaseException as error:  # noqa: BLE001 - ``work`` gets it
            go_on = partial(work.throw, error)
        else:
            go_on = partial(work.send, None)
