"""Keeps the documents up to date: follows each source's changes from where it stopped, one call at a time.

A source is first asked where its feed of changes ends. Then its lists are walked, the newest documents first, and then
the changes since are read, so nothing is lost in between. From then on only changes are read. Most ERPs do not report
deletions: once a day the lists are walked again, and documents missing from them are asked for.

People come first: after each call a source is left alone for as long as the call took. Each step is stored together
with the position after it, so that a crash at any moment neither loses nor repeats a step.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

import structlog

from bot.erp.errors import ErpError, Invalid, NotFound, Unavailable, Unsupported, Unusable
from bot.erp.kinds import FOLLOWED, WITH_LINES, Kind, kind_of
from bot.erp.model import Area, Changes, ErpRecord, Followed
from bot.erp.port import NEWEST_FIRST, Filter, ListQuery
from bot.erp.source_client import SourceClient
from bot.mechanisms.metrics import Metrics
from bot.read_model.port import DocumentStore
from bot.read_model.records import VERSION, FollowedArea
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

T = TypeVar("T")

PAGE = 100
"""Documents per list call."""
BATCH, SINGLES = 100, 20
"""Documents read between two stored steps: in one call if the source can, otherwise singly."""
CATCH_UP_BATCH = 1_000
"""Changes per call while the feed catches up for the first time."""
WALK_EVERY = timedelta(days=1)
PAGES_BETWEEN = 20
"""Pages of a walk between two checks of the changes: a first walk takes hours."""
LINES_AT_ONCE = 200
"""Documents read only for their lines per round, at a source that cannot read many at once."""
UNANSWERED = 4
"""After this many unanswered kinds, a source is left alone until the next round."""
LONGEST_REST = 5.0
"""Seconds between two calls at most."""
_FRESH = 0.5
"""A share of the pause: if another process followed the source within it, this one has nothing to do."""
_EARLIER: Mapping[Followed, timedelta] = MappingProxyType({Area.PRODUCTION: timedelta(days=90)})
"""Lists of production orders are sorted by start, and orders due in a report's days began earlier."""
_UNFINISHED = (Filter.OPEN, Filter.PENDING)
"""The lists that contain all unfinished documents except drafts."""
_UNSEEN = "unseen"
"""The last part of a walk: documents missing from the lists."""


class _Overtaken(Exception):
    """Another process has moved on."""


