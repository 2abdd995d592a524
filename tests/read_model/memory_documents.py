"""Documents kept in memory, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar

from bot.erp.index.folding import fold, key_of
from bot.erp.kinds import FOLLOWED, kind_of
from bot.erp.model import ErpRecord, Followed, ProductionOrder, PurchaseOrder, SalesOrder
from bot.read_model.records import (
    DocumentSelection,
    DocumentWithLine,
    FollowedArea,
    Partner,
)
from bot.read_model.tallies import Tallies, TallySelection, tally_documents

T = TypeVar("T")


@dataclass
class MemoryDocuments:
    """Implements `bot.read_model.port.DocumentStore` for reading: ``documents`` of one source, as of ``synced_at``."""

    synced_at: datetime
    documents_kept: Sequence[ErpRecord] = ()
    complete_since: date | None = date.min
    source: str = "main"
    followed: Collection[Followed] = field(default_factory=lambda: tuple(kind.followed for kind in FOLLOWED))

    async def positions(self) -> Mapping[tuple[str, Followed], FollowedArea]:
        return {
            (self.source, area): FollowedArea(
                source=self.source,
                area=area,
                walking=False,
                complete_since=self.complete_since,
                synced_at=self.synced_at,
            )
            for area in self.followed
        }

    async def advance(self, before: FollowedArea | None, after: FollowedArea, **more: Any) -> bool:
        raise NotImplementedError

    async def unseen(self, position: FollowedArea, limit: int) -> Sequence[str]:
        raise NotImplementedError

    async def without_lines(self, source: str, area: Followed, limit: int) -> Sequence[str]:
        raise NotImplementedError

    async def keep_only(self, sources: Collection[str]) -> None:
        raise NotImplementedError

    async def count(self, source: str) -> int:
        return len(self.documents_kept)

    async def documents(self, wanted: DocumentSelection, work: Callable[[Iterator[ErpRecord]], T]) -> T:
        return work(self._selected(wanted))

    async def tallies(self, wanted: Sequence[TallySelection]) -> Sequence[Tallies]:
        return [self._tallies(each) for each in wanted]

    def _tallies(self, wanted: TallySelection) -> Tallies:
        found = tally_documents(self._selected(DocumentSelection(area=wanted.area, sources=wanted.sources)))
        return {key.day: tally for key, tally in found.items() if wanted.fits(key)}

    async def lines_of(self, sku: str, wanted: DocumentSelection, work: Callable[[Iterator[DocumentWithLine]], T]) -> T:
        def lines() -> Iterator[DocumentWithLine]:
            for document in self._selected(wanted, with_lines=True):
                match document:
                    case SalesOrder() | PurchaseOrder():
                        for line in document.lines:
                            if not sku or key_of(line.sku) == sku:
                                yield DocumentWithLine(_headed(document), line)
                    case ProductionOrder() if not sku or key_of(document.sku) == sku:
                        yield DocumentWithLine(document, None)

        return work(lines())

    async def partners(self, areas: Iterable[Followed], sources: Collection[str]) -> Sequence[Partner]:
        if self.source not in sources:
            return ()
        named = {(kind_of(each).followed, kind_of(each).partner_of(each)) for each in self.documents_kept}
        return [Partner(area, self.source, name) for area, name in sorted(named) if name and area in areas]

    def _selected(self, wanted: DocumentSelection, *, with_lines: bool = False) -> Iterator[ErpRecord]:
        for document in sorted(self.documents_kept, key=lambda each: kind_of(each).day(each) or date.min, reverse=True):
            day = kind_of(document).day(document)
            if (
                kind_of(document).followed is wanted.area
                and self.source in wanted.sources
                and (wanted.since is None or (day is not None and day >= wanted.since))
                and (wanted.until is None or (day is not None and day <= wanted.until))
                and (not wanted.unfinished or kind_of(document).is_unfinished(document))
                and (not wanted.partner or fold(kind_of(document).partner_of(document)) == wanted.partner)
            ):
                yield document if with_lines else _headed(document)


def _headed(document: ErpRecord) -> ErpRecord:
    match document:
        case SalesOrder():
            return replace(document, lines=(), source="main")
        case PurchaseOrder():
            return replace(document, lines=(), source="main")
    return replace(document, source="main")
