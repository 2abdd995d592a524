"""Tells administrators in chat when a part of the bot is unhealthy, what has changed since, and when all is well again.

Each problem has one card that changes in place. Short problems are not reported, and recurring ones less and less
often: each change costs a call of the monthly quota.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import orjson
import structlog

from bot.cards.notices import FailingPart, HealthNotice
from bot.mechanisms.health import PartHealth, PartStatus
from bot.outbox.delivery import Delivery, Urgency
from bot.outbox.place import Place
from bot.outbox.ports import ComposedCard, SingleCardComposer
from bot.words.errors import DingerpError
from bot.words.phrase import pack_words, unpack_words

log = structlog.get_logger(__name__)

HEALTH_REPORT: Final = "health_report"
"""Kind of the deliveries."""

SETTLED: Final = timedelta(seconds=30)
"""How long a state must last before it is reported."""
PAUSE: Final = timedelta(minutes=5)
"""The pause between the first two cards or changes; each further pause is twice as long."""
LONGEST_PAUSE: Final = timedelta(hours=4)
CALM: Final = timedelta(hours=24)
"""After this long without a report the pauses start over."""

NOT_TOLD: Final = frozenset({"stream", "quota"})
"""Parts that are not reported: without the stream nothing can be sent, and quotas have their own reports."""

State = Mapping[str, tuple[PartStatus, frozenset[str]]]
"""The unhealthy parts, each with the keys of its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleReport:
    """The content of a card: the problems and since when, or until when they lasted."""

    began: datetime
    ended: datetime | None = None
    parts: tuple[FailingPart, ...] = ()
    revision: int = 1

    @property
    def state(self) -> State:
        """The parts it currently reports as unhealthy."""
        named = () if self.ended else self.parts
        return {part.name: (PartStatus(part.status), frozenset(part.about)) for part in named}

    def write(self) -> str:
        """Return its serialized form for the outbox."""
        parts = [[part.name, part.status, pack_words(part.reason), *part.about] for part in self.parts]
        ended = self.ended and self.ended.isoformat()
        return orjson.dumps([self.began.isoformat(), ended, parts, self.revision]).decode()

    @classmethod
    def read(cls, ref: str) -> TroubleReport:
        """Return the report serialized by `write`."""
        began, ended, parts, revision = orjson.loads(ref)
        return cls(
            began=datetime.fromisoformat(began),
            ended=datetime.fromisoformat(ended) if ended else None,
            parts=tuple(
                FailingPart(name, status, unpack_words(reason), tuple(about)) for name, status, reason, *about in parts
            ),
            revision=revision,
        )


class TroubleReportStore(Protocol):
    """Queues reports. Raises a `bot.words.errors.DingerpError` when unavailable."""

    async def last(self) -> str | None:
        """Return the ``ref`` of the newest report of any process."""
        ...

    async def tell(self, deliveries: Sequence[Delivery]) -> None:
        """Queue the cards."""
        ...


class HealthReports:
    """Compares the bot's health with the last report.

    ``parts`` returns the content of ``/readyz``, ``places`` the administrators' chats; ``owed`` is called after cards
    were queued.
    """

    def __init__(
        self,
        store: TroubleReportStore,
        *,
        parts: Callable[[], Awaitable[Mapping[str, PartHealth]]],
        places: Callable[[], Awaitable[Sequence[Place]]],
        owed: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._parts = parts
        self._places = places
        self._owed = owed
        self._now = now
        self._seen: State = {}
        self._seen_at: datetime | None = None
        self._report: TroubleReport | None = None
        self._is_stored = True
        self._told_at: datetime | None = None
        self._told = 0
        self._has_begun = False

    async def run(self, every: float) -> None:
        """Check every ``every`` seconds until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(every)

    async def look(self) -> None:
        """Check once; a report that cannot be stored now is stored as soon as possible."""
        parts = {name: part for name, part in (await self._parts()).items() if name not in NOT_TOLD}
        ill = {name: part for name, part in parts.items() if part.status is not PartStatus.OK}
        try:
            if not self._has_begun:
                await self._take_over()
            self._note(ill)
            if not self._is_stored:
                await self._queue()
        except DingerpError as error:
            log.warning("health.not_told", error=type(error).__name__, detail=error.detail)

    async def _take_over(self) -> None:
        """Continue with the card of an earlier or concurrent process."""
        ref = await self._store.last()
        self._has_begun = True
        if ref is not None and (left := TroubleReport.read(ref)).ended is None:
            self._report = left

    def _note(self, ill: Mapping[str, PartHealth]) -> None:
        now = self._now()
        state = {name: (part.status, part.about) for name, part in ill.items()}
        if self._seen_at is None or state != self._seen:
            self._seen, self._seen_at = state, now
        told = self._report.state if self._report is not None else {}
        if state == told or now - self._seen_at < SETTLED or now < self._may_tell_at(now):
            return
        named = tuple(
            FailingPart(name, part.status.value, part.reason, tuple(sorted(part.about)))
            for name, part in sorted(ill.items())
        )
        if self._report is None or self._report.ended is not None:
            self._report = TroubleReport(began=self._seen_at, parts=named)
        else:
            self._report = TroubleReport(
                began=self._report.began,
                ended=None if ill else self._seen_at,
                parts=named or self._report.parts,
                revision=self._report.revision + 1,
            )
        self._is_stored, self._told_at, self._told = False, now, self._told + 1

    def _may_tell_at(self, now: datetime) -> datetime:
        if self._told_at is None or now - self._told_at > CALM:
            self._told = 0
            return now
        pause = PAUSE
        for _ in range(1, self._told):
            pause = min(pause * 2, LONGEST_PAUSE)
        return self._told_at + pause

    async def _queue(self) -> None:
        report = self._report
        assert report is not None, "it was noted before"
        deliveries = [
            Delivery(
                card=f"{HEALTH_REPORT}:{report.began.isoformat()}:{place}",
                place=place,
                kind=HEALTH_REPORT,
                ref=report.write(),
                revision=report.revision,
                urgency=Urgency.NOW,
                due_at=self._now(),
            )
            for place in await self._places()
        ]
        if deliveries:
            await self._store.tell(deliveries)
            self._owed()
        self._is_stored = True


class HealthReportComposer(SingleCardComposer):
    """A `bot.outbox.ports.Composer` whose ``ref`` holds the whole report."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """``now`` gives the time in the company's zone."""
        self._now = now

    async def compose(self, ref: str) -> ComposedCard:
        report = TroubleReport.read(ref)
        zone = self._now().tzinfo
        view = HealthNotice(
            parts=report.parts,
            began=report.began.astimezone(zone),
            ended=report.ended and report.ended.astimezone(zone),
        )
        return ComposedCard(view, report.revision)