class AreaFollower:
    """Follows one kind of document of one source."""

    def __init__(
        self,
        erp: SourceClient,
        kind: Kind[Any],
        store: DocumentStore,
        *,
        now: Callable[[], datetime],
        keep: timedelta,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``keep`` is how long completed documents are kept; ``now`` is in the company's zone."""
        self.area = kind.followed
        self._erp = erp
        self._kind = kind
        self._store = store
        self._now = now
        self._keep = keep
        self._monotonic = monotonic
        self._sleep = sleep
        self._ahead = CATCH_UP_BATCH
        self._most = BATCH if erp.reads_batches else SINGLES
        self._unread: set[str] = set()
        self._stored: FollowedArea | None = None
        self._position = FollowedArea(source=erp.name, area=kind.area)

    async def catch_up(self, stored: FollowedArea | None) -> None:
        """Continue from ``stored`` to the present. Raises the classes of `bot.erp.errors` and the errors of the
        store.
        """
        self._stored = stored
        self._position = stored or FollowedArea(source=self._erp.name, area=self.area)
        try:
            if self._position.version != VERSION:
                await self._restart()
            elif self._is_walk_due():
                self._position = replace(self._position, walk=self._position.walk + 1, walking=True, place="")
            await self._follow_feed()
            while self._position.walking:
                await self._walk()
                await self._follow_feed()
            await self._read_lines()
        except _Overtaken:
            return
        except Unavailable:
            # The call may have asked for too much.
            self._ahead = max(PAGE, self._ahead // 4)
            self._most = max(1, self._most // 4)
            raise
        self._most = min(BATCH if self._erp.reads_batches else SINGLES, self._most * 2)

    def _is_walk_due(self) -> bool:
        position = self._position
        return not position.walking and (position.walked_at is None or self._now() - position.walked_at >= WALK_EVERY)

    async def _follow_feed(self) -> None:
        """Read the changes; the first time only find the end of the feed."""
        while True:
            position, began = self._position, self._now()
            changes = await self._changes(position)
            if changes is None:
                # Most likely the name now belongs to another ERP.
                await self._restart()
                continue
            documents, gone = await self._read(
                dict.fromkeys(each.key for each in changes.items) if position.followed else ()
            )
            reached = replace(position, cursor=changes.cursor, trouble="")
            if not changes.more:
                reached = replace(reached, followed=True, synced_at=began)
            await self._advance(reached, documents, gone=gone, with_lines=True, are_changes=True)
            # A source that promises more without moving on would be asked forever.
            if not changes.more or reached.cursor == position.cursor:
                return

    async def _changes(self, position: FollowedArea) -> Changes | None:
        """Return the next changes; None where the source no longer understands its cursor."""
        limit = self._most if position.followed else self._ahead
        try:
            return await self._spaced(self._erp.changed_since(self.area, position.cursor, limit=limit))
        except Invalid:
            if not position.cursor:
                raise
            return None

    async def _restart(self) -> None:
        """Drop what is kept of the area and start over."""
        source, walk = self._position.source, self._position.walk + 1
        await self._advance(FollowedArea(source=source, area=self.area, walk=walk), anew=True)

    async def _walk(self) -> None:
        """Read a few pages of the lists, or some documents missing from them."""
        if not self._position.place:
            await self._advance(replace(self._position, place=f"{Filter.ALL} 0", began_at=self._now()))
        for _ in range(PAGES_BETWEEN):
            if self._position.place == _UNSEEN:
                if not await self._look_for_unseen():
                    return
            else:
                await self._walk_page()

    async def _walk_page(self) -> None:
        name, _, offset = self._position.place.partition(" ")
        query = ListQuery(filter=Filter(name), offset=int(offset), limit=PAGE)
        try:
            page = await self._spaced(self._erp.documents(self._kind, query))
        except Unsupported:
            if query.filter is Filter.ALL:
                raise
            await self._advance(replace(self._position, place=self._following_place(query.filter)))
            return
        kept = [document for document in page.items if self._is_kept(document)]
        # By the size that was requested: rejected records are missing from the page.
        ended = query.offset + PAGE >= page.total or (query.filter is Filter.ALL and self._is_too_old(page.items))
        place = self._following_place(query.filter) if ended else f"{name} {query.offset + PAGE}"
        reached = replace(self._position, place=place)
        forget_before = self._walked_until() if place == _UNSEEN else None
        if self._erp.reads_batches and kept:
            documents, gone = await self._read([document.number for document in kept])
            await self._advance(reached, documents, gone=gone, with_lines=True, forget_before=forget_before)
        else:
            await self._advance(reached, kept, forget_before=forget_before)

    def _following_place(self, walked: Filter) -> str:
        """Return where a walk continues after a list: open or waiting documents may be of any age."""
        named = [each for each in self._kind.filters if each not in NEWEST_FIRST]
        lists = [Filter.ALL, *([each for each in _UNFINISHED if each in named] if Filter.OPEN in named else named)]
        following = lists[lists.index(walked) + 1 :]
        return f"{following[0]} 0" if following else _UNSEEN

    async def _look_for_unseen(self) -> bool:
        """Ask for some documents missing from the lists: they were deleted, or moved to another page meanwhile.

        Returns whether there may be more of them.
        """
        position = self._position
        numbers = await self._store.unseen(position, self._most)
        if numbers:
            documents, gone = await self._read(numbers)
            await self._advance(position, documents, gone=gone, with_lines=True)
            return True
        whole = replace(position, walking=False, place="", walked_at=position.began_at)
        await self._advance(replace(whole, complete_since=self._first_day()))
        return False

    async def _read_lines(self) -> None:
        """Read open documents whose lists include no lines."""
        if self._kind not in WITH_LINES:
            return
        for _ in range(max(1, LINES_AT_ONCE // self._most)):
            numbers = await self._store.without_lines(self._erp.name, self.area, self._most)
            if not numbers:
                return
            documents, gone = await self._read(numbers)
            await self._advance(self._position, documents, gone=gone, with_lines=True)

    async def _read(self, numbers: Iterable[str]) -> tuple[Sequence[ErpRecord], Sequence[str]]:
        """Return the documents with these numbers that are to be kept, and all other numbers."""
        wanted = list(numbers)
        if not wanted:
            return (), ()
        read = await self._read_batch(wanted) if self._erp.reads_batches else None
        if read is None:
            read = [each for number in wanted if (each := await self._read_single(number)) is not None]
        kept = [document for document in read if self._is_kept(document)]
        there = {document.number.casefold() for document in kept}
        return kept, [number for number in wanted if number.casefold() not in there]

    async def _read_batch(self, numbers: Sequence[str]) -> Sequence[ErpRecord] | None:
        """Return many documents; None where one of them cannot be read, which must not hold up the others."""
        try:
            return await self._spaced(self._erp.read_documents(self._kind, numbers))
        except Invalid:
            return None

    async def _read_single(self, number: str) -> ErpRecord | None:
        try:
            return await self._spaced(self._erp.document(self._kind, number))
        except NotFound:
            return None
        except (Unusable, Invalid) as error:
            # Commands do not show it either.
            if number not in self._unread:
                log.warning("read_model.not_read", source=self._erp.name, key=number, error=type(error).__name__)
            self._unread.add(number)
            return None

    async def _spaced(self, call: Awaitable[T]) -> T:
        """Return the result of a call, then leave the source alone for as long as it took."""
        began = self._monotonic()
        result = await call
        await self._sleep(min(self._monotonic() - began, LONGEST_REST))
        return result

    async def _advance(
        self,
        reached: FollowedArea,
        documents: Sequence[ErpRecord] = (),
        *,
        gone: Sequence[str] = (),
        with_lines: bool = False,
        anew: bool = False,
        forget_before: date | None = None,
        are_changes: bool = False,
    ) -> None:
        done = await self._store.advance(
            self._stored,
            reached,
            documents=documents,
            with_lines=with_lines,
            gone=gone,
            anew=anew,
            forget_before=forget_before,
            are_changes=are_changes,
        )
        if not done:
            raise _Overtaken
        self._stored = self._position = reached

    def _first_day(self) -> date:
        return (self._now() - self._keep).date()

    def _is_kept(self, document: ErpRecord) -> bool:
        day = self._kind.day(document)
        return day is None or day >= self._walked_until() or kind_of(document).is_unfinished(document)

    def _is_too_old(self, documents: Sequence[ErpRecord]) -> bool:
        days = [self._kind.day(document) for document in documents]
        return bool(days) and all(day is not None and day < self._walked_until() for day in days)

    def _walked_until(self) -> date:
        return self._first_day() - _EARLIER.get(self.area, timedelta())


class DocumentFollower:
    """Follows all documents of one source."""

    def __init__(
        self,
        source: str,
        areas: Sequence[AreaFollower],
        store: DocumentStore,
        *,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self.source = source
        self._areas = {area.area: area for area in areas}
        self._store = store
        self._now = now
        self._synced: dict[Followed, datetime] = {}
        if areas:
            metrics.read_model_age.labels(source).set_function(self._age)

    @property
    def has_areas(self) -> bool:
        """Whether the source reports changes of any document, as far as known."""
        return bool(self._areas)

    async def run(self, pause: float, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Follow the source every ``pause`` seconds while it reports changes of any document."""
        while await self.catch_up(unless_within=pause * _FRESH):
            await sleep(pause)

    async def catch_up(self, *, unless_within: float = 0.0) -> bool:
        """Catch up with all areas except those that were followed within ``unless_within`` seconds.

        Returns whether any can be followed. Errors are logged and kept for the doctor; the next call continues where
        this one stopped.
        """
        try:
            positions = await self._store.positions()
            unanswered = 0
            for area, follower in list(self._areas.items()):
                stored = positions.get((self.source, area))
                if unanswered < UNANSWERED and not self._is_fresh(stored, unless_within):
                    unanswered += not await self._catch_up(follower, stored)
            positions = await self._store.positions()
        except DingerpError as error:  # from the store: there is nowhere to record it
            log.warning("read_model.not_kept", source=self.source, error=type(error).__name__)
            return True
        self._note_age(positions)
        return bool(self._areas)

    async def _catch_up(self, follower: AreaFollower, stored: FollowedArea | None) -> bool:
        """Return whether the source answered."""
        try:
            await follower.catch_up(stored)
        except ErpError as error:
            await self._note(follower.area, error)
            if isinstance(error, Unsupported):
                del self._areas[follower.area]
            return not isinstance(error, Unavailable)
        return True

    def _is_fresh(self, stored: FollowedArea | None, within: float) -> bool:
        return (
            stored is not None
            and not stored.walking
            and stored.version == VERSION
            and stored.synced_at is not None
            and self._now() - stored.synced_at < timedelta(seconds=within)
        )

    async def _note(self, area: Followed, trouble: ErpError) -> None:
        """Log a problem, once."""
        stored = (await self._store.positions()).get((self.source, area))
        name = type(trouble).__name__
        if stored is not None and stored.trouble == name:
            return
        log.warning("read_model.not_followed", source=self.source, area=area, error=name, detail=trouble.detail)
        noted = replace(stored or FollowedArea(source=self.source, area=area), trouble=name)
        await self._store.advance(stored, noted)

    def _note_age(self, positions: Mapping[tuple[str, Followed], FollowedArea]) -> None:
        followed = [positions.get((self.source, area)) for area in self._areas]
        self._synced = {
            each.area: each.synced_at for each in followed if each is not None and each.synced_at is not None
        }

    def _age(self) -> float:
        if len(self._synced) < len(self._areas) or not self._synced:
            return float("nan")
        return (self._now() - min(self._synced.values())).total_seconds()


def area_followers(
    source: SourceClient,
    store: DocumentStore,
    *,
    now: Callable[[], datetime],
    keep: timedelta,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> list[AreaFollower]:
    """Return followers for all kinds of documents whose changes a source reports."""
    offered = [kind for kind in FOLLOWED if source.tells_changes(kind)]
    return [AreaFollower(source, kind, store, now=now, keep=keep, monotonic=monotonic, sleep=sleep) for kind in offered]
