"""Polls the ERPs for changes, and for documents and stock that time alone has made late, overdue or scarce.

Each source is polled on its own, one call after the other, within its rate limit and behind its circuit breaker, so
questions are not held up and an ERP that is down does not affect the others. Open problems are not reported again,
resolved ones are (`bot.alerts.intake.transitions`), and nothing is lost or reported twice whenever the process ends
(`bot.alerts.intake.poll_state`). After a downtime the feed continues where it stopped, and events carry the ERP's own
times.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.alerts.intake.area_poller import SOURCE_DOWN_ERRORS, AreaPoller, Checkpoints
from bot.alerts.intake.areas import AREAS
from bot.alerts.intake.areas.area import PolledArea
from bot.alerts.intake.poll_state import Checkpoint, PollConfig, PollStore
from bot.alerts.intake.port import Intake
from bot.erp.errors import ErpError
from bot.erp.source_client import SourceClient
from bot.mechanisms.backoff import Backoff, BackoffPolicy
from bot.mechanisms.metrics import Metrics
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

SENT_AT_ONCE = 500
LONGEST_PAUSE = 600.0
"""Seconds between two attempts at a source that is down."""
SUBJECT_RETENTION = timedelta(days=400)
"""How long the time of a subject's last event is kept, so that no later event has an earlier time."""


class PollStage(Protocol):
    """One part of a round, in one area."""

    async def __call__(self, area: PolledArea, positions: Checkpoints) -> None:
        """Run the stage."""
        ...


class SourcePoller:
    """Polls one source."""

    def __init__(
        self,
        erp: SourceClient,
        store: PollStore,
        intake: Intake,
        *,
        poll_config: PollConfig,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        """``now`` is in the company's zone, where its days begin."""
        self.source = erp.name
        self._store = store
        self._intake = intake
        self._config = poll_config
        self._now = now
        self._areas = [AREAS[name] for name in poll_config.areas if AREAS[name].needs in erp.capabilities]
        poller = AreaPoller(erp, store, self._hand_over, poll_config=poll_config, now=now)
        # Changes of all areas come first: people may wait for them, but nobody waits for a sweep.
        self._stages: Mapping[str, PollStage] = {
            "feed": poller.follow,
            "sweep": poller.sweep,
            "rest": poller.recheck_unseen,
        }
        self._trouble: dict[str, str] = {}
        self._good_at: datetime | None = None
        self._pruned_at: datetime | None = None
        metrics.poll_age.labels(erp.name).set_function(self._age)

    async def run(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Poll for ever, with a back-off while the source is down."""
        seconds = self._config.seconds
        backoff = Backoff(BackoffPolicy(first=2 * seconds, longest=max(LONGEST_PAUSE, seconds)))
        while True:
            if await self.poll(unless_within=seconds / 2):
                backoff.succeeded()
                await sleep(seconds)
            else:
                await sleep(backoff.failed())

    async def poll(self, *, unless_within: float = 0.0) -> bool:
        """Do one round, unless a process did within that many seconds; return whether all was read and stored.

        A failure is logged once, and its end once; the next round continues where this one stopped.
        """
        try:
            await self._hand_over()
            positions = dict(await self._store.positions(self.source))
            if not self._is_fresh(positions.values(), unless_within):
                await self._round(positions)
        except DingerpError as error:  # the source, the store or the intake
            self._down("", error)
            return False
        self._up("")
        return True

    async def _round(self, positions: Checkpoints) -> None:
        began = self._now()
        for name, stage in self._stages.items():
            for area in self._areas:
                await self._run_stage(f"{area.name}/{name}", stage, area, positions)
        self._good_at = began
        await self._store.answered(self.source, began)
        if self._pruned_at is None or began - self._pruned_at > timedelta(days=1):
            await self._store.prune(self.source, began - SUBJECT_RETENTION)
            self._pruned_at = began

    async def _run_stage(self, what: str, stage: PollStage, area: PolledArea, positions: Checkpoints) -> None:
        """Run one stage in one area; if only this area fails, the others still run."""
        try:
            await stage(area, positions)
        except SOURCE_DOWN_ERRORS:
            raise
        except ErpError as error:
            self._down(what, error)
        else:
            self._up(what)

    async def _hand_over(self) -> None:
        """Hand the intake all events it may not have yet."""
        while unsent := await self._store.unsent(self.source, SENT_AT_ONCE):
            await self._intake.accept(self.source, [event for _, event in unsent], via="poll")
            await self._store.sent([number for number, _ in unsent])

    def _is_fresh(self, positions: Iterable[Checkpoint], within: float) -> bool:
        """Return whether another process polls this source at the same pace."""
        good = max((position.good_at for position in positions if position.good_at is not None), default=None)
        if good is not None:
            self._good_at = good
        return good is not None and self._now() - good < timedelta(seconds=within)

    def _down(self, what: str, error: DingerpError) -> None:
        """Log a failure unless it was logged before."""
        name = type(error).__name__
        if self._trouble.get(what) != name:
            log.warning("poll.down", source=self.source, part=what or "all", error=name, detail=error.detail)
        self._trouble[what] = name

    def _up(self, what: str) -> None:
        if self._trouble.pop(what, None):
            log.info("poll.up", source=self.source, part=what or "all")

    def _age(self) -> float:
        return float("nan") if self._good_at is None else (self._now() - self._good_at).total_seconds()


async def supervise(runs: Mapping[str, Callable[[], Awaitable[None]]], pause: float = LONGEST_PAUSE) -> None:
    """Run all pollers concurrently for ever.

    A crashed poller is logged and restarted after ``pause`` seconds: it must neither stop the others nor stay dead.
    """
    guards = [asyncio.create_task(_guard(name, run, pause), name=f"poll {name}") for name, run in runs.items()]
    try:
        await asyncio.gather(*guards)
    finally:
        for guard in guards:
            guard.cancel()
        await asyncio.gather(*guards, return_exceptions=True)


async def _guard(name: str, run: Callable[[], Awaitable[None]], pause: float) -> None:
    while True:
        task = asyncio.ensure_future(run())
        try:
            await asyncio.wait((task,))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and (error := task.exception()):
            log.error("poll.crashed", part=name, exc_info=error)
        await asyncio.sleep(pause)
