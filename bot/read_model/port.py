"""Where documents are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol, TypeVar

from bot.erp.model import Area
from bot.read_model.records import Document, DocumentSelection, DocumentWithLine, FollowedArea, Partner
from bot.read_model.tallies import Tallies, TallyKind

T = TypeVar("T")


class DocumentStore(Protocol):
    """Keeps documents. Every call is one transaction; all raise a `DingerpError` when the store does not answer.

    What reads many documents takes a ``work`` that is done with them outside the event loop.
    """

    async def positions(self) -> Mapping[tuple[str, Area], FollowedArea]:
        """Return how far each area of each source has been followed."""
        ...

    async def advance(
        self,
        before: FollowedArea | None,
        after: FollowedArea,
        *,
        documents: Sequence[Document] = (),
        with_lines: bool = False,
        gone: Collection[str] = (),
        anew: bool = False,
        forget_before: date | None = None,
    ) -> bool:
        """Keep documents, drop those with the numbers ``gone``, and move on from ``before``, all at once or not at all.

        ``with_lines``: the documents have all their lines; otherwise the lines that are kept stay. ``anew``: all other
        documents of the area are dropped; ``forget_before``: those that are over and of an earlier day. What the
        documents count for is kept in step. Returns False, with nothing stored, when another process has moved on from
        ``before`` meanwhile.
        """
        ...

    async def unseen(self, position: FollowedArea, limit: int) -> Sequence[str]:
        """Return numbers of documents, as the source spells them, that the current walk has not come upon."""
        ...

    async def without_lines(self, source: str, area: Area, limit: int) -> Sequence[str]:
        """Return numbers of open documents, as the source spells them, whose lines have not been read."""
        ...

    async def keep_only(self, sources: Collection[str]) -> None:
        """Drop all that belongs to other sources."""
        ...

    async def count(self, source: str) -> int:
        """Return how many documents of a source are kept."""
        ...

    async def documents(self, wanted: DocumentSelection, work: Callable[[Iterator[Document]], T]) -> T:
        """Return what ``work`` makes of documents without lines, the newest first."""
        ...

    async def tallies(
        self, wanted: DocumentSelection, kind: TallyKind, since: date | None, until: date | None
    ) -> Tallies:
        """Return what all documents of an area count for on these days; on any, and on none, without both ends."""
        ...

    async def lines_of(self, sku: str, wanted: DocumentSelection, work: Callable[[Iterator[DocumentWithLine]], T]) -> T:
        """Return what ``work`` makes of the lines of one product (its folded code), the newest documents first."""
        ...

    async def partners(self, areas: Iterable[Area], sources: Collection[str]) -> Sequence[Partner]:
        """Return all customers and vendors, in the order of their names."""
        ...
