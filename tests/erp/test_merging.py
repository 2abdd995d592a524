"""Answers of several sources merged into one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.erp.answer import SourceAnswer
from bot.erp.errors import Unavailable
from bot.erp.kinds import INVOICES, SALES_ORDERS
from bot.erp.merging import ProductCodes, add, merge_lists, merge_products, merge_stock
from bot.erp.model import (
    Invoice,
    Lot,
    Money,
    Product,
    Quantities,
    SalesOrder,
    Slice,
    StockLevel,
    WarehouseStock,
)
from bot.erp.port import Filter, ListQuery
from bot.erp.units import Units
from bot.words.phrase import phrase
from tests.bare_records import bare

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = date(2026, 11, 24)
UNITS = Units({"千个": "1000 个"})
NO_TABLE = ProductCodes()
DOWN = Unavailable("down", source="c")


def level(
    on_hand: str | None, *, unit: str = "个", sku: str = "SKU123", reorder: str | None = None, company: str = ""
) -> StockLevel:
    figures = Quantities(on_hand=None if on_hand is None else Decimal(on_hand))
    return StockLevel(
        product=Product(sku=sku, name="螺丝", unit=unit),
        total=figures,
        per_warehouse=(WarehouseStock(code="SH", name="上海仓", quantities=figures),),
        reorder_point=None if reorder is None else Decimal(reorder),
        as_of=NOON,
        company=company,
    )


def part(source: str, value: Any, *, minutes: int = 0, error: Unavailable | None = None) -> SourceAnswer[Any]:
    as_of = None if value is None else NOON - timedelta(minutes=minutes)
    return SourceAnswer(source=source, value=value, as_of=as_of, error=error)


def order(number: str, day: int, *, late: int = 0) -> SalesOrder:
    return bare(
        SalesOrder,
        number,
        ordered_on=TODAY - timedelta(days=day),
        promised_on=TODAY - timedelta(days=late),
        total=Money(Decimal(1), "CNY"),
    )


def test_stock_of_two_sources_is_added_in_one_unit() -> None:
    found = merge_stock(
        (part("a", level("500", reorder="100")), part("b", level("2", unit="千个", reorder="1"), minutes=5)),
        NO_TABLE,
        UNITS,
    )
    assert found.value.product.unit == "个"
    assert found.value.total.on_hand == Decimal(2500)
    assert found.value.reorder_point == Decimal(1100)
    assert [stock.quantities.on_hand for stock in found.value.per_warehouse] == [Decimal(500), Decimal(2000)]
    assert (found.source, found.stale, found.as_of) == ("a + b", False, NOON - timedelta(minutes=5))
    assert [answer.value.product.unit for answer in found.parts if answer.value] == ["个", "个"]


def test_a_source_that_keeps_no_stock_of_a_product_has_no_part_in_its_figures() -> None:
    nowhere = replace(level(None), per_warehouse=(), is_stocked=False)
    kit = replace(level(None), total=Quantities(on_hand=None, available=Decimal(3)), per_warehouse=(), is_kit=True)
    found = merge_stock((part("a", nowhere), part("b", level("500"))), NO_TABLE, UNITS).value
    assert (found.total.on_hand, found.is_stocked, found.is_kit) == (Decimal(500), True, False)
    nobody = merge_stock((part("a", nowhere), part("b", nowhere)), NO_TABLE, UNITS).value
    assert (nobody.total.on_hand, nobody.is_stocked) == (None, False)
    assert merge_stock((part("a", nowhere), part("b", kit)), NO_TABLE, UNITS).value.is_kit
    assert not merge_stock((part("a", kit), part("b", level("500"))), NO_TABLE, UNITS).value.is_kit


def test_lots_of_all_sources_stand_by_their_last_day_in_one_unit() -> None:
    late, soon, never = (
        Lot(number=number, quantity=Decimal(2), expires_on=day)
        for number, day in (("L-9", date(2027, 1, 1)), ("L-1", date(2026, 12, 1)), ("SN-1", None))
    )
    first, second = replace(level("500"), lots=(never, late)), replace(level("2", unit="千个"), lots=(soon,))
    found = merge_stock((part("a", first), part("b", second)), NO_TABLE, UNITS)
    assert [(lot.number, lot.quantity) for lot in found.value.lots] == [
        ("L-1", Decimal(2000)),
        ("L-9", Decimal(2)),
        ("SN-1", Decimal(2)),
    ]


@pytest.mark.parametrize("minutes", [(0, 5), (5, 0)])
def test_a_sum_is_as_old_as_its_oldest_part(minutes: tuple[int, int]) -> None:
    levels = [replace(level("1"), as_of=NOON - timedelta(minutes=minute)) for minute in minutes]
    parts = [part(name, one, minutes=since) for name, one, since in zip("ab", levels, minutes, strict=True)]
    stock = merge_stock(parts, NO_TABLE, UNITS)
    assert stock.value.as_of == stock.as_of == NOON - timedelta(minutes=5)
    hits = [part(name, (levels[0].product,), minutes=since) for name, since in zip("ab", minutes, strict=True)]
    assert merge_products(hits, NO_TABLE, limit=9).as_of == NOON - timedelta(minutes=5)
    pages = [
        part(name, Slice(items=(order(f"SO-{name}", 1),), total=1), minutes=since)
        for name, since in zip("ab", minutes, strict=True)
    ]
    assert merge_lists(pages, ListQuery(), SALES_ORDERS).as_of == NOON - timedelta(minutes=5)


def test_an_unknown_unit_is_not_added_but_shown_and_noted() -> None:
    found = merge_stock((part("a", level("500")), part("b", level("3", unit="卷"))), NO_TABLE, UNITS)
    assert found.value.total.on_hand == Decimal(500)
    other = found.parts[1]
    assert not other.counted
    assert other.value is not None
    assert (other.value.total.on_hand, other.value.product.unit) == (Decimal(3), "卷")
    assert [str(note) for note in found.notes] == ["b counts in 卷: not added."]


def test_a_figure_that_one_source_does_not_say_is_unknown_in_the_sum() -> None:
    found = merge_stock((part("a", level("500")), part("b", level(None))), NO_TABLE, UNITS)
    assert found.value.total.on_hand is None
    assert found.value.total.incoming is None


def test_a_dead_source_costs_only_its_own_line() -> None:
    found = merge_stock(
        (part("a", level("5")), part("b", level("7")), part("c", level("9"), minutes=90, error=DOWN)), NO_TABLE, UNITS
    )
    assert found.value.total.on_hand == Decimal(12)
    assert (found.source, found.stale) == ("a + b", False)
    assert [str(failure) for failure in found.failures] == ["c: The ERP does not answer at the moment."]
    dead = found.parts[2]
    assert (dead.fresh, dead.counted, dead.as_of) == (False, False, NOON - timedelta(minutes=90))
    assert dead.value == level("9")


def test_when_nobody_answers_the_last_known_figures_stand_in() -> None:
    found = merge_stock((part("a", level("5"), error=DOWN), part("b", None, error=DOWN)), NO_TABLE, UNITS)
    assert found.value.total.on_hand == Decimal(5)
    assert found.stale


def test_the_code_is_ours_and_companies_are_named_only_if_they_are_one() -> None:
    table = ProductCodes({"SKU123": {"b": "TMK-1"}})
    same = (part("b", level("1", sku="tmk-1", company="X")), part("a", level("1", company="X")))
    found = merge_stock(same, table, UNITS)
    assert (found.value.product.sku, found.value.company) == ("SKU123", "X")
    other = merge_stock((same[0], part("a", level("1", company="Y"))), table, UNITS)
    assert other.value.company == ""


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=6))
def test_sums_are_exact(figures: list[int]) -> None:
    cents = [Decimal(figure) / 100 for figure in figures]
    assert add(Quantities(on_hand=figure) for figure in cents).on_hand == Decimal(sum(figures)) / 100


def test_nothing_added_is_nothing_known() -> None:
    assert add(()) == Quantities(on_hand=None)


def test_hits_of_several_sources_come_best_first_and_once() -> None:
    table = ProductCodes({"SKU9": {"b": "B-9"}})
    a = tuple(Product(sku=sku, name="x", unit="个", barcode=bar) for sku, bar in (("SKU1", "690"), ("SKU9", "")))
    b = tuple(
        Product(sku=sku, name="x", unit="个", barcode=bar) for sku, bar in (("B-9", ""), ("OTHER", "690"), ("B-7", ""))
    )
    found = merge_products((part("a", a), part("b", b)), table, limit=10)
    assert [product.sku for product in found.value] == ["SKU1", "SKU9", "B-7"]
    assert found.source == "a + b"
    assert len(merge_products((part("a", a), part("b", b)), table, limit=2).value) == 2


def test_pages_of_merged_lists_neither_overlap_nor_miss_anything() -> None:
    a = [order(f"SO-{i:02}", i) for i in range(0, 30, 2)]
    b = [order(f"SO-{i:02}", i) for i in range(1, 30, 2)]
    seen: list[str] = []
    for offset in range(0, 30, 7):
        wide = offset + 7
        parts = tuple(
            part(name, Slice(items=tuple(documents[:wide]), total=len(documents)))
            for name, documents in (("a", a), ("b", b))
        )
        page = merge_lists(parts, ListQuery(offset=offset, limit=7), SALES_ORDERS).value
        assert page.total == 30
        seen += [document.number for document in page.items]
    assert seen == [f"SO-{i:02}" for i in range(30)]


def test_late_ones_are_merged_most_days_first() -> None:
    parts = (
        part("a", Slice(items=(order("SO-1", 1, late=9), order("SO-3", 1, late=2)), total=2)),
        part("b", Slice(items=(order("SO-2", 1, late=5), order("SO-0", 1, late=2)), total=2)),
    )
    page = merge_lists(parts, ListQuery(filter=Filter.LATE), SALES_ORDERS).value
    assert [document.number for document in page.items] == ["SO-1", "SO-2", "SO-0", "SO-3"]


@pytest.mark.parametrize("offset", [0, 1])
def test_a_list_of_one_source_keeps_its_order_and_a_stale_one_gives_way(offset: int) -> None:
    rows = (order("SO-2", 9), order("SO-1", 1))
    parts = (
        part("a", Slice(items=rows, total=2)),
        part("b", Slice(items=(), total=0)),
        part("c", Slice(items=rows, total=2), error=DOWN),
    )
    found = merge_lists(parts, ListQuery(offset=offset, limit=2), SALES_ORDERS)
    assert found.value == Slice(items=rows[offset:], total=2)
    assert (found.source, found.stale) == ("a", False)
    assert len(found.failures) == 1


def test_amounts_of_different_currencies_stay_what_they_are() -> None:
    def bill(number: str, currency: str) -> Invoice:
        money = Money(Decimal(100), currency)
        return bare(Invoice, number, issued_on=TODAY, due_on=TODAY, total=money, open_amount=money)

    parts = tuple(
        part(source, Slice(items=(bill(f"INV-{source}", currency),), total=1))
        for source, currency in (("a", "CNY"), ("b", "EUR"))
    )
    page = merge_lists(parts, ListQuery(), INVOICES).value
    assert [item.total for item in page.items] == [Money(Decimal(100), "CNY"), Money(Decimal(100), "EUR")]


def test_when_nobody_answers_now_all_that_was_said_last_is_the_answer() -> None:
    stale = [part(name, (level("1", sku=name).product,), minutes=5, error=DOWN) for name in "ab"]
    found = merge_products([*stale, part("c", None, error=DOWN)], NO_TABLE, limit=9)
    assert [product.sku for product in found.value] == ["a", "b"]
    assert (found.source, found.stale, len(found.failures)) == ("a + b", True, 3)


def test_empty_answers_of_now_count_before_empty_ones_of_once() -> None:
    found = merge_products([part("a", (), error=DOWN), part("b", ()), part("c", None, error=DOWN)], NO_TABLE, limit=9)
    assert (found.value, found.source, found.stale) == ((), "b", False)
    old = merge_products([part("a", (), error=DOWN), part("b", None, error=DOWN)], NO_TABLE, limit=9)
    assert (old.value, old.source, old.stale) == ((), "a", True)


def test_something_of_once_counts_before_nothing_of_now() -> None:
    rows = (order("SO-1", 1),)
    parts = (part("a", Slice(items=(), total=0)), part("b", Slice(items=rows, total=1), error=DOWN))
    found = merge_lists(parts, ListQuery(), SALES_ORDERS)
    assert (found.value, found.source, found.stale) == (Slice(items=rows, total=1), "b", True)


def test_a_page_behind_the_end_is_still_counted() -> None:
    parts = (part("a", Slice(items=(), total=3)), part("b", Slice(items=(), total=0)))
    found = merge_lists(parts, ListQuery(offset=20, limit=20), SALES_ORDERS)
    assert (found.value, found.source) == (Slice(items=(), total=3), "a")


def test_notes_of_those_that_made_the_answer_go_along() -> None:
    note, other = phrase("one is missing"), phrase("two are missing")
    a = replace(part("a", (level("1").product,)), notes=(note,))
    b = replace(part("b", (level("1", sku="B").product,)), notes=(other,))
    silent = replace(part("c", ()), notes=(phrase("nobody sees this"),))
    assert merge_products([a, b, silent], NO_TABLE, limit=9).notes == (note, other)
    stock = replace(part("a", level("1")), notes=(note,))
    roll = replace(part("b", level("3", unit="卷")), notes=(other,))
    assert [str(line) for line in merge_stock([stock, roll], NO_TABLE, UNITS).notes] == [
        "one is missing",
        "two are missing",
        "b counts in 卷: not added.",
    ]


def test_a_product_is_the_same_by_code_or_barcode_and_what_is_the_same_as_that() -> None:
    def product(sku: str, barcode: str = "") -> Product:
        return Product(sku=sku, name="x", unit="个", barcode=barcode)

    a = (product("SKU1", "690"), product("SKU2"), product("SKU3"))
    b = (product("sku1", "691"), product("X", "691"), product("Y"))
    found = merge_products([part("a", a), part("b", b)], NO_TABLE, limit=9)
    assert found.value == (a[0], a[1], a[2], b[2])
    assert found.value[0] is a[0], "what has our code already is not copied"


def test_a_product_without_another_code_has_the_same_at_all_sources() -> None:
    table = ProductCodes({"SKU1": {"b": "X-1"}})
    assert [table.to_source("sku1", source) for source in ("a", "b")] == ["sku1", "X-1"]
    assert table.to_source("SKU9", "b") == "SKU9"


def test_places_are_scaled_with_everything_that_they_tell() -> None:
    figures = Quantities(on_hand=Decimal(1), available=Decimal(2), forecast=Decimal(3), incoming=None)
    thousands = replace(
        level("1", unit="千个"),
        total=figures,
        per_warehouse=(WarehouseStock(code="SZ", name="深圳仓", quantities=figures),),
    )
    found = merge_stock([part("a", thousands), part("b", level("1")), part("c", level("1"))], NO_TABLE, UNITS)
    assert found.value.product.unit == "千个"
    asked = merge_stock([part("a", level("1")), part("b", thousands)], NO_TABLE, UNITS)
    scaled = Quantities(on_hand=Decimal(1000), available=Decimal(2000), forecast=Decimal(3000), incoming=None)
    assert asked.value.per_warehouse[1] == WarehouseStock(code="SZ", name="深圳仓", quantities=scaled)
    other = asked.parts[1].value
    assert other is not None
    assert (other.total, other.reorder_point, other.product) == (scaled, None, level("1").product)


def test_without_a_part_of_now_the_company_and_the_code_are_of_the_first_that_counts() -> None:
    table = ProductCodes({"SKU123": {"b": "B-1"}})
    parts = [
        part("a", level("1", unit="卷", company="X"), error=DOWN),
        part("b", level("2", sku="b-1", company="Y"), minutes=9, error=DOWN),
        part("c", level("3", company="Y"), minutes=3, error=DOWN),
    ]
    found = merge_stock(parts, table, UNITS)
    assert (found.value.product.sku, found.value.company, found.value.total.on_hand) == ("SKU123", "Y", Decimal(5))
    assert (found.source, found.stale, found.as_of) == ("b + c", True, NOON - timedelta(minutes=9))
    assert [answer.counted for answer in found.parts] == [False, True, True]


def test_a_list_is_cut_and_counted_over_all_sources() -> None:
    a, b = [order(f"SO-{number}", number) for number in (0, 2)], [order(f"SO-{number}", number) for number in (1, 3)]
    parts = (part("a", Slice(items=tuple(a), total=10)), part("b", Slice(items=tuple(b), total=5)))
    page = merge_lists(parts, ListQuery(offset=1, limit=2), SALES_ORDERS).value
    assert ([document.number for document in page.items], page.total) == (["SO-1", "SO-2"], 15)
    first = merge_lists(parts[:1], ListQuery(limit=1), SALES_ORDERS).value
    assert first is parts[0].value, "a single source's page is taken as it is"
    later = merge_lists(parts[:1], ListQuery(offset=1, limit=1), SALES_ORDERS).value
    assert later == Slice(items=(a[1],), total=10)


def test_the_same_quantity_in_a_unit_of_another_name_is_told_in_the_common_one() -> None:
    pieces = Units({"pcs": "1 个"})
    found = merge_stock([part("a", level("5")), part("b", level("7", unit="PCS"))], NO_TABLE, pieces)
    assert (found.value.product.unit, found.value.total.on_hand) == ("个", Decimal(12))
    assert found.parts[1].value == level("7")


def test_who_said_nothing_does_not_count() -> None:
    found = merge_stock([part("a", level("5")), part("b", None, error=DOWN)], NO_TABLE, UNITS)
    assert [answer.counted for answer in found.parts] == [True, False]
