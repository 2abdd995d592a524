"""The documents of ERPs that nobody follows: commands ask the ERP itself, or say that nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NoReturn, TypeVar

from bot.erp.model import ErpRecord, Followed
from bot.read_model.records import DocumentSelection, DocumentWithLine, FollowedArea, Partner
from bot.read_model.stock_days import SeenStock, StockDay
from bot.read_model.tallies import Tallies, TallySelection

T = TypeVar("T")


class UnfollowedDocuments:
    """Implements `bot.read_model.port.DocumentStore` for reading."""

    async def positions(self) -> Mapping[tuple[str, Followed], FollowedArea]:
        """Return that nothing was followed."""
        return {}

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
    ) -> NoReturn:
        """Keep nothing."""
        raise NotImplementedError

    async def unseen(self, position: FollowedArea, limit: int) -> Sequence[str]:
        """Return nothing."""
        return ()

    async def without_lines(self, source: str, area: Followed, limit: int) -> Sequence[str]:
        """Return nothing."""
        return ()

    async def keep_only(self, sources: Collection[str]) -> None:
        """There is nothing to drop."""

    async def count(self, source: str) -> int:
        """Return that there are none."""
        return 0

    async def documents(self, wanted: DocumentSelection, work: Callable[[Iterator[ErpRecord]], T]) -> T:
        """Return what ``work`` makes of no documents."""
        return work(iter(()))

    async def tallies(self, wanted: Sequence[TallySelection]) -> Sequence[Tallies]:
        """Return that no day counts for anything."""
        return [{} for _ in wanted]

    async def lines_of(self, sku: str, wanted: DocumentSelection, work: Callable[[Iterator[DocumentWithLine]], T]) -> T:
        """Return what ``work`` makes of no lines."""
        return work(iter(()))

    async def partners(self, areas: Iterable[Followed], sources: Collection[str]) -> Sequence[Partner]:
        """Return nobody."""
        return ()


class UnnotedStock:
    """Implements `bot.read_model.stock_days.StockDayStore` for reading: nothing was noted."""

    async def keep(self, seen: Sequence[SeenStock]) -> NoReturn:
        """Keep nothing."""
        raise NotImplementedError

    async def forget(self, before: date) -> None:
        """There is nothing to drop."""

    async def days_of(self, sources: Collection[str], sku: str) -> Sequence[StockDay]:
        """Return nothing."""
        return ()
