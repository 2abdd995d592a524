"""A request for part of a list of documents: which named list, which days, which partner or product."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Filter(StrEnum):
    """The named lists of documents."""

    ALL = "all"
    OPEN = "open"
    """Orders with goods still to come or to be made, invoices and bills that are not settled."""
    DONE = "done"
    """Production that is finished; such a list is dated by the day on which it was."""
    LATE = "late"
    OVERDUE = "overdue"
    PENDING = "pending"
    RECEIVED = "received"
    SPENT = "spent"


NEWEST_FIRST = frozenset({Filter.ALL, Filter.DONE, Filter.RECEIVED, Filter.SPENT})
"""The lists in which nothing is urgent."""
UNCHANGING = frozenset({Filter.OPEN, Filter.DONE, Filter.RECEIVED, Filter.SPENT})
"""The lists whose documents are told by themselves, whatever the day."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def holds(self, day: date | None) -> bool:
        """Return whether a day lies in the period; a missing day lies in none."""
        return day is not None and self.first <= day <= self.last

    def months_earlier(self, months: int) -> Period:
        """Return the same days of so many months earlier, up to the end of a shorter month; whole months stay whole."""
        first, end = _months_before(self.first, months), _months_before(self.last, months)
        is_whole = self.first.day == 1 and self.last.day == monthrange(self.last.year, self.last.month)[1]
        return Period(first, end.replace(day=monthrange(end.year, end.month)[1]) if is_whole else end)


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A request for part of a list of documents.

    ``text`` matches part of a number or of a partner's or product's name, ignoring case; ``partner`` is the whole name
    of one partner, ignoring case. ``product`` is the exact code of a product, ignoring case: the list holds documents
    with a line of it, once each, and may tell these lines and no others; `bot.erp.kinds.kind.Kind.by_product` says what
    offers that. ``during`` keeps documents of these days, with `Filter.DONE` those that were finished then, ``due``
    those that are due then. ``today`` is the day as of which something is late or overdue: the same for all sources,
    whose zones only say on which day something happened; None: as it is where the ERP is. The order is: most days late
    first for `Filter.LATE` and `Filter.OVERDUE`, due first for `Filter.OPEN`; oldest first for `Filter.PENDING`;
    otherwise newest first. Ties are ordered by number, so that pages neither overlap nor miss anything.
    """

    filter: Filter = Filter.ALL
    text: str = ""
    partner: str = ""
    product: str = ""
    during: Period | None = None
    due: Period | None = None
    offset: int = 0
    limit: int = 20
    today: date | None = field(default=None, compare=False)
    """No part of what is asked: the last known answer of yesterday is one to the same question."""

    def day(self, own: date) -> date:
        """Return the day as of which the list is, else the ERP's ``own``."""
        return self.today or own
