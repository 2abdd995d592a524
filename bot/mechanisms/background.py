"""Tasks that run for the lifetime of the bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto
from typing import Any

import structlog

from bot.mechanisms.leadership import Leadership
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)


REMIND_SECONDS = 300.0


async def repeat(work: Callable[[], Awaitable[object]], *, every: float, failed: str) -> None:
    """Run ``work`` now and at every interval; an error is logged as the event ``failed``.

    The same error is logged again only after `REMIND_SECONDS`: a log that grows each second fills a full disk.
    """
    told, silent = "", 0.0
    while True:
        try:
            await work()
            told = ""
        except DingerpError as error:
            if error.detail != told or silent >= REMIND_SECONDS:
                log.warning(failed, error=type(error).__name__, detail=error.detail)
                told, silent = error.detail, 0.0
        await asyncio.sleep(every)
        silent += every


async def finish(work: Callable[[], Awaitable[object]], *, failed: str) -> None:
    """Run ``work`` a last time, before the bot stops, which no error keeps it from: that is logged as ``failed``."""
    try:
        await work()
    except DingerpError as error:
        log.warning(failed, error=type(error).__name__, detail=error.detail)


class Runs(Enum):
    """Where a task runs, if several replicas work together."""

    EVERYWHERE = auto()
    """At each: it serves what this process holds in memory, or takes its share of what is claimed in the database."""
    WITH_LEAD = auto()
    """At the replica that leads: doing it twice would be wrong or a waste."""


class BackgroundTasks:
    """Tasks that must always run: the first failure ends the app."""

    def __init__(self) -> None:
        self.leadership = Leadership.alone()
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def running(
        self, work: Callable[[], Coroutine[Any, Any, None]], name: str, runs: Runs
    ) -> AsyncIterator[None]:
        """Run ``work`` until the context ends; with the lead it may begin several times."""
        running = self.leadership.while_leading(work) if runs is Runs.WITH_LEAD else work()
        task = asyncio.create_task(running, name=name)
        task.add_done_callback(self._report)
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _report(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.critical("bot.part_died", part=task.get_name(), exc_info=error)
            if not self.failed.done():
                self.failed.set_result(error)
