"""From a frame to its ACK: which handler, once per matter, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

import structlog
from dingtalk_stream import AckMessage, CallbackHandler, CallbackMessage, EventHandler, EventMessage

from bot.dingtalk.connection import Connection
from bot.dingtalk.dedupe import Once
from bot.dingtalk.errors import BadPayload
from bot.dingtalk.frames import (
    Answer,
    Frame,
    callback_message,
    event_answer,
    event_message,
    failure,
    identity,
    read_data,
    response,
    write_ack,
)
from bot.dingtalk.sdk_handlers import HandlerThread, ask_callback, ask_event
from bot.dingtalk.stream_counts import StreamCounts
from bot.dingtalk.stream_policy import StreamPolicy
from bot.errors import DingerpError
from bot.time_limit import TimeLimit

log = structlog.get_logger(__name__)

Receive: TypeAlias = Callable[[CallbackMessage], Awaitable[Mapping[str, object] | None]]
"""A handler of ours: quick, returns the ACK's ``response``. Raising is answered 500, `BadPayload` 400."""

ReceiveEvent: TypeAlias = Callable[[EventMessage], Awaitable[None]]
"""A handler of ours for events: an event counts as taken when it returns, and comes again when it raises."""

SdkHandler: TypeAlias = CallbackHandler | EventHandler

_UNANSWERED: Final = Answer(0, "", "", settled=False)
"""No ACK at all: the gateway will push the frame again (DingTalk sheet, 1.6)."""


class _Receiver(NamedTuple):
    receive: Receive
    limit: TimeLimit


class _EventReceiver(NamedTuple):
    receive: ReceiveEvent
    limit: TimeLimit


