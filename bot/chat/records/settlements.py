"""The receipts and payments that settle an invoice or a bill: only a single payment tells what it settles."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from bot.chat.errors import NothingFound
from bot.chat.records.linked_documents import NO_SUCH_DOCUMENT
from bot.erp.answer import Answer
from bot.erp.listing import PAYMENTS, Listing
from bot.erp.model import Bill, Invoice, Payment, Slice
from bot.erp.port import ListQuery
from bot.phrase import Phrase, phrase
from bot.read_model.queries import ReadModel
from bot.read_model.records import Document, partner_of
from bot.spelling import other_spellings

MOST_READ = 6
"""Payments that one question reads; each is a call."""


@dataclass(frozen=True, slots=True)
class Settlements:
    """How to find the payments of an invoice or bill; ``settled`` read one of these by its number."""

    kept: ReadModel
    settled: Sequence[Callable[[str], Awaitable[Answer[Invoice]] | Awaitable[Answer[Bill]]]]
    payment: Callable[[str], Awaitable[Answer[Payment]]]
    now: datetime
    kind: Listing[Payment] = PAYMENTS

    async def of(self, text: str, query: ListQuery) -> Answer[Slice[Payment]] | None:
        """Return the payments of the invoice or bill with the number ``text``; None without such a document.

        None also where some may be missing from what is kept. Raises `NothingFound` where none settles it.
        """
        coverage = await self.kept.coverage(PAYMENTS.followed)
        if not any(char.isdigit() for char in text) or not coverage.is_current(self.now):
            return None
        found = await self._settled(text)
        if found is None:
            return None
        nearest = partial(_nearest, found.source, found.value.issued_on)
        candidates = await self.kept.visible(PAYMENTS.followed, nearest, partner=partner_of(found.value))
        read = await asyncio.gather(*[self.payment(each.number) for each in candidates[:MOST_READ]])
        notes = _notes(len(candidates))
        settling = [each.value for each in read if found.value.number in each.value.settles]
        if not settling:
            note = phrase("No payment says that it settles %(number)s.", number=found.value.number)
            raise NothingFound(found.value.number, (), (note, *notes))
        assert coverage.as_of is not None, "it is current"
        picked = self.kind.pick(settling, replace(query, text=""), self.now.date())
        return Answer(picked, found.source, coverage.as_of, notes=notes)

    async def _settled(self, text: str) -> Answer[Invoice] | Answer[Bill] | None:
        for read in self.settled:
            for number in (text, *other_spellings(text)):
                try:
                    return await read(number)
                except NO_SUCH_DOCUMENT:
                    continue
        return None


def _nearest(source: str, issued_on: date | None, documents: Iterator[Document]) -> list[Payment]:
    """Return payments in the order in which they may settle a document: the first after its day, then earlier ones."""
    payments = [each for each in documents if isinstance(each, Payment) and each.source in (source, "")]
    day = issued_on or date.min
    return sorted(payments, key=lambda each: _distance(each.paid_on or date.max, day))


def _distance(paid_on: date, issued_on: date) -> tuple[bool, int]:
    return paid_on < issued_on, abs((paid_on - issued_on).days)


def _notes(candidates: int) -> tuple[Phrase, ...]:
    if candidates <= MOST_READ:
        return ()
    return (phrase("Only %(count)s of this partner's payments were looked at.", count=MOST_READ),)
