"""The book of cases: one unit of work, all of it stored or nothing.

Implemented on the database by `bot.store.approvals` and in memory by `bot.testing.approvals`; both pass one suite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from bot.approvals.case import AuditRow, Case, CaseCard
from bot.erp.model import Money
from bot.outbox.delivery import Delivery

T = TypeVar("T")


class Book(Protocol):
    """Reads see what was put before in the same unit of work."""

    def case(self, case_id: str) -> Case | None:
        """Return one case, locked until the end of the unit of work: whoever comes second sees what the first did."""
        ...

    def newest(self, source: str, number: str) -> Case | None:
        """Return the case of a document's newest revision, locked like `case`; ``number`` in any spelling."""
        ...

    def named(self, number: str, source: str = "", limit: int = 100) -> Sequence[Case]:
        """Return all cases of a document, newest first, of all sources if none is named."""
        ...

    def open_cases(self, user_id: str = "", limit: int = 500) -> Sequence[Case]:
        """Return the cases that take votes, oldest first; with ``user_id`` those that name the person.

        A case names everybody in its plan, those to whom somebody's turn was passed on, and those who escalate.
        """
        ...

    def knows(self, source: str) -> bool:
        """Return whether a source was looked through, or there ever was a case of it."""
        ...

    def looked_through(self, source: str) -> None:
        """Remember that a source was looked through for what waits, whether anything did or not."""
        ...

    def put(self, case: Case) -> None:
        """Store a case. Raises `CaseTaken` when another process changed, opened or decided it meanwhile."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[Case]:
        """Return cases whose ``due_at`` has come, the longest waiting first."""
        ...

    def next_due(self, after: datetime) -> datetime | None:
        """Return when time will change something next, later than ``after``."""
        ...

    def cards_of(self, case_id: str) -> Sequence[CaseCard]:
        """Return where the case's cards stand."""
        ...

    def put_card(self, card: CaseCard) -> None:
        """Remember that a card of the case stands at a place; twice is once."""
        ...

    def approved_on(self, user_id: str, currency: str, begins: datetime, ends: datetime) -> Money:
        """Return the sum of what a person approved on a day that begins and ends so, in one currency.

        Whoever asks has the answer for themselves until the end of the unit of work: two cases at the same moment do
        not both find room. What ended in another way than approved does not count.
        """
        ...

    def audit(self, row: AuditRow) -> None:
        """Write a line of the record."""
        ...

    def rows_of(self, case_id: str) -> Sequence[AuditRow]:
        """Return the record of a case, oldest first."""
        ...

    def deliver(self, delivery: Delivery) -> None:
        """Owe a place the newest state of a card."""
        ...


class Books(Protocol):
    """Opens the book: units of work on different cases run side by side, on the same case one after the other."""

    async def within(self, work: Callable[[Book], T]) -> T:
        """Return what ``work`` returns, after the commit of all that it did; it may run in another thread.

        Raises `CaseTaken` where another process was faster, another `bot.errors.DingerpError` when the store is away,
        and whatever ``work`` raises; nothing is stored then.
        """
        ...

    async def look(self, work: Callable[[Book], T]) -> T:
        """Return what ``work`` finds, which only reads: nothing is locked, so what it found may be over at once.

        A thousand people who click at one case wait for each other where it is locked, and not where it is read.
        Raises a `bot.errors.DingerpError` when the store is away, and whatever ``work`` raises.
        """
        ...
