"""From a frame to its ACK: finds the handler, recognises repeats, and bounds the work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import Any, Final, NamedTuple, TypeAlias

import structlog

from bot.dingtalk.connection import Connection
from bot.dingtalk.dedupe import Deduplicator
from bot.dingtalk.errors import BadPayload, UnknownEvent
from bot.dingtalk.frames import (
    EMPTY_REPLY,
    Frame,
    FrameReply,
    Push,
    callback_message,
    callback_reply,
    dedupe_key,
    event_message,
    event_reply,
    failure_reply,
    read_data,
    write_ack,
)
from bot.dingtalk.sdk import AckMessage, CallbackHandler, CallbackMessage, EventHandler, EventMessage
from bot.dingtalk.sdk_handlers import HandlerThread, ask_callback, ask_event
from bot.dingtalk.stream_metrics import StreamMetrics
from bot.dingtalk.stream_policy import StreamPolicy
from bot.mechanisms.time_limit import TimeLimit
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

CallbackReceiver: TypeAlias = Callable[[Push], Awaitable[Mapping[str, object] | None]]
"""A quick handler of ours that returns the content of the ACK. An error is answered with 500, `BadPayload` with 400."""

AcknowledgeFrame: TypeAlias = Callable[[DingerpError | None], None]
"""Answers a frame of a `DeferredReceiver` with 200, or 500 for an error. Only the first call counts; none waits."""

DeferredReceiver: TypeAlias = Callable[[Push, AcknowledgeFrame], None]
"""A handler of ours that returns at once and has the frame answered later.

