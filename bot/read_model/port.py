"""The port of kept documents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol, TypeVar

from bot.erp.model import ErpRecord, Followed
from bot.read_model.records import DocumentSelection, DocumentWithLine, FollowedArea, Partner
from bot.read_model.tallies import Tallies, TallySelection

T = TypeVar("T")


class DocumentStore(Protocol):
    """Stores documents. Every call is one transaction; all raise a `DingerpError` when the store does not answer.

    Methods that read many documents take ``work``, which processes them outside the event loop.
    """

    async def positions(self) -> Mapping[tuple[str, Followed], FollowedArea]:
        """Return the progress of each area of each source."""
        ...

    async def advance(
        self,
        before: FollowedArea | None,
        after: FollowedArea,
        *,
        documents: Sequence[ErpRecord] = (),
        with_lines: bool = False,
        gone: Collection[str] = (),
        anew: bool = False,
        forget_before: date | None = None,
        are_changes: bool = False,
    ) -> bool:
        """Store documents, drop those with the numbers ``gone``, and move on from ``before``, atomically.

        ``with_lines``: the documents have all their lines; otherwise the lines already kept stay. ``anew``: all other
        documents of the area are dropped; ``forget_before``: completed ones of an earlier day are; ``are_changes``: the
        ERP reported them as changed, so programs are told. The daily tallies are updated too. Returns False and stores
        nothing if another process has moved on from ``before`` meanwhile.
        """
        ...

    async def unseen(self, position: FollowedArea, limit: int) -> Sequence[str]:
        """Return numbers of documents, as the source spells them, that the current walk has not met."""
        ...

    async def without_lines(self, source: str, area: Followed, limit: int) -> Sequence[str]:
        """Return numbers of open documents, as the source spells them, whose lines have not been read."""
        ...

    async def keep_only(self, sources: Collection[str]) -> None:
        """Drop everything of other sources."""
        ...

    async def count(self, source: str) -> int:
        """Return the number of kept documents of a source."""
        ...

    async def documents(self, wanted: DocumentSelection, work: Callable[[Iterator[ErpRecord]], T]) -> T:
        """Return the result of ``work`` on documents without lines, the newest first."""
        ...

    async def tallies(self, wanted: Sequence[TallySelection]) -> Sequence[Tallies]:
        """Return the tallies of each selection."""
        ...

    async def lines_of(self, sku: str, wanted: DocumentSelection, work: Callable[[Iterator[DocumentWithLine]], T]) -> T:
        """Return the result of ``work`` on the lines of one product (its folded code), the newest documents first.

        An empty code selects the lines of all products.
        """
        ...

    async def partners(self, areas: Iterable[Followed], sources: Collection[str]) -> Sequence[Partner]:
        """Return all customers and vendors, in order of name."""
        ...
