"""Runs handlers written for DingTalk's SDK, on a thread where they block only each other."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from bot.dingtalk.frames import EMPTY_REPLY, FrameReply, event_reply
from bot.dingtalk.sdk import AckMessage, CallbackHandler, EventHandler

# If logging is not configured yet, the SDK gives its loggers their own handlers, and every line would come twice
# (docs: platform/dingtalk/sdk.md#loggers). A logger that already has a handler is left alone.
logging.getLogger("dingtalk_stream").addHandler(logging.NullHandler())

Result = TypeVar("Result")

_WRONG_THREAD: Final = "this SDK call blocks: only handlers written for the SDK may use it, on their own thread"


class HandlerThread:
    """A thread with its own event loop, started by the first call.

    The SDK's handlers answer by ``requests``, which blocks (docs: platform/dingtalk/sdk.md#blocking-calls,
    #synchronous-handlers). Here such a call delays other SDK handlers, as with the SDK itself, but not the stream.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = asyncio.Event()

    async def call(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Run ``work`` on the thread and return its result. Cancelling the caller cancels the work."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), self._started()))

    async def stop(self, timeout: float) -> bool:
        """End the thread. Returns False if it blocks for more than ``timeout`` seconds; it then ends with the
        process.
        """
        if self._loop is None or self._thread is None:
            return True
        self._loop.call_soon_threadsafe(self._stopped.set)
        await asyncio.to_thread(self._thread.join, timeout)
        return not self._thread.is_alive()

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._run, args=(self._loop,), name="sdk-handlers", daemon=True)
            self._thread.start()
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        await self._stopped.wait()


class StreamLoop:
    """Lets the handlers' thread use the stream's event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def ask(self, question: Callable[[], Awaitable[Result]], *, timeout: float) -> Result:
        """Run ``question`` on the stream's loop and wait for its result, at most ``timeout`` seconds.

        Raises `RuntimeError` when called on that loop itself, where it would deadlock.
        """
        if threading.get_ident() == self._thread:
            raise RuntimeError(_WRONG_THREAD)

        async def answer() -> Result:
            async with asyncio.timeout(timeout):
                return await question()

        return asyncio.run_coroutine_threadsafe(answer(), self._loop).result()


async def ask_callback(handler: CallbackHandler, message: Any) -> FrameReply:
    """Return the ACK that the SDK would send: ``{"response": <what process() returned second>}``."""
    ack: AckMessage | None = await handler.raw_process(message)
    if ack is None:  # the SDK would send no ACK for a handled message, and get it again
        return EMPTY_REPLY
    return FrameReply(ack.code, ack.message, json.dumps(ack.data), settled=ack.code == AckMessage.STATUS_OK)


async def ask_event(handler: EventHandler, message: Any) -> FrameReply:
    """Return the ACK of an event, with the status that the SDK omits (docs: platform/dingtalk/sdk.md#event-acks).

    ``STATUS_OK`` is a success; any other code requests a redelivery.
    """
    ack: AckMessage | None = await handler.raw_process(message)
    if ack is None:
        return event_reply(AckMessage.STATUS_OK, "OK", again=False)
    return event_reply(ack.code, str(ack.message or "OK"), again=ack.code != AckMessage.STATUS_OK)
