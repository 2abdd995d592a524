"""Reads the documents as one reader may see them: narrowed like the ERPs' own lists, each answer with its coverage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from bot.erp.hub import ErpHub
from bot.erp.index.folding import fold, key_of
from bot.erp.kinds import kind_of
from bot.erp.model import Area, ErpRecord, Followed
from bot.erp.port import ListQuery
from bot.read_model.port import DocumentStore
from bot.read_model.records import (
    DocumentSelection,
    DocumentWithLine,
    FollowedArea,
    Partner,
)
from bot.read_model.tallies import Tallies, TallyKind, TallySelection, tally_documents

T = TypeVar("T")

STALE_AFTER = timedelta(minutes=15)
"""Figures are refreshed every minute: older ones mean that an ERP does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The completeness of an answer.

    All changes up to ``as_of`` are known; None if none are. From ``complete_since`` on no document is missing; None if
    that holds for no day. ``sources_missing`` are sources whose documents are not kept, or not all yet.
    """

    as_of: datetime | None
    complete_since: date | None
    sources_missing: tuple[str, ...] = ()

    def is_complete_from(self, day: date) -> bool:
        """Return whether no document of ``day`` or later is missing."""
        return not self.sources_missing and self.complete_since is not None and self.complete_since <= day

    def tells_until(self, day: date) -> bool:
        """Return whether anything is known about ``day`` or an earlier one."""
        return self.complete_since is None or self.complete_since <= day

    def is_current(self, now: datetime) -> bool:
        """Return whether no open document is missing, and an answer is about as good as the ERP's own."""
        whole = not self.sources_missing and self.complete_since is not None
        return whole and self.as_of is not None and now - self.as_of <= STALE_AFTER

    def is_stale(self, now: datetime) -> bool:
        """Return whether figures are outdated because an ERP does not answer."""
        return self.as_of is not None and now - self.as_of > STALE_AFTER

    def joined(self, other: Coverage) -> Coverage:
        """Return the coverage of an answer from both."""
        moments = [each.as_of for each in (self, other) if each.as_of is not None]
        days = [each.complete_since for each in (self, other) if each.complete_since is not None]
        return Coverage(
            as_of=min(moments, default=None),
            complete_since=max(days, default=None) if len(days) == 2 else None,
            sources_missing=tuple(dict.fromkeys((*self.sources_missing, *other.sources_missing))),
        )


@dataclass(frozen=True, slots=True)
class KeptAnswer(Generic[T]):
    """A result from the kept documents, with its coverage."""

    value: T
    coverage: Coverage


