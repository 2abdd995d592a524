"""The port's lists computed in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.erp import kinds, listing
from bot.erp.errors import Unsupported
from bot.erp.model import Product, SalesOrder
from bot.erp.port import Filter, ListQuery
from bot.erp.refusing import RefusingErp
from tests.bare_records import bare
from tests.rows import each_row

TODAY = date(2026, 11, 24)
ORDER = bare(SalesOrder, "SO-1", ordered_on=TODAY)


def days_ago(number: str, ordered: int | None, promised: int | None = None, customer: str = "Acme") -> SalesOrder:
    return replace(
        ORDER,
        number=number,
        customer=customer,
        ordered_on=None if ordered is None else TODAY - timedelta(days=ordered),
        promised_on=None if promised is None else TODAY - timedelta(days=promised),
    )


ORDERS = (
    days_ago("SO-3", 5, 3),
    days_ago("SO-1", 5, 9, "Straße & Söhne"),
    days_ago("SO-4", None, 3),
    days_ago("SO-2", 1, 0),
    days_ago("SO-5", 9),
)


def numbers(query: ListQuery) -> list[str]:
    return [order.number for order in kinds.SALES_ORDERS.pick(ORDERS, query, TODAY).items]


def test_newest_come_first_and_equal_days_by_number() -> None:
    assert numbers(ListQuery()) == ["SO-2", "SO-1", "SO-3", "SO-5", "SO-4"]


def test_the_worst_come_first() -> None:
    assert numbers(ListQuery(filter=Filter.LATE)) == ["SO-1", "SO-3", "SO-4"]


@each_row("text", ["SO-1", "so-1", "STRASSE", "söhne", " & "])
def test_text_is_part_of_number_or_partner(text: str) -> None:
    assert numbers(ListQuery(text=text)) == ["SO-1"]


def test_a_page_knows_how_many_there_are() -> None:
    found = kinds.SALES_ORDERS.pick(ORDERS, ListQuery(offset=3, limit=5), TODAY)
    assert ([order.number for order in found.items], found.total) == (["SO-5", "SO-4"], 5)
    beyond = kinds.SALES_ORDERS.pick(ORDERS, ListQuery(offset=9, limit=5), TODAY)
    assert (beyond.items, beyond.total) == ((), 5)


def test_a_list_that_the_kind_does_not_know_is_refused() -> None:
    with pytest.raises(Unsupported):
        numbers(ListQuery(filter=Filter.SPENT))
    assert numbers(ListQuery(filter=Filter.PENDING)) == [], "none of them tells of an approval"


@each_row(
    ("query", "there", "counted"),
    [
        (ListQuery(limit=2), 5, True),
        (ListQuery(limit=5), 5, True),
        (ListQuery(limit=6), 5, False),
        (ListQuery(offset=4, limit=2), 5, False),
        (ListQuery(offset=9, limit=2), 5, True),
        (ListQuery(limit=2), 0, False),
    ],
)
async def test_the_erp_counts_only_where_the_page_does_not_tell(query: ListQuery, there: int, counted: bool) -> None:
    counts = []

    async def rows() -> list[int]:
        return list(range(there))[query.offset : query.offset + query.limit]

    async def count() -> int:
        counts.append(there)
        return there

    found, total = await listing.read_page(query, rows(), count)
    assert (found, total, bool(counts)) == (await rows(), there, counted)


PRODUCTS = (
    Product(sku="B-1", name="Bolt M6 long", unit="PCS", spec="x9"),
    Product(sku="M6", name="Washer", unit="PCS"),
    Product(sku="C-2", name="M6 nut", unit="PCS", barcode="69012"),
    Product(sku="XM6X", name="Clip", unit="PCS"),
    Product(sku="M6-20", name="Pin", unit="PCS"),
)


@each_row(
    ("text", "skus"),
    [
        ("m6", ["M6", "M6-20", "C-2", "XM6X", "B-1"]),
        ("69012", ["C-2"]),
        ("901", ["C-2"]),
        ("X9", ["B-1"]),
        ("nothing", []),
        ("", ["M6-20", "XM6X", "C-2", "M6", "B-1"]),
    ],
)
def test_the_best_product_comes_first(text: str, skus: list[str]) -> None:
    assert [product.sku for product in listing.find_products(PRODUCTS, text, limit=9)] == skus


async def test_who_offers_nothing_says_so_to_everything() -> None:
    erp = RefusingErp("acme")
    for call in (erp.stock, erp.order, erp.invoice, erp.purchase_order, erp.production_order):
        with pytest.raises(Unsupported, match=r"no .* here") as caught:
            await call("X")
        assert caught.value.source == "acme"
