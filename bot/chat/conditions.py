"""What restricts a list of documents, and what of it emptied an empty one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from bot.chat.days import DayRange
from bot.erp.port import Filter, ListQuery, Period

LONG_AGO = date(1970, 1, 1)
"""Before it nothing was due that is still open."""


class ListCondition(StrEnum):
    """One of the parts of a line that restrict its list."""

    TEXT = "text"
    LIST = "list"
    DAYS = "days"
    AMOUNTS = "amounts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a line restricts a list to: a ``text`` or ``product``, a named list, days, and amounts where ``bounded``."""

    text: str = ""
    product: str = ""
    wanted: Filter = Filter.ALL
    days: DayRange | None = None
    bounded: bool = False

    @property
    def kinds(self) -> frozenset[ListCondition]:
        """Which conditions there are."""
        there = {
            ListCondition.TEXT: self.text or self.product,
            ListCondition.LIST: self.wanted is not Filter.ALL,
            ListCondition.DAYS: self.days,
            ListCondition.AMOUNTS: self.bounded,
        }
        return frozenset(kind for kind, value in there.items() if value)

    def without(self, *some: ListCondition) -> Conditions:
        """Return the others."""
        return Conditions(
            text="" if ListCondition.TEXT in some else self.text,
            product="" if ListCondition.TEXT in some else self.product,
            wanted=Filter.ALL if ListCondition.LIST in some else self.wanted,
            days=None if ListCondition.DAYS in some else self.days,
            bounded=self.bounded and ListCondition.AMOUNTS not in some,
        )

    def query(self, today: date, *, may_be_open: bool, offset: int = 0, limit: int = 1) -> ListQuery:
        """Return the question for a part of the list.

        What is due on some days is what is still open, where a kind of documents ``may_be_open``; the days of today
        begin with what should have been done before.
        """
        query = ListQuery(filter=self.wanted, text=self.text, product=self.product, offset=offset, limit=limit)
        if self.days is None:
            return query
        query = replace(query, during=self.days.during, due=self.days.due_in)
        if query.due is None or self.wanted not in {Filter.ALL, Filter.OPEN} or not may_be_open:
            return query
        first = LONG_AGO if query.due.holds(today) else query.due.first
        return replace(query, filter=Filter.OPEN, due=Period(first, query.due.last))


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptied:
    """Without these conditions an empty list has ``total`` documents."""

    by: frozenset[ListCondition]
    total: int
