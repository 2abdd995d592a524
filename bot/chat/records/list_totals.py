"""What the documents of a list come to: of the whole list, also where a page shows a part of it, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Generic

from bot.chat.records.lookup import FETCH_LIMIT, DocumentList
from bot.chat.records.sums import sum_by_currency
from bot.erp.answer import Answer
from bot.erp.errors import ErpError
from bot.erp.listing import D, Listing
from bot.erp.model import Money, Slice
from bot.erp.port import Filter, ListQuery
from bot.read_model.queries import ReadModel
from bot.read_model.records import Document


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


async def total_of_list(
    listed: DocumentList[D],
    amounts: ListAmounts[D],
    many: Callable[[ListQuery], Awaitable[Answer[Slice[D]]]],
    kept: ReadModel,
    now: datetime,
) -> tuple[Money, ...]:
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
    is_named = query == ListQuery(filter=query.filter, offset=query.offset, limit=query.limit)
    if not is_named or query.filter is Filter.ALL:
        return ()
    return await _total_of_kept(amounts, kept, query.filter, found.total, now)


async def _total_of_short(
    amounts: ListAmounts[D], many: Callable[[ListQuery], Awaitable[Answer[Slice[D]]]], query: ListQuery
) -> tuple[Money, ...]:
    """Return the total of a list whose later page is shown: its beginning was read for the first one a moment ago."""
    try:
        whole = (await many(replace(query, offset=0, limit=FETCH_LIMIT))).value
    except ErpError:
        return ()  # the page that was asked for is there all the same
    return amounts.sum_up(whole.items) if len(whole.items) == whole.total else ()


async def _total_of_kept(
    amounts: ListAmounts[D], kept: ReadModel, wanted: Filter, total: int, now: datetime
) -> tuple[Money, ...]:
    kind = amounts.kind.followed
    if not (await kept.coverage(kind)).is_current(now):
        return ()
    found = await kept.fold(kind, partial(_count_and_sum, amounts, wanted, now.date()), open_only=True)
    count, sums = found.value
    return sums if count == total else ()


def _count_and_sum(
    amounts: ListAmounts[D], wanted: Filter, today: date, documents: Iterator[Document]
) -> tuple[int, tuple[Money, ...]]:
    kind = amounts.kind
    holds, _ = kind.filters[wanted]
    fitting: list[D] = [each for each in documents if kind.listed(each) and holds(each, today)]  # type: ignore[arg-type, misc]
    return len(fitting), amounts.sum_up(fitting)
