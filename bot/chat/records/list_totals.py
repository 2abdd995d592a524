"""What the documents of a list come to: of the whole list, also where a page shows a part of it, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Generic, Protocol, TypeVar

from bot.chat.records.kept_documents import OF_OPEN
from bot.chat.records.lookup import FETCH_LIMIT, DocumentList
from bot.erp.answer import Answer
from bot.erp.errors import ErpError
from bot.erp.listing import D, Listing
from bot.erp.model import Money, Slice
from bot.erp.port import Filter, ListQuery
from bot.read_model.queries import ReadModel
from bot.read_model.records import Document

S = TypeVar("S", covariant=True)


def sum_by_currency(amounts: Iterable[Money | None]) -> tuple[Money, ...] | None:
    """Return one sum a currency; None when the ERP does not say one of the amounts."""
    sums: dict[str, Decimal] = {}
    for money in amounts:
        if money is None:
            return None
        sums[money.currency] = sums.get(money.currency, Decimal()) + money.amount
    return tuple(Money(amount, currency) for currency, amount in sorted(sums.items()))


def _always(_document: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class ListAmounts(Generic[D]):
    """Which ``amount`` of each document is added up; those that do not ``count`` are on the list and in no sum."""

    kind: Listing[D]
    amount: Callable[[D], Money | None]
    counts: Callable[[D], bool] = _always

    def sum_up(self, documents: Iterable[D]) -> tuple[Money, ...]:
        """Return one sum a currency; none when an amount is missing."""
        return sum_by_currency(self.amount(each) for each in documents if self.counts(each)) or ()


class ListSums(Protocol[D, S]):
    """Adds up documents of a kind: `ListAmounts`, or what keeps sums of several kinds apart."""

    @property
    def kind(self) -> Listing[D]:
        """The kind of the documents."""
        ...

    def sum_up(self, documents: Iterable[D]) -> tuple[S, ...]:
        """Return the sums; none when an amount is missing."""
        ...


async def total_of_list(
    listed: DocumentList[D],
    amounts: ListSums[D, S],
    many: Callable[[ListQuery], Awaitable[Answer[Slice[D]]]],
    kept: ReadModel,
    now: datetime,
) -> tuple[S, ...]:
    """Return what all documents of a list come to, one amount a currency; none where not all of them are known.

    A long list is added up from what is ``kept``, if that is current and has just as many documents.
    """
    found, query = listed.found.value, listed.query
    if len(found.items) == found.total:
        return amounts.sum_up(found.items)
    if query is None:
        return ()
    if found.total <= FETCH_LIMIT:
        return await _total_of_short(amounts, many, query)
    is_named = query == ListQuery(filter=query.filter, during=query.during, offset=query.offset, limit=query.limit)
    if not is_named or query.filter is Filter.ALL:
        return ()
    return await _total_of_kept(amounts, kept, replace(query, offset=0, limit=found.total), now)


async def _total_of_short(
    amounts: ListSums[D, S], many: Callable[[ListQuery], Awaitable[Answer[Slice[D]]]], query: ListQuery
) -> tuple[S, ...]:
    """Return the total of a list whose later page is shown: its beginning was read for the first one a moment ago."""
    try:
        whole = (await many(replace(query, offset=0, limit=FETCH_LIMIT))).value
    except ErpError:
        return ()  # the page that was asked for is there all the same
    return amounts.sum_up(whole.items) if len(whole.items) == whole.total else ()


async def _total_of_kept(amounts: ListSums[D, S], kept: ReadModel, whole: ListQuery, now: datetime) -> tuple[S, ...]:
    """Return the total of the ``whole`` list, which has as many documents as its limit says."""
    kind, days = amounts.kind.followed, whole.during
    if days is None and whole.filter not in OF_OPEN:
        return ()  # what is completed is kept for a time only
    coverage = await kept.coverage(kind)
    if not coverage.is_current(now) or (days is not None and not coverage.is_complete_from(days.first)):
        return ()
    found = await kept.fold(
        kind,
        partial(_count_and_sum, amounts, whole, now.date()),
        since=days.first if days else None,
        until=days.last if days else None,
        open_only=whole.filter in OF_OPEN,
    )
    count, sums = found.value
    return sums if count == whole.limit else ()


def _count_and_sum(
    amounts: ListSums[D, S], whole: ListQuery, today: date, documents: Iterator[Document]
) -> tuple[int, tuple[S, ...]]:
    kind, days = amounts.kind, whole.during
    holds, _ = kind.filters[whole.filter]
    fitting: list[D] = [each for each in documents if kind.listed(each) and holds(each, today)]  # type: ignore[arg-type, misc]
    if days is not None:
        fitting = [each for each in fitting if days.holds(kind.day(each))]
    return len(fitting), amounts.sum_up(fitting)
