"""The connection by which a replica hears what work the others have stored (`bot.store.announcements`)."""

from __future__ import annotations

import asyncio
from typing import Final

import psycopg
import structlog
from psycopg import sql

from bot.mechanisms.backoff import Backoff, BackoffPolicy
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.wakeup import SharedWork, WakeupsByOthers
from bot.store.announcements import CHANNEL
from bot.store.engines import CONNECTION_PREFIX, lease_arguments

log = structlog.get_logger(__name__)

_PAUSES: Final = BackoffPolicy(first=0.5, longest=30.0, spread=(0.5, 1.0))
_BEAT_EVERY: Final = 5.0
"""Seconds after which a connection that says nothing is tried: firewalls end it, and tell nobody."""
_ANSWER_SECONDS: Final = 3.0
_WORK: Final = {work.value: work for work in SharedWork}


class AnnouncementListener:
    """Wakes this process's workers for what other replicas store, while `run` is running."""

    def __init__(self, url: str, wakeups: WakeupsByOthers, *, process: str, metrics: Metrics) -> None:
        """``url`` leads to PostgreSQL itself: behind a pooler nobody can listen. ``process`` is not told of its own."""
        self._arguments = lease_arguments(url, process=process)
        self._wakeups = wakeups
        self._own = CONNECTION_PREFIX + process
        self._metrics = metrics
        self._backoff = Backoff(_PAUSES, stable_after=_BEAT_EVERY)
        self._trouble = ""

    async def run(self) -> None:
        """Listen until cancelled. A connection that ends is opened again; meanwhile the workers look more often."""
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:  # `TimeoutError` is an `OSError`
                self._tell(type(error).__name__)
            finally:
                self._wakeups.end()
                self._metrics.replica_listens.set(0)
            await asyncio.sleep(self._backoff.ended(clock() - began))

    async def _listen(self) -> None:
        async with asyncio.timeout(_ANSWER_SECONDS):
            connection = await psycopg.AsyncConnection.connect(**self._arguments, autocommit=True)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                found = await (await connection.execute(f"SELECT {CHANNEL}")).fetchone()
                assert found is not None, "a SELECT without FROM has one row"
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(found[0])))
            self._begin()
            while True:
                async for announced in connection.notifies(timeout=_BEAT_EVERY):
                    self._hear(announced.payload)
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await connection.execute("SELECT 1")
        finally:
            await connection.close()

    def _begin(self) -> None:
        log.info("announcements.heard")
        self._trouble = ""
        self._metrics.replica_listens.set(1)
        self._wakeups.begin()

    def _hear(self, told: str) -> None:
        kind, _, teller = told.partition(" ")
        work = _WORK.get(kind)  # a newer version may know more kinds
        if work is not None and teller != self._own:
            self._metrics.announcements.labels(work.value).inc()
            self._wakeups.call(work)

    def _tell(self, trouble: str) -> None:
        """Log a trouble, once for as long as it stays the same."""
        if trouble != self._trouble:
            log.warning("announcements.not_heard", error=trouble)
            self._trouble = trouble
