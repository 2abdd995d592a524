"""What everybody shares who works on cases: the book, the rules in force, the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.approvals.book import Book, Books
from bot.approvals.document import Document
from bot.approvals.errors import CaseTaken
from bot.approvals.reading import Reader
from bot.approvals.ruling import Company, Policy
from bot.approvals.unit import Terms, Unit
from bot.outbox.place import Place

T = TypeVar("T")

_TRIES = 5
"""Units of work that are begun anew because another process was faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """``now`` is in the company's zone; ``policy`` returns the rules in force at the moment, which may be edited.

    ``groups`` says in which groups a document's bare card stands; ``owed`` is called when cards may be owed.
    """

    books: Books
    reader: Reader
    policy: Callable[[], Policy]
    groups: Callable[[Document], Sequence[Place]]
    now: Callable[[], datetime]
    terms: Terms
    owed: Callable[[], None] = lambda: None

    async def read(self, work: Callable[[Book], T]) -> T:
        """Return what ``work`` finds; nothing is locked."""
        return await self.books.look(work)

    async def look(self, work: Callable[[Unit], T], company: Company | None = None) -> T:
        """Return what ``work`` finds in a unit in which it must not change anything; nothing is locked."""
        who = company if company is not None else self.reader.company()
        return await self.books.look(lambda book: work(self._unit(book, who)))

    async def do(self, work: Callable[[Unit], T], company: Company | None = None) -> T:
        """Return what ``work`` returns, when it is stored; raises `CaseTaken` if others are faster again and again."""
        who = company if company is not None else self.reader.company()
        for tries_left in reversed(range(_TRIES)):
            try:
                result = await self.books.within(lambda book: work(self._unit(book, who)))
            except CaseTaken:
                if not tries_left:
                    raise
                continue
            self.owed()
            return result
        raise AssertionError("the last try returns or raises")

    def _unit(self, book: Book, company: Company) -> Unit:
        # The time of the unit is that at which it begins, after the wait for the store.
        return Unit(book=book, policy=self.policy(), company=company, now=self.now(), terms=self.terms)
