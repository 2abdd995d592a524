"""What the documents of a list come to: of the whole list, also where a page shows a part of it, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from bot.chat.records.kept_documents import OF_OPEN
from bot.chat.records.lookup import FETCH_LIMIT, SEARCH_LIMIT, DocumentList
from bot.chat.view_parts import ALL_ADDED_UP, NotAddedUp, Uncounted
from bot.erp.counting import counts, signed
from bot.erp.errors import ErpError
from bot.erp.kinds import D, Kind
from bot.erp.model import ErpRecord, Money
from bot.erp.port import Filter, ListQuery
from bot.read_model.queries import ReadModel
from bot.words.phrase import phrase

S = TypeVar("S")
_NOT_ADDED_UP = phrase("not added up: not all of these documents are at hand")


def sum_by_currency(amounts: Iterable[Money | None]) -> tuple[Money, ...] | None:
    """Return one sum a currency; None when the ERP does not say one of the amounts."""
    sums: dict[str, Decimal] = {}
    for money in amounts:
        if money is None:
            return None
        sums[money.currency] = sums.get(money.currency, Decimal()) + money.amount
    return tuple(Money(amount, currency) for currency, amount in sorted(sums.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTotals(Generic[S]):
    """What a list comes to, and of ``left`` what is still open of it, where documents have such a part.

    ``not_added_up`` documents are on the list and in no sum.
    """

    sums: tuple[S, ...] = ()
    left: tuple[S, ...] = ()
    not_added_up: NotAddedUp = ALL_ADDED_UP


class ListSums(Protocol[D, S]):
    """Adds up documents of a kind: `ListAmounts`, or what keeps sums of several kinds apart."""

    @property
    def kind(self) -> Kind[D]:
        """The kind of the documents."""
        ...

    def sum_up(self, documents: Sequence[D]) -> ListTotals[S]:
        """Return what documents that count come to."""
        ...


@dataclass(frozen=True, slots=True)
class ListAmounts(Generic[D]):
    """Adds up what documents come to, or ``amount`` of each in its place; credit notes count less."""

    kind: Kind[D]
    amount: Callable[[D], Money | None] | None = None

    def sum_up(self, documents: Sequence[D]) -> ListTotals[Money]:
        """Return one sum a currency."""
        total = self.amount or self.kind.amounts.total
        amounts = [(each, total(each)) for each in documents]
        left = [signed(each, self.kind.amounts.left_of(each)) for each in documents]
        return ListTotals(
            sums=sum_by_currency(signed(each, money) for each, money in amounts if money) or (),
            left=sum_by_currency(money for money in left if money) or (),
            not_added_up=NotAddedUp(without_amount=sum(money is None for _, money in amounts)),
        )


async def total_of_list(
    listed: DocumentList[D], amounts: ListSums[D, S], kept: ReadModel, now: datetime
) -> tuple[ListTotals[S], DocumentList[D]]:
    """Return what all documents of a list come to, and the list, which says so where not all of them are known.

    A long list is added up from what is ``kept``, if that is current and has just as many documents. The newest
    documents, and nothing else said of them, are not added up.
    """
    found, query = listed.found.value, listed.query
    if len(found.items) == found.total:
        return _add_up(amounts, query, found.items), listed
    if query is None or listed.is_bare:
        return ListTotals(), listed
    if totals := await _total_of_kept(listed, amounts, kept, now) or await _total_of_read(listed, amounts):
        return totals, listed
    noted = replace(listed.found, notes=(*listed.found.notes, _NOT_ADDED_UP))
    return ListTotals(), replace(listed, found=noted)


def _add_up(amounts: ListSums[D, S], query: ListQuery | None, documents: Sequence[D]) -> ListTotals[S]:
    """Return what documents come to; of those that wait for approval, what they would."""
    if query is not None and query.filter is Filter.PENDING:
        return amounts.sum_up(documents)
    totals = amounts.sum_up([each for each in documents if counts(each)])
    states = Counter[Any](each.status for each in documents if not counts(each))  # type: ignore[attr-defined]
    uncounted = tuple(Uncounted(status=status, count=count) for status, count in sorted(states.items()))
    return replace(totals, not_added_up=replace(totals.not_added_up, uncounted=uncounted))


async def _total_of_read(listed: DocumentList[D], amounts: ListSums[D, S]) -> ListTotals[S] | None:
    """Return the total of a list that one question brings whole."""
    total, query = listed.found.value.total, listed.query
    if total > SEARCH_LIMIT or query is None or listed.read is None or listed.erp is None:
        return None
    try:
        limit = FETCH_LIMIT if total <= FETCH_LIMIT else SEARCH_LIMIT
        whole = (await listed.read(listed.erp, replace(query, offset=0, limit=limit))).value
    except ErpError:
        return None  # the page that was asked for is there all the same
    return _add_up(amounts, query, whole.items) if len(whole.items) == whole.total == total else None


async def _total_of_kept(
    listed: DocumentList[D], amounts: ListSums[D, S], kept: ReadModel, now: datetime
) -> ListTotals[S] | None:
    """Return the total of a list of which just as many documents are kept."""
    query, erp, total = listed.query, listed.erp, listed.found.value.total
    if query is None or erp is None or query.product or total <= FETCH_LIMIT:
        return None
    seen, kind, days = kept.narrowed(erp), amounts.kind.followed, query.during
    coverage = await seen.coverage(kind)
    if not coverage.is_current(now) or (days is not None and not coverage.is_complete_from(days.first)):
        return None
    found = await seen.fold(
        kind,
        partial(_pick_and_add_up, amounts, query, now.date()),
        since=days.first if days else None,
        until=days.last if days else None,
        unfinished=query.filter in OF_OPEN,
        text=query.text,
    )
    count, totals = found.value
    return totals if count == total else None


def _pick_and_add_up(
    amounts: ListSums[D, S], query: ListQuery, today: date, documents: Iterator[ErpRecord]
) -> tuple[int, ListTotals[S]]:
    kind = amounts.kind
    holds = kind.filters[query.filter][0] if query.filter is not Filter.ALL else lambda _document, _today: True
    fitting: list[D] = [each for each in documents if kind.listed(each) and kind.matches(each, query)]  # type: ignore[arg-type, misc]
    fitting = [each for each in fitting if holds(each, today)]
    return len(fitting), _add_up(amounts, query, fitting)