Errors are answered as with `CallbackReceiver`. It has to recognise repeats itself, and there is no time limit: a late
ACK is still useful.
"""

OnIdle: TypeAlias = Callable[[], None]
"""Called when all available frames were given to their `DeferredReceiver`, so that shared work need not wait for
more.
"""

EventReceiver: TypeAlias = Callable[[EventMessage], Awaitable[None]]
"""A handler of ours for events. An event is done when it returns, and is redelivered when it raises."""

SdkHandler: TypeAlias = CallbackHandler | EventHandler

_NO_REPLY: Final = FrameReply(0, "", "", settled=False)
"""No ACK at all: the gateway will push the frame again (docs: platform/dingtalk/stream.md#redelivery)."""


class _TimedReceiver(NamedTuple):
    receive: CallbackReceiver
    limit: TimeLimit


class _TimedEventReceiver(NamedTuple):
    receive: EventReceiver
    limit: TimeLimit


class _DeferredFrame:
    """A frame that a `DeferredReceiver` still has to answer."""

    __slots__ = ("connection", "frame", "since")

    def __init__(self, frame: Frame, connection: Connection) -> None:
        self.frame = frame
        self.connection = connection
        self.since = perf_counter()


class Dispatcher:
    """Passes each frame to its handler, and the answer to the frame's connection.

    Each frame gets a task, except for a `DeferredReceiver`: a task starts one turn of the event loop later, and resumes
    one turn after what it waited for. Under load those turns were a third of the time until an ACK (measured).
    """

    def __init__(
        self,
        *,
        policy: StreamPolicy,
        counts: StreamMetrics,
        monotonic: Callable[[], float],
        sdk_handler: Callable[[str, str], SdkHandler | None],
        thread: HandlerThread,
    ) -> None:
        self._policy = policy
        self._counts = counts
        self._sdk_handler = sdk_handler
        self._thread = thread
        self._receivers: dict[str, _TimedReceiver] = {}
        self._events: _TimedEventReceiver | None = None
        self._loop = asyncio.get_running_loop()
        self._deferred_receivers: dict[str, DeferredReceiver] = {}
        self._on_idle: list[OnIdle] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._deferred: set[_DeferredFrame] = set()
        """Unacknowledged frames besides those of tasks."""
        self._room = asyncio.Event()
        self._slots = asyncio.Semaphore(policy.max_in_flight)
        self._sdk_in_flight = 0
        self._once: Deduplicator[FrameReply] = Deduplicator(
            limit=policy.remember, ttl=policy.remember_for, monotonic=monotonic, keep=lambda answer: answer.settled
        )

    @property
    def topics(self) -> tuple[str, ...]:
        """Topics with a handler of ours."""
        return (*self._receivers, *self._deferred_receivers)

    def receive(self, topic: str, receive: CallbackReceiver, *, timeout: float) -> None:
        """Let ``receive`` answer the callbacks of ``topic``, each within ``timeout`` seconds."""
        self._receivers[topic] = _TimedReceiver(receive, TimeLimit(timeout))

    def receive_deferred(self, topic: str, receive: DeferredReceiver, on_idle: OnIdle) -> None:
        """Give the callbacks of ``topic`` to ``receive``, and call ``on_idle`` when there are no more for now."""
        self._deferred_receivers[topic] = receive
        self._on_idle.append(on_idle)

    @property
    def takes_events(self) -> bool:
        """Whether a handler of ours takes events."""
        return self._events is not None

    def receive_events(self, receive: EventReceiver, *, timeout: float) -> None:
        """Let ``receive`` take all events, each within ``timeout`` seconds."""
        self._events = _TimedEventReceiver(receive, TimeLimit(timeout))

    @property
    def full(self) -> bool:
        """Whether too many frames wait for more to be read."""
        return self._waiting >= self._policy.max_waiting

    def take(self, frame: Frame, connection: Connection) -> None:
        """Start working on a frame; returns at once."""
        if frame.type == CallbackMessage.TYPE and (receive := self._deferred_receivers.get(frame.topic)) is not None:
            self._defer(receive, frame, connection)
        else:
            self._tasks.add(self._loop.create_task(self._serve(frame, connection, perf_counter())))

    def notify_idle(self) -> None:
        """Tell deferred receivers that there are no more frames for now."""
        for on_idle in self._on_idle:
            try:
                on_idle()
            except Exception as defect:
                self._counts.error(type(defect).__name__)
                log.error("stream.idle_failed", exc_info=defect)

    async def wait_for_room(self) -> None:
        """Wait until a quarter of the room is free, so that reading does not stop and start with every frame."""
        await self._fewer_than(self._policy.max_waiting * 3 // 4 + 1)

    async def finish(self, grace: float) -> int:
        """Wait ``grace`` seconds for frames in flight, cancel the others and return their number."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._fewer_than(1)
        left, deferred = tuple(self._tasks), len(self._deferred)
        self._deferred.clear()
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return len(left) + deferred

    @property
    def _waiting(self) -> int:
        return len(self._tasks) + len(self._deferred)

    async def _fewer_than(self, count: int) -> None:
        while self._waiting >= count:
            self._room.clear()
            await self._room.wait()

    def _defer(self, receive: DeferredReceiver, frame: Frame, connection: Connection) -> None:
        deferred = _DeferredFrame(frame, connection)
        self._deferred.add(deferred)
        try:
            receive(Push(frame, read_data(frame)), partial(self._settle, deferred))
        except BadPayload as error:
            self._end(deferred, self._unable(frame, "bad_data", AckMessage.STATUS_BAD_REQUEST, error.detail))
        except Exception as error:  # noqa: BLE001 - counted and logged; the frame gets another chance
            self._failed(frame, error)
            self._end(deferred, _NO_REPLY)

    def _settle(self, deferred: _DeferredFrame, error: DingerpError | None) -> None:
        """Acknowledge a frame, or leave it without an ACK: an error ACK may be mistaken for any other."""
        if error is not None:
            self._failed(deferred.frame, error)
        self._end(deferred, EMPTY_REPLY if error is None else _NO_REPLY)

    def _end(self, deferred: _DeferredFrame, answer: FrameReply) -> None:
        if deferred in self._deferred:  # otherwise it is answered already, or too late
            self._deferred.remove(deferred)
            self._acknowledge(deferred.frame, answer, deferred.connection, deferred.since)
            self._room.set()

    async def _serve(self, frame: Frame, connection: Connection, since: float) -> None:
        """Have a frame handled and acknowledged."""
        try:
            push = self._push(frame)
            answer = await self._answer(frame, push) if isinstance(push, Push) else push
            self._acknowledge(frame, answer, connection, since)
        except Exception as defect:
            self._counts.error(type(defect).__name__)
            log.error("stream.frame_lost", exc_info=defect)
        finally:
            self._tasks.discard(asyncio.current_task(self._loop))
            self._room.set()

    def _acknowledge(self, frame: Frame, answer: FrameReply, connection: Connection, since: float) -> None:
        if answer is _NO_REPLY:
            return
        if not frame.message_id:
            self._counts.error("no_message_id")
            log.warning("stream.no_message_id", connection=connection.number, topic=frame.topic[:100])
        elif connection.send(write_ack(frame.message_id, answer)):
            self._counts.ack(frame.topic, perf_counter() - since)
        else:
            self._counts.error("ack_dropped")
            log.info("stream.ack_dropped", connection=connection.number, topic=frame.topic)

    def _push(self, frame: Frame) -> Push | FrameReply:
        """Return the push for the handler, or the answer if there is no handler or no valid data."""
        ours = self._receivers.get(frame.topic) if frame.type == CallbackMessage.TYPE else self._events
        if ours is None and self._sdk_handler(frame.type, frame.topic) is None:
            return self._unable(frame, "unknown_topic", AckMessage.STATUS_NOT_IMPLEMENT, "no handler for this topic")
        try:
            return Push(frame, read_data(frame))
        except BadPayload as error:
            return self._unable(frame, "bad_data", AckMessage.STATUS_BAD_REQUEST, error.detail)

    async def _answer(self, frame: Frame, push: Push) -> FrameReply:
        work: Callable[[], Awaitable[FrameReply]]
        if frame.type == CallbackMessage.TYPE and (receiver := self._receivers.get(frame.topic)) is not None:
            work = partial(self._ask_receiver, receiver, frame, push)
        elif frame.type == EventMessage.TYPE and self._events is not None:
            work = partial(self._ask_event_receiver, self._events, frame, push.data)
        else:
            work = partial(self._ask_sdk, self._sdk_handler(frame.type, frame.topic), frame, push.data)
        key = dedupe_key(frame, push.data)
        guarded = partial(self._guarded, frame, work)
        return await (guarded() if key is None else self._once.run(key, guarded))

    async def _guarded(self, frame: Frame, work: Callable[[], Awaitable[FrameReply]]) -> FrameReply:
        try:
            return await work()
        except asyncio.CancelledError:
            if self._cancelled():
                raise
            return self._failed(frame, None)
        except Exception as error:  # noqa: BLE001 - a frame gets an ACK whatever its handler raises
            return self._failed(frame, error)

    async def _ask_receiver(self, receiver: _TimedReceiver, frame: Frame, push: Push) -> FrameReply:
        async with self._slots:
            try:
                with receiver.limit.running():
                    return callback_reply(await receiver.receive(push))
            except BadPayload as error:
                return self._unable(frame, "bad_data", AckMessage.STATUS_BAD_REQUEST, error.detail)

    async def _ask_event_receiver(self, events: _TimedEventReceiver, frame: Frame, data: dict[str, Any]) -> FrameReply:
        # Waiting for a slot is part of DingTalk's time limit.
        with events.limit.running():
            async with self._slots:
                try:
                    await events.receive(event_message(frame, data))
                except UnknownEvent:
                    return self._unable(
                        frame, "unknown_topic", AckMessage.STATUS_NOT_IMPLEMENT, "no handler for this topic"
                    )
        return event_reply(AckMessage.STATUS_OK, "OK", again=False)

    async def _ask_sdk(self, handler: Any, frame: Frame, data: dict[str, Any]) -> FrameReply:
        if self._sdk_in_flight >= self._policy.max_sdk_in_flight:
            self._counts.error("unacked")
            log.warning("stream.unacked", topic=frame.topic, in_flight=self._sdk_in_flight)
            return _NO_REPLY
        work = (
            partial(ask_event, handler, event_message(frame, data))
            if frame.type == EventMessage.TYPE
            else partial(ask_callback, handler, callback_message(frame, data))
        )
        self._sdk_in_flight += 1
        try:
            async with asyncio.timeout(self._policy.sdk_timeout):
                return await self._thread.call(work)
        finally:
            self._sdk_in_flight -= 1

    def _unable(self, frame: Frame, error: str, code: int, words: str) -> FrameReply:
        """Answer a frame that cannot be handled. An event without a handler comes again: another bot may take it."""
        self._counts.error(error)
        log.warning(f"stream.{error}", type=frame.type, topic=frame.topic[:100], reason=words)
        if frame.type == EventMessage.TYPE:
            return event_reply(code, words, again=code == AckMessage.STATUS_NOT_IMPLEMENT)
        return failure_reply(code, words)

    def _failed(self, frame: Frame, error: Exception | None) -> FrameReply:
        """Answer 500 for a handler that raised ``error``, or whose work was cancelled (None)."""
        name = type(error).__name__ if error is not None else "cancelled"
        self._counts.error(name)
        expected = isinstance(error, DingerpError | TimeoutError) or error is None
        log.error(
            "stream.handler_failed",
            topic=frame.topic,
            error=name,
            detail=error.detail if isinstance(error, DingerpError) else "",
            exc_info=None if expected else error,
        )
        if frame.type == EventMessage.TYPE:
            return event_reply(AckMessage.STATUS_SYSTEM_EXCEPTION, "handler failed", again=True)
        return failure_reply(AckMessage.STATUS_SYSTEM_EXCEPTION, "handler failed")

    def _cancelled(self) -> bool:
        """Return whether this task itself is being cancelled, and not something its handler waited for."""
        task = asyncio.current_task(self._loop)
        return task is not None and task.cancelling() > 0
