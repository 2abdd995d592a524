"""Documents that belong to another document, such as the invoices of an order, out of those that are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final, Generic

from bot.chat.errors import NothingFound
from bot.erp.answer import Answer
from bot.erp.errors import Ambiguous, NotFound, NotPermitted, Unsupported
from bot.erp.listing import D, Listing
from bot.erp.model import PurchaseOrder, SalesOrder, Slice
from bot.erp.port import ListQuery
from bot.phrase import phrase
from bot.read_model.queries import ReadModel
from bot.read_model.records import Document, day_of, partner_of
from bot.spelling import other_spellings

NO_SUCH_DOCUMENT: Final = (NotFound, Ambiguous, NotPermitted, Unsupported)
"""What says that a number names no document which the reader is told of."""
Origin = Answer[SalesOrder] | Answer[PurchaseOrder]


@dataclass(frozen=True, slots=True)
class LinkedDocuments(Generic[D]):
    """How to find the documents of ``kind`` that belong to an origin, which ``read`` reads by its number.

    ``named_by`` is what a document says of its origin: one number, or several with commas between them.
    """

    kept: ReadModel
    kind: Listing[D]
    read: Callable[[str], Awaitable[Answer[SalesOrder]] | Awaitable[Answer[PurchaseOrder]]]
    named_by: Callable[[D], str]
    now: datetime

    async def of(self, text: str, query: ListQuery) -> Answer[Slice[D]] | None:
        """Return those of the document with the number ``text``; None without such a document.

        Raises `NothingFound` where none belong to it, and where some may be missing from what is kept.
        """
        if not any(char.isdigit() for char in text):
            return None
        for number in (text, *other_spellings(text)):
            try:
                found = await self.read(number)
            except NO_SUCH_DOCUMENT:
                continue
            coverage = await self.kept.coverage(self.kind.followed)
            if not coverage.is_current(self.now):
                note = phrase(
                    "The bot has not read all of them yet, so it can't say which belong to %(number)s.",
                    number=found.value.number,
                )
                raise NothingFound(found.value.number, (), (note,))
            linked = await self._of_origin(found)
            if not linked:
                note = phrase("None of these documents says that it belongs to %(number)s.", number=found.value.number)
                raise NothingFound(found.value.number, (), (note,))
            assert coverage.as_of is not None, "it is current"
            picked = self.kind.pick(linked, replace(query, text=""), self.now.date())
            return Answer(picked, found.source, coverage.as_of)
        return None

    async def _of_origin(self, found: Origin) -> Sequence[D]:
        """Look among those of the same partner, then among all since the origin's day: bills go to other addresses."""
        belongs = partial(self._belonging, found.value.number, found.source)
        partner, since = partner_of(found.value), day_of(found.value)
        theirs = await self.kept.visible(self.kind.followed, belongs, partner=partner) if self.kind.partner else ()
        return theirs or await self.kept.visible(self.kind.followed, belongs, since=since)

    def _belonging(self, number: str, source: str, documents: Iterator[Document]) -> list[D]:
        of_source: list[D] = [each for each in documents if not source or each.source == source]  # type: ignore[misc]
        return [each for each in of_source if number in map(str.strip, self.named_by(each).split(","))]
