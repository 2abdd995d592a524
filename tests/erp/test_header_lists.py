"""Lists by headers: what is read, in which order, and the total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.erp import kinds
from bot.erp.errors import Unsupported
from bot.erp.header_lists import Header, list_by_headers
from bot.erp.model import SalesOrder, Slice
from bot.erp.port import Filter, ListQuery
from tests.bare_records import bare

TODAY = date(2026, 11, 24)
ORDER = bare(SalesOrder, "SO-1", ordered_on=TODAY)


def ordered(number: str, days: int | None, customer: str = "Acme", late: int = 0) -> SalesOrder:
    """Return an order placed some days ago and some days late."""
    day = None if days is None else TODAY - timedelta(days=days)
    return replace(ORDER, number=number, customer=customer, ordered_on=day, promised_on=TODAY - timedelta(days=late))


class Source:
    """An ERP with cheap headers; it counts the documents that are read."""

    def __init__(self, *orders: SalesOrder) -> None:
        self.orders = {order.number.lower(): order for order in orders}
        self.gone: set[str] = set()
        self.reads: list[list[str]] = []
        self.headers_asked = 0

    async def headers(self) -> list[Header[str]]:
        self.headers_asked += 1
        # One row for each line of a document, as some ERPs answer.
        return 2 * [
            Header(key, order.number, order.ordered_on, (order.customer,)) for key, order in self.orders.items()
        ]

    async def read(self, keys: Sequence[str]) -> list[SalesOrder]:
        self.reads.append(list(keys))
        return [self.orders[key] for key in sorted(keys) if key not in self.gone]

    async def list(self, query: ListQuery) -> Slice[SalesOrder]:
        return await list_by_headers(kinds.SALES_ORDERS, query, TODAY, headers=self.headers, read=self.read)


def numbers(found: Slice[SalesOrder]) -> list[str]:
    return [order.number for order in found.items]


@pytest.fixture
def source() -> Source:
    return Source(
        ordered("SO-3", 5, late=3), ordered("SO-1", 5, "Straße & Söhne", late=9), ordered("SO-4", None),
        ordered("SO-2", 1),
    )  # fmt: skip


async def test_only_the_part_that_is_shown_is_read(source: Source) -> None:
    found = await source.list(ListQuery(offset=1, limit=2))
    assert (numbers(found), found.total) == (["SO-1", "SO-3"], 4)
    assert source.reads == [["so-1", "so-3"]]


async def test_the_order_is_that_of_the_list(source: Source) -> None:
    assert numbers(await source.list(ListQuery())) == ["SO-2", "SO-1", "SO-3", "SO-4"]


@pytest.mark.parametrize("text", ["SO-1", "so-1", "STRASSE", " & "])
async def test_headers_are_searched(source: Source, text: str) -> None:
    found = await source.list(ListQuery(text=text))
    assert (numbers(found), found.total) == (["SO-1"], 1)
    assert source.reads == [["so-1"]]


async def test_nothing_is_read_where_nothing_is_shown(source: Source) -> None:
    assert await source.list(ListQuery(text="nobody")) == Slice(items=(), total=0)
    assert await source.list(ListQuery(offset=9)) == Slice(items=(), total=4)
    assert await source.list(ListQuery(text="nobody", filter=Filter.LATE)) == Slice(items=(), total=0)
    assert source.reads == []


async def test_what_a_filter_leaves_is_read_whole_and_picked_from(source: Source) -> None:
    found = await source.list(ListQuery(filter=Filter.LATE, limit=1))
    assert (numbers(found), found.total) == (["SO-1"], 2)
    assert sorted(source.reads[0]) == ["so-1", "so-2", "so-3", "so-4"]


async def test_a_filter_reads_only_what_the_text_matches(source: Source) -> None:
    assert numbers(await source.list(ListQuery(filter=Filter.LATE, text="söhne"))) == ["SO-1"]
    assert source.reads == [["so-1"]]


async def test_a_document_that_went_between_the_two_questions_is_left_out(source: Source) -> None:
    source.gone = {"so-1"}
    assert numbers(await source.list(ListQuery(limit=2))) == ["SO-2"]


async def test_a_filter_that_the_list_lacks_is_refused_before_anything_is_asked(source: Source) -> None:
    with pytest.raises(Unsupported):
        await source.list(ListQuery(filter=Filter.OVERDUE))
    assert source.headers_asked == 0
