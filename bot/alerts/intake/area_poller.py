"""Polls one area of one source: follows its feed of changes, sweeps it, and rechecks subjects the sweep missed.

The calls of a round are limited per area, and the rest waits for the next round: the first sweep over ten thousand
products takes hours, and is meant to.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.alerts.intake.areas.area import PolledArea
from bot.alerts.intake.poll_state import (
    Checkpoint,
    CloudEvent,
    PollConfig,
    PolledRecord,
    PolledSubject,
    PollStore,
)
from bot.alerts.intake.transitions import PollCircumstances, apply_record
from bot.erp.errors import AuthExpired, AuthFailed, ErpError, Invalid, NotFound, RateLimited, Unavailable, Unsupported
from bot.erp.model import Changes
from bot.erp.port import Capability
from bot.erp.source_client import SourceClient

log = structlog.get_logger(__name__)

BATCH = 20
"""Records read between two stored steps: at most this many are read again after a crash or a failure."""
CATCH_UP_BATCH = 1_000
"""Changes per call while the feed catches up for the first time."""

SHORT_LIST_PAGES = 10
"""Lists of up to this many pages are swept at the configured interval; longer ones less often."""

SOURCE_DOWN_ERRORS = (Unavailable, RateLimited, AuthFailed, AuthExpired)
"""Errors of the source as a whole; all others concern one record or one area."""

Checkpoints = dict[str, Checkpoint]
"""The stored checkpoints by area name."""


class AreaPoller:
    """Polls the areas of one source. All methods raise the classes of `bot.erp.errors` and what the store raises."""

    def __init__(
        self,
        erp: SourceClient,
        store: PollStore,
        hand_over: Callable[[], Awaitable[None]],
        *,
        poll_config: PollConfig,
        now: Callable[[], datetime],
    ) -> None:
        """``hand_over`` is called when events are stored; ``now`` is in the company's zone."""
        self.source = erp.name
        self._erp = erp
        self._store = store
        self._hand_over = hand_over
        self._config = poll_config
        self._now = now
        self._no_feed: set[str] = set()
        self._no_sweep: set[str] = set()
        self._asked: dict[str, int] = {}
        self._unread: set[tuple[str, str]] = set()
        self._ahead = CATCH_UP_BATCH

    async def follow(self, area: PolledArea, positions: Checkpoints) -> None:
        """Read the changes since the last round."""
        if not self._has_feed(area):
            return
        calls = self._config.calls - self._config.calls // 4  # the sweep covers the rest
        position = self._position(area, positions)
        while calls > 0:
            limit = min(BATCH, calls) if position.followed else self._ahead
            changes = await self._changes(area, position, limit)
            if changes is None:
                # Most likely the name now belongs to another ERP.
                position = replace(position, cursor="", followed=False, began_at=None)
                continue
            calls -= 1
            findings: list[PolledRecord] = []
            if position.followed:
                calls -= len(changes.items)
                findings = await self._read_all(area, {change.key: change.changed_at for change in changes.items})
            reached = replace(position, cursor=changes.cursor, followed=position.followed or not changes.more)
            if reached == position:
                return
            if not await self._step(area, positions, reached, findings, by_change=True):
                return
            position = positions[area.name]
            if not changes.more:
                return

    async def _changes(self, area: PolledArea, position: Checkpoint, limit: int) -> Changes | None:
        """Return the next changes; None if the source no longer understands its cursor."""
        try:
            return await self._erp.changed_since(area.feed, position.cursor, limit=limit)
        except Unsupported:
            self._no_feed.add(area.name)
            log.info("poll.no_feed", source=self.source, area=area.name)
            return Changes(items=(), cursor=position.cursor, more=False)
        except Invalid:
            if not position.cursor:
                raise
            return None
        except Unavailable:
            # The call may have asked for too much.
            self._ahead = max(BATCH, self._ahead // 4)
            raise

    async def sweep(self, area: PolledArea, positions: Checkpoints) -> None:
        """Start a sweep of the whole area if one is due, or continue one."""
        position = self._position(area, positions)
        if area.name in self._no_sweep or not (position.sweeping or self._is_due(area, position)):
            return
        if self._has_feed(area) and not position.followed:
            return  # the feed is still catching up and would miss changes behind the sweep
        if not position.sweeping:
            position = replace(position, sweeping=True, place="", began_at=self._now())
            self._asked[area.name] = 0
        calls = self._config.calls
        while calls > 0 and position.sweeping:
            try:
                swept = await area.sweep(self._erp, position.place, min(BATCH, calls), self._now().date())
            except Invalid:
                if not position.place:
                    raise
                position = replace(position, place="", began_at=self._now())
                continue
            except Unsupported:
                swept = None
            if swept is None:
                self._no_sweep.add(area.name)
                return
            calls -= 1 + len(swept.codes)
            self._asked[area.name] = self._asked.get(area.name, 0) + 1
            findings = [*swept.findings, *await self._read_all(area, swept.codes)]
            reached = replace(position, place=swept.place or "", sweeping=swept.place is not None)
            if not reached.sweeping:
                reached = replace(reached, swept_at=self._now())
            if not await self._step(area, positions, reached, findings, by_change=False):
                return
            position = positions[area.name]

    async def recheck_unseen(self, area: PolledArea, positions: Checkpoints) -> None:
        """Read open subjects that the last sweep missed: resolved, deleted, or moved to another page meanwhile."""
        position = self._position(area, positions)
        if position.sweeping or position.began_at is None or area.name in self._no_sweep:
            return
        calls = self._config.calls
        while calls > 0:
            unseen = await self._store.unseen(self.source, area.name, position.began_at, min(BATCH, calls))
            if not unseen:
                return
            calls -= len(unseen)
            findings = await self._read_all(area, dict.fromkeys(subject.code for subject in unseen))
            read = {finding.code.casefold() for finding in findings}
            # An unreadable record stays as it is until the next sweep.
            left = [replace(subject, seen_at=self._now()) for subject in unseen if subject.key not in read]
            if not await self._step(area, positions, position, findings, by_change=False, left=left):
                return
            position = positions[area.name]

    async def _read_all(self, area: PolledArea, codes: Mapping[str, datetime | None]) -> list[PolledRecord]:
        """Read records one by one; an unreadable one does not stop the others."""
        findings = []
        for code, changed_at in codes.items():
            try:
                finding = await area.read(self._erp, code, self._now().date())
            except NotFound:
                finding = area.gone(code)
            except SOURCE_DOWN_ERRORS:
                raise
            except ErpError as error:
                self._note_unread(area, code, error)
                continue
            findings.append(finding if finding.changed_at else replace(finding, changed_at=changed_at))
        return findings

    def _note_unread(self, area: PolledArea, code: str, error: ErpError) -> None:
        if (area.name, code) not in self._unread:
            log.warning("poll.not_read", source=self.source, area=area.name, key=code, error=type(error).__name__)
        self._unread.add((area.name, code))

    async def _step(
        self,
        area: PolledArea,
        positions: Checkpoints,
        reached: Checkpoint,
        findings: Sequence[PolledRecord],
        *,
        by_change: bool,
        left: Sequence[PolledSubject] = (),
    ) -> bool:
        """Store a step with its events and hand them over; False if another process was quicker."""
        now = self._now()
        before = positions.get(area.name)
        # Never reused, even after the source was forgotten: event ids contain it.
        reached = replace(reached, round=max(reached.round + 1, int(now.timestamp() * 1000)))
        # The first sweep finds long-standing problems.
        first = not by_change and (before is None or before.swept_at is None)
        quiet = first and not self._config.backlog
        circumstances = PollCircumstances(now=now, by_change=by_change, quiet=quiet, first=first)
        known = dict(await self._store.subjects(self.source, area.name, [finding.code for finding in findings]))
        subjects = {subject.key: subject for subject in left}
        events: list[CloudEvent] = []
        for finding in findings:
            key = finding.code.casefold()
            transition = apply_record(known.get(key), finding, circumstances)
            if transition.subject is not None:
                known[key] = subjects[key] = transition.subject
            if transition.event is not None:
                events.append(self._identified(transition.event, f"{area.name}-{reached.round}-{len(events)}"))
        if not await self._store.advance(before, reached, list(subjects.values()), events):
            return False
        positions[area.name] = reached
        if events:
            await self._hand_over()
        return True

    def _identified(self, event: CloudEvent, name: str) -> CloudEvent:
        return {**event, "id": name, "source": f"/erp/{self.source}"}

    def _position(self, area: PolledArea, positions: Mapping[str, Checkpoint]) -> Checkpoint:
        return positions.get(area.name) or Checkpoint(source=self.source, area=area.name)

    def _has_feed(self, area: PolledArea) -> bool:
        return Capability.CHANGED_SINCE in self._erp.capabilities and area.name not in self._no_feed

    def _is_due(self, area: PolledArea, position: Checkpoint) -> bool:
        if position.swept_at is None or position.began_at is None:
            return True
        every = area.sweep_every
        if every is None:
            every = timedelta(seconds=self._config.lists if self._has_feed(area) else self._config.seconds)
            every *= max(1.0, self._asked.get(area.name, 0) / SHORT_LIST_PAGES)
        return self._now() - position.began_at >= every
