"""Work that must finish even if its caller is cancelled, such as a write in progress."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import structlog

from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

T = TypeVar("T")


class UninterruptedWork:
    """Runs such work, and keeps references to it until its end."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Future[Any]] = set()

    async def run(self, work: Awaitable[T]) -> T:
        """Return the result of the work; a cancelled caller leaves it running."""
        future = asyncio.ensure_future(work)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            future.add_done_callback(_report)
            raise

    async def wait(self) -> None:
        """Wait for running work, however it ends."""
        if self._under_way:
            await asyncio.wait([*self._under_way])


def _report(work: asyncio.Future[Any]) -> None:
    """Log the error of work whose caller has gone; without that it would be logged as a defect, even one to expect."""
    error = None if work.cancelled() else work.exception()
    if isinstance(error, DingerpError):
        log.warning("work.failed", error=type(error).__name__, detail=error.detail)
    elif error is not None:
        log.error("work.failed", exc_info=error)
