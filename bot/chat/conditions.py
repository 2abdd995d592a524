"""The restrictions of a document list, and which of them emptied an empty one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from bot.cards.view import Label
from bot.chat.days import DayRange
from bot.chat.errors import BadArgument
from bot.erp.errors import ErpError
from bot.erp.port import Filter, ListQuery, Period
from bot.words.disclosure import FieldClass

LONG_AGO = date(1970, 1, 1)
"""Nothing still open was due before this day."""


class ListCondition(StrEnum):
    """A part of a line that restricts its list."""

    TEXT = "text"
    WAREHOUSE = "warehouse"
    LIST = "list"
    DAYS = "days"
    AMOUNTS = "amounts"
    CREATED_BY = "created_by"
    BOOKS = "books"
    """The books named in the line; `bot.chat.questions.bound_commands` counts those of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedBound:
    """A condition that each document of a list meets: as ``typed``, and as cards call it, unless its template does.

    ``compared`` are the classes of what it compares: which documents are listed tells that.
    """

    by: ListCondition
    typed: str
    called: Label = ""
    compared: frozenset[FieldClass] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The restrictions of a list: a ``text`` or ``product``, a warehouse, a named list, days, and what it is
    ``bounded`` by.
    """

    text: str = ""
    product: str = ""
    warehouse: str = ""
    wanted: Filter = Filter.ALL
    days: DayRange | None = None
    bounded: frozenset[ListCondition] = frozenset()

    @property
    def kinds(self) -> frozenset[ListCondition]:
        """The kinds of conditions present."""
        there = {
            ListCondition.TEXT: self.text or self.product,
            ListCondition.WAREHOUSE: self.warehouse,
            ListCondition.LIST: self.wanted is not Filter.ALL,
            ListCondition.DAYS: self.days,
        }
        return self.bounded.union(kind for kind, value in there.items() if value)

    def without(self, *some: ListCondition) -> Conditions:
        """Return the remaining conditions."""
        return Conditions(
            text="" if ListCondition.TEXT in some else self.text,
            product="" if ListCondition.TEXT in some else self.product,
            warehouse="" if ListCondition.WAREHOUSE in some else self.warehouse,
            wanted=Filter.ALL if ListCondition.LIST in some else self.wanted,
            days=None if ListCondition.DAYS in some else self.days,
            bounded=self.bounded.difference(some),
        )

    def query(self, today: date, *, may_be_open: bool, offset: int = 0, limit: int = 1) -> ListQuery:
        """Return the query for a part of the list.

        Documents due on some days are those still open, if the kind ``may_be_open``; days that include today start with
        the overdue ones.
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
class WiderList:
    """Without these conditions an empty list has ``total`` documents."""

    by: frozenset[ListCondition]
    total: int


Count = Callable[[Conditions], Awaitable[int]]
"""Returns the number of entries in a list with some conditions."""


async def find_emptied(asked: Conditions, count: Count) -> tuple[WiderList, ...]:
    """Return the total without one of its conditions, else with only the first of them, else without any.

    Nothing is offered that cannot be counted.
    """
    singles = [frozenset({kind}) for kind in ListCondition if kind in asked.kinds]
    steps = [singles]
    if len(singles) > 2:  # otherwise the first step removes all but one
        steps.append([asked.kinds - singles[0]])
    if len(singles) > 1:
        steps.append([asked.kinds])
    for parts in steps:
        if emptied := await _without(asked, parts, count):
            return emptied
    return ()


async def _without(asked: Conditions, parts: Sequence[frozenset[ListCondition]], count: Count) -> tuple[WiderList, ...]:
    counts = await asyncio.gather(*(_count_if_known(asked.without(*part), count) for part in parts))
    return tuple(WiderList(by=part, total=total) for part, total in zip(parts, counts, strict=True) if total)


async def _count_if_known(asked: Conditions, count: Count) -> int:
    try:
        return await count(asked)
    except (ErpError, BadArgument):
        return 0
