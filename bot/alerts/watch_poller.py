"""Polls people's watches (``/watch``): stock figures, and documents.

The hub is asked as for a question, all sources together: the person who set the limit saw that figure. A stale answer,
or one that lacks a source, proves nothing about a limit and is ignored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from bot.alerts.alert import Watch
from bot.alerts.event import Correlation, Effect
from bot.alerts.intake.poll_state import PollConfig
from bot.alerts.intake.transitions import describe_changes
from bot.alerts.processing.lifecycle import GradedEvent
from bot.alerts.processing.pipeline import apply_event, watch_events
from bot.alerts.repository import AlertUnitOfWork
from bot.alerts.service import AlertUnitOfWorkRunner
from bot.alerts.watch_readings import WatchReading, read_watched
from bot.erp.answer import Answer
from bot.erp.books import Books
from bot.erp.errors import ErpError
from bot.erp.hub import ErpHub
from bot.erp.kinds import kind_followed
from bot.erp.model import Area, Followed
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)


class WatchPoller:
    """Polls people's watches."""

    def __init__(
        self,
        erp: ErpHub,
        units: AlertUnitOfWorkRunner,
        *,
        poll_config: PollConfig,
        now: Callable[[], datetime],
    ) -> None:
        self._erp = erp
        self._units = units
        self._config = poll_config
        self._now = now
        self._next = 0
        self._is_down = False

    async def run(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Poll for ever."""
        while True:
            try:
                await self.poll()
                self._is_down = False
            except DingerpError as error:  # the store
                if not self._is_down:
                    log.warning("poll.watches_down", error=type(error).__name__, detail=error.detail)
                self._is_down = True
            await sleep(self._config.seconds)

    async def poll(self) -> None:
        """Do one round; subjects beyond its call limit wait for the next round."""
        watches = await self._units.query(lambda unit: tuple(unit.repository.watches()))
        wanted: dict[tuple[Followed, str, Books], list[Watch]] = {}
        for watch in watches:
            wanted.setdefault((watch.area, watch.subject.casefold(), watch.books), []).append(watch)
        groups = sorted(wanted.values(), key=lambda group: (group[0].area, group[0].subject, group[0].books.names))
        begin = self._next if self._next < len(groups) else 0
        batch = groups[begin : begin + self._config.calls]
        self._next = begin + len(batch)
        for area in dict.fromkeys(group[0].area for group in batch):
            await self._poll_area(area, [group for group in batch if group[0].area is area])

    async def _poll_area(self, area: Followed, groups: Sequence[Sequence[Watch]]) -> None:
        readings = [(await self._read(area, group[0]), group) for group in groups]
        read = [(reading, group) for reading, group in readings if reading is not None]
        if not read:
            return
        if area is Area.STOCK:
            figures = [reading for reading, _ in read]
            await self._units.transact(lambda unit: _report_figures(unit, figures))
        else:
            seen = [(watch, reading) for reading, group in read for watch in group]
            await self._units.transact(lambda unit: _report_changes(unit, seen))

    async def _read(self, area: Followed, watch: Watch) -> WatchReading | None:
        """Return the current state in the watched books; None if it is unreliable."""
        code, erp = watch.subject, self._erp.within(watch.books)
        try:
            if area is Area.STOCK:
                return _reading_of(await erp.stock(code))
            return _reading_of(await erp.document(kind_followed(area), code))
        except ErpError:
            pass  # counted by the hub; an unavailable source is logged by its own poller
        return None


def _reading_of(answer: Answer[Any]) -> WatchReading | None:
    return None if answer.stale or answer.failures else read_watched(answer.value, answer.source)


def _report_figures(unit: AlertUnitOfWork, figures: Sequence[WatchReading]) -> None:
    """Report figures to the watches with a limit, except those already shown by their alerts."""
    unit.repository.expect((), [figure.code for figure in figures])
    for event in filter(None, (figure.event(unit.now, ()) for figure in figures)):
        for report in watch_events(unit, event, event.severity):
            latest = unit.repository.latest(report.correlation.key)
            if report.correlation.effect is Effect.OPENS and latest is not None and latest.is_open:
                continue
            apply_event(unit, report)


def _report_changes(unit: AlertUnitOfWork, seen: Sequence[tuple[Watch, WatchReading]]) -> None:
    """Report the changes since each owner's last known state, and store the new one.

    Both happen in one transaction: no change is told twice, and none is lost. A watch that was dropped or renewed since
    the read is skipped: its state is newer than this reading.
    """
    unit.repository.expect((), [watch.subject for watch, _ in seen])
    for watch, reading in seen:
        if watch.said == reading.said or watch not in unit.repository.watches_on(watch.subject):
            continue
        if watch.said and (event := reading.event(unit.now, describe_changes(watch.said, reading.said))):
            informed = Correlation(watch.alert_key(event), Effect.INFORMS)
            apply_event(unit, GradedEvent(event, event.severity, informed))
        unit.repository.put_watch(replace(watch, said=reading.said))
