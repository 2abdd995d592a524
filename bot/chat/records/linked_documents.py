"""Documents that belong to another document, out of those that are kept: the invoices of an order, or its payments.

What a payment settles only a single one tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any, Final, Generic

from bot.chat.errors import NothingFound
from bot.chat.records.lookup import read_as_spelled
from bot.erp.answer import Answer
from bot.erp.books import Books
from bot.erp.errors import Ambiguous, NotFound, NotPermitted, Unsupported
from bot.erp.hub import ErpHub
from bot.erp.kinds import PAYMENTS, D, Kind, kind_of
from bot.erp.model import ErpRecord, Payment, Slice
from bot.erp.port import ListQuery
from bot.read_model.queries import ReadModel
from bot.words.phrase import phrase

NO_SUCH_DOCUMENT: Final = (NotFound, Ambiguous, NotPermitted, Unsupported)
"""Errors that mean that a number names no document that the reader may see."""


@dataclass(frozen=True, slots=True)
class LinkedDocuments(Generic[D]):
    """How to find the documents of ``kind`` that belong to one order."""

    kept: ReadModel
    erp: ErpHub
    kind: Kind[D]
    now: datetime

    async def of(self, text: str, query: ListQuery) -> Answer[Slice[D]] | None:
        """Return those of the document with the number ``text``; None without such a document.

        Raises `NothingFound` where none belong to it, and where some may be missing from what is kept.
        """
        assert self.kind.origin is not None
        found = await read_as_spelled(text, partial(self.erp.document, self.kind.origin), missing=NO_SUCH_DOCUMENT)
        if found is None:
            return None
        if silences := self.erp.beside(found.value).silences(self.kind.capability, self.kind.areas):
            raise NothingFound(found.value.number, (), silences)
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
        return Answer(self.erp.addressed_all(picked), found.source, coverage.as_of)

    async def _of_origin(self, found: Answer[Any]) -> Sequence[D]:
        """Look among those of the same partner, then among all since the origin's day: bills go to other addresses.

        Production has no partner, and may have no day yet.
        """
        belongs = partial(self._belonging, Books(found.source), found.value.number)
        if not self.kind.partner:
            return await self.kept.visible(self.kind.followed, belongs)
        theirs = await self.kept.visible(
            self.kind.followed, belongs, partner=kind_of(found.value).partner_of(found.value)
        )
        return theirs or await self.kept.visible(
            self.kind.followed, belongs, since=kind_of(found.value).day(found.value)
        )

    def _belonging(self, books: Books, number: str, documents: Iterator[ErpRecord]) -> list[D]:
        beside: list[D] = [each for each in documents if books.hold(each.source)]  # type: ignore[misc]
        return [each for each in beside if number in self.kind.order_numbers(each)]


MOST_READ = 6
"""Payments that one question reads; each is a call."""
# Said of every document alike: whether a partner has more is nothing for a reader who may not see the partner.
_LOOKED_AT = phrase("At most %(count)s payments of the same partner are looked at.", count=MOST_READ)


@dataclass(frozen=True, slots=True)
class Settlements:
    """How to find the payments of an invoice or bill, which are of the kinds ``settled``."""

    kept: ReadModel
    erp: ErpHub
    settled: Sequence[Kind[Any]]
    now: datetime
    kind: Kind[Payment] = PAYMENTS

    async def of(self, text: str, query: ListQuery) -> Answer[Slice[Payment]] | None:
        """Return the payments of the invoice or bill with the number ``text``; None without such a document.

        None also where some may be missing from what is kept. Raises `NothingFound` where none settles it.
        """
        coverage = await self.kept.coverage(PAYMENTS.followed)
        if not coverage.is_current(self.now):
            return None
        found = await self._settled(text)
        if found is None:
            return None
        beside = self.erp.beside(found.value)
        if silences := beside.silences(PAYMENTS.capability, PAYMENTS.areas):
            raise NothingFound(found.value.number, (), silences)
        nearest = partial(_nearest, found.source, found.value.issued_on)
        candidates = await self.kept.visible(
            PAYMENTS.followed, nearest, partner=kind_of(found.value).partner_of(found.value)
        )
        read = await asyncio.gather(*[beside.document(PAYMENTS, each.number) for each in candidates[:MOST_READ]])
        settling = [each.value for each in read if found.value.number in each.value.settles]
        if not settling:
            note = phrase("No payment says that it settles %(number)s.", number=found.value.number)
            raise NothingFound(found.value.number, (), (note, _LOOKED_AT))
        assert coverage.as_of is not None, "it is current"
        picked = self.kind.pick(settling, replace(query, text=""), self.now.date())
        return Answer(picked, found.source, coverage.as_of, notes=(_LOOKED_AT,))

    async def _settled(self, text: str) -> Answer[Any] | None:
        for kind in self.settled:
            read = partial(self.erp.document, kind)
            if found := await read_as_spelled(text, read, missing=NO_SUCH_DOCUMENT):
                return found
        return None


def _nearest(source: str, issued_on: date | None, documents: Iterator[ErpRecord]) -> list[Payment]:
    """Return payments in the order in which they may settle a document: the first after its day, then earlier ones."""
    payments = [each for each in documents if isinstance(each, Payment) and each.source in (source, "")]
    day = issued_on or date.min
    return sorted(payments, key=lambda each: _distance(each.paid_on or date.max, day))


def _distance(paid_on: date, issued_on: date) -> tuple[bool, int]:
    return paid_on < issued_on, abs((paid_on - issued_on).days)