class Dispatcher:
    """Gives each frame to its handler, one task a frame, and the answer to the connection that the frame came from."""

    def __init__(
        self,
        *,
        policy: StreamPolicy,
        counts: StreamCounts,
        monotonic: Callable[[], float],
        sdk_handler: Callable[[str, str], SdkHandler | None],
        thread: HandlerThread,
    ) -> None:
        self._policy = policy
        self._counts = counts
        self._sdk_handler = sdk_handler
        self._thread = thread
        self._receivers: dict[str, _Receiver] = {}
        self._events: _EventReceiver | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._slots = asyncio.Semaphore(policy.max_in_flight)
        self._sdk_in_flight = 0
        self._once: Once[Answer] = Once(
            limit=policy.remember, ttl=policy.remember_for, monotonic=monotonic, keep=lambda answer: answer.settled
        )

    @property
    def topics(self) -> tuple[str, ...]:
        """Topics with a handler of ours."""
        return tuple(self._receivers)

    def receive(self, topic: str, receive: Receive, *, timeout: float) -> None:
        """Let ``receive`` answer the callbacks of ``topic``, each within ``timeout`` seconds."""
        self._receivers[topic] = _Receiver(receive, TimeLimit(timeout))

    @property
    def takes_events(self) -> bool:
        """Whether a handler of ours takes events."""
        return self._events is not None

    def receive_events(self, receive: ReceiveEvent, *, timeout: float) -> None:
        """Let ``receive`` take all events, each within ``timeout`` seconds."""
        self._events = _EventReceiver(receive, TimeLimit(timeout))

    @property
    def full(self) -> bool:
        """Whether so many frames wait that no more should be read."""
        return len(self._tasks) >= self._policy.max_waiting

    def take(self, frame: Frame, connection: Connection) -> None:
        """Start working on a frame; returns at once."""
        task = asyncio.create_task(self._serve(frame, connection, connection.last_seen))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def room(self) -> None:
        """Wait until a quarter of the desk is free: not to stop and go with every frame."""
        while len(self._tasks) > self._policy.max_waiting * 3 // 4:
            self._room.clear()
            await self._room.wait()

    async def finish(self, grace: float) -> int:
        """Wait ``grace`` seconds for what is in flight, cancel the rest and return how many frames that were."""
        if self._tasks and grace > 0:
            await asyncio.wait(self._tasks, timeout=grace)
        left = tuple(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return len(left)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._counts.error(type(error).__name__)
            log.error("stream.frame_lost", exc_info=error)

    async def _serve(self, frame: Frame, connection: Connection, since: float) -> None:
        answer = await self._answer(frame)
        if answer is _UNANSWERED:
            return
        if not frame.message_id:
            self._counts.error("no_message_id")
            log.warning("stream.no_message_id", connection=connection.number, topic=frame.topic[:100])
        elif await connection.send(write_ack(frame.message_id, answer)):
            self._counts.ack(frame.topic, asyncio.get_running_loop().time() - since)
        else:
            self._counts.error("ack_dropped")
            log.info("stream.ack_dropped", connection=connection.number, topic=frame.topic)

    async def _answer(self, frame: Frame) -> Answer:
        receiver = self._receivers.get(frame.topic) if frame.type == CallbackMessage.TYPE else None
        events = self._events if frame.type == EventMessage.TYPE else None
        handler = None if receiver or events else self._sdk_handler(frame.type, frame.topic)
        if receiver is None and events is None and handler is None:
            return self._unable(frame, "unknown_topic", AckMessage.STATUS_NOT_IMPLEMENT, "no handler for this topic")
        try:
            data = read_data(frame)
        except BadPayload as error:
            return self._unable(frame, "bad_data", AckMessage.STATUS_BAD_REQUEST, error.detail)
        work: Callable[[], Awaitable[Answer]]
        if receiver is not None:
            work = partial(self._ask_receiver, receiver, frame, data)
        elif events is not None:
            work = partial(self._ask_event_receiver, events, frame, data)
        else:
            work = partial(self._ask_sdk, handler, frame, data)
        key = identity(frame, data)
        return await (work() if key is None else self._once.do(key, work))

    async def _ask_receiver(self, receiver: _Receiver, frame: Frame, data: dict[str, Any]) -> Answer:
        async with self._slots:
            try:
                with receiver.limit.running():
                    return response(await receiver.receive(callback_message(frame, data)))
            except BadPayload as error:
                return self._unable(frame, "bad_data", AckMessage.STATUS_BAD_REQUEST, error.detail)
            except asyncio.CancelledError:
                if _cancelled():
                    raise
                return self._failed(frame, None)
            except Exception as error:  # noqa: BLE001 - whatever a handler raises, its frame gets an ACK
                return self._failed(frame, error)

    async def _ask_event_receiver(self, events: _EventReceiver, frame: Frame, data: dict[str, Any]) -> Answer:
        async with self._slots:
            try:
                with events.limit.running():
                    await events.receive(event_message(frame, data))
                return event_answer(AckMessage.STATUS_OK, "OK", again=False)
            except asyncio.CancelledError:
                if _cancelled():
                    raise
                return self._failed(frame, None)
            except Exception as error:  # noqa: BLE001 - whatever a handler raises, its frame gets an ACK
                return self._failed(frame, error)

    async def _ask_sdk(self, handler: Any, frame: Frame, data: dict[str, Any]) -> Answer:
        if self._sdk_in_flight >= self._policy.max_sdk_in_flight:
            self._counts.error("unacked")
            log.warning("stream.unacked", topic=frame.topic, in_flight=self._sdk_in_flight)
            return _UNANSWERED
        work = (
            partial(ask_event, handler, event_message(frame, data))
            if frame.type == EventMessage.TYPE
            else partial(ask_callback, handler, callback_message(frame, data))
        )
        self._sdk_in_flight += 1
        try:
            async with asyncio.timeout(self._policy.sdk_timeout):
                return await self._thread.call(work)
        except asyncio.CancelledError:
            if _cancelled():
                raise
            return self._failed(frame, None)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its frame gets an ACK
            return self._failed(frame, error)
        finally:
            self._sdk_in_flight -= 1

    def _unable(self, frame: Frame, error: str, code: int, words: str) -> Answer:
        """Answer a frame that cannot be handled here. An event without a handler may be right elsewhere: later."""
        self._counts.error(error)
        log.warning(f"stream.{error}", type=frame.type, topic=frame.topic[:100], reason=words)
        if frame.type == EventMessage.TYPE:
            return event_answer(code, words, again=code == AckMessage.STATUS_NOT_IMPLEMENT)
        return failure(code, words)

    def _failed(self, frame: Frame, error: Exception | None) -> Answer:
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
            return event_answer(AckMessage.STATUS_SYSTEM_EXCEPTION, "handler failed", again=True)
        return failure(AckMessage.STATUS_SYSTEM_EXCEPTION, "handler failed")


def _cancelled() -> bool:
    """Whether it is this task that is being cancelled, and not something that a handler waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