class ReadModel:
    """Answers from the kept documents, without calling any ERP.

    All methods raise a `DingerpError` when the store does not answer. Documents come without their lines.
    """

    def __init__(self, store: DocumentStore, reader: ErpHub) -> None:
        """``reader`` is the person who sees the answers."""
        self._store = store
        self._reader = reader

    def narrowed(self, reader: ErpHub) -> ReadModel:
        """Return a read model for another reader."""
        return ReadModel(self._store, reader)

    async def documents(self, area: Followed, first: date, last: date) -> KeptAnswer[tuple[ErpRecord, ...]]:
        """Return the documents of these days, both included, the newest first."""
        return await self.fold(area, tuple, since=first, until=last)

    async def fold(
        self,
        area: Followed,
        work: Callable[[Iterator[ErpRecord]], T],
        *,
        since: date | None = None,
        until: date | None = None,
        unfinished: bool = False,
        partner: str = "",
        text: str = "",
    ) -> KeptAnswer[T]:
        """Return the result of ``work`` on the matching documents, computed outside the event loop.

        ``work`` must not retain more than it needs: there may be a hundred thousand documents. ``text`` is the reader's
        search text in ``work``.
        """
        coverage = await self.coverage(area)
        wanted = replace(self._visible(area), since=since, until=until, unfinished=unfinished, partner=fold(partner))
        return KeptAnswer(await self._fold(wanted, work, text or partner), coverage)

    async def visible(
        self,
        area: Followed,
        work: Callable[[Iterator[ErpRecord]], T],
        *,
        since: date | None = None,
        partner: str = "",
    ) -> T:
        """Return the result of ``work`` on documents the reader may see, without a search text of theirs.

        So a ``partner`` whose name the reader does not know is allowed.
        """
        return await self._fold(replace(self._visible(area), since=since, partner=fold(partner)), work)

    async def _fold(self, wanted: DocumentSelection, work: Callable[[Iterator[ErpRecord]], T], text: str = "") -> T:
        """``text`` is the reader's search text."""
        return await self._store.documents(wanted, partial(self._work, wanted.area, text, work))

    def _visible(self, area: Followed) -> DocumentSelection:
        return DocumentSelection(area=area, sources=frozenset(self._reader.visible_sources(area)))

    async def tallies(self, *wanted: TallySelection) -> Sequence[KeptAnswer[Tallies]]:
        """Return the daily tallies of each selection, in order, from sources the reader may see.

        They are stored, or recomputed for a reader who may not see all documents.
        """
        positions = await self._store.positions()
        stored = [self._seen(each) for each in wanted if not self._reader.is_narrowed(each.area)]
        as_stored = iter(await self._store.tallies(stored) if stored else ())
        return [
            KeptAnswer(
                await self._count_anew(each) if self._reader.is_narrowed(each.area) else next(as_stored),
                self._coverage(each.area, positions),
            )
            for each in wanted
        ]

    def _seen(self, wanted: TallySelection) -> TallySelection:
        return replace(wanted, sources=frozenset(self._reader.visible_sources(wanted.area)))

    async def _count_anew(self, wanted: TallySelection) -> Tallies:
        visible = self._visible(wanted.area)
        match wanted.kind:
            case TallyKind.DUE:
                documents = replace(visible, unfinished=True)
            case TallyKind.COMPLETION:
                documents = visible  # of orders begun on any day
            case _:
                documents = replace(visible, since=wanted.since, until=wanted.until)
        return await self._fold(documents, partial(_tally, wanted))

    async def lines_of(
        self, area: Followed, sku: str, *, limit: int | None = None
    ) -> KeptAnswer[tuple[DocumentWithLine, ...]]:
        """Return the lines of one product, those of the newest documents first.

        The lines of completed documents may be missing where a source cannot read many documents at once.
        """
        wanted = self._visible(area)
        coverage = await self.coverage(area)
        lines = await self._store.lines_of(key_of(sku), wanted, partial(self._pick_lines, area, limit))
        return KeptAnswer(lines, coverage)

    async def fold_lines(
        self, area: Followed, work: Callable[[Iterator[DocumentWithLine]], T], *, since: date, until: date
    ) -> KeptAnswer[T]:
        """Return the result of ``work`` on the lines of these days' documents, computed outside the event loop.

        As in `lines_of`, lines of some completed documents may be missing.
        """
        wanted = replace(self._visible(area), since=since, until=until)
        coverage = await self.coverage(area)
        return KeptAnswer(await self._store.lines_of("", wanted, partial(self._work_on_lines, area, work)), coverage)

    def _work_on_lines(
        self, area: Followed, work: Callable[[Iterator[DocumentWithLine]], T], lines: Iterator[DocumentWithLine]
    ) -> T:
        return work(self._seen_lines(area, lines))

    async def partners(
        self, areas: Iterable[Followed] = (Area.SALES, Area.FINANCE, Area.PURCHASING)
    ) -> Sequence[Partner]:
        """Return the customers and vendors that the reader may see."""
        found: list[Partner] = []
        for area in areas:
            if not self._reader.is_narrowed(area):
                found += await self._store.partners((area,), self._reader.visible_sources(area))
                continue
            found += (await self.fold(area, partial(self._partners, area))).value
        return found

    async def coverage(self, area: Followed) -> Coverage:
        """Return the coverage of answers about an area."""
        return self._coverage(area, await self._store.positions())

    def _coverage(self, area: Followed, positions: Mapping[tuple[str, Followed], FollowedArea]) -> Coverage:
        return _coverage({source: positions.get((source, area)) for source in self._reader.visible_sources(area)})

    def _work(
        self, area: Followed, text: str, work: Callable[[Iterator[ErpRecord]], T], documents: Iterator[ErpRecord]
    ) -> T:
        if not self._reader.is_narrowed(area):
            return work(documents)
        finds, query = self._reader.finds, ListQuery(text=text)
        return work(each for each in documents if finds(each, query, each.source))

    def _partners(self, area: Followed, documents: Iterator[ErpRecord]) -> list[Partner]:
        """Return partners that the reader may search for, not only see on documents."""
        found: dict[tuple[str, str], Partner] = {}
        for each in documents:
            name = kind_of(each).partner_of(each)
            if name and self._reader.finds(each, ListQuery(text=name), each.source):
                found.setdefault((each.source, fold(name)), Partner(area, each.source, name))
        return [found[key] for key in sorted(found)]

    def _pick_lines(
        self, area: Followed, limit: int | None, lines: Iterator[DocumentWithLine]
    ) -> tuple[DocumentWithLine, ...]:
        return tuple(islice(self._seen_lines(area, lines), limit))

    def _seen_lines(self, area: Followed, lines: Iterator[DocumentWithLine]) -> Iterator[DocumentWithLine]:
        finds = self._reader.finds
        narrowed = self._reader.is_narrowed(area)
        return (each for each in lines if not narrowed or finds(each.document, ListQuery(), each.document.source))


def _coverage(followed: dict[str, FollowedArea | None]) -> Coverage:
    whole = [each for each in followed.values() if each is not None and each.complete_since is not None]
    missing = tuple(source for source, each in followed.items() if each is None or each.complete_since is None)
    moments = [each.synced_at for each in whole if each.synced_at is not None]
    days = [each.complete_since for each in whole if each.complete_since is not None]
    return Coverage(as_of=min(moments, default=None), complete_since=max(days, default=None), sources_missing=missing)


def _tally(wanted: TallySelection, documents: Iterator[ErpRecord]) -> Tallies:
    return {key.day: tally for key, tally in tally_documents(documents).items() if wanted.fits(key)}
