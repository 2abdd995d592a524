"""How much somebody needs: as it is typed, as it is spoken, and in the product's unit."""

from __future__ import annotations

from decimal import Decimal

from bot.chat.records.demand import Demand, read_amount, typed_demand
from tests.rows import each_row


@each_row(
    ("text", "amount"),
    [
        ("500", "500"),
        ("1,200", "1200"),
        ("2k", "2000"),
        ("1.5 lakh", "150000"),
        ("3 thousand", "3000"),
        ("12.5", "12.5"),
        ("三百", "300"),
        ("十", "10"),
        ("十二", "12"),
        ("二十", "20"),
        ("一百零五", "105"),
        ("一百五", "150"),
        ("一百五十", "150"),
        ("两千五", "2500"),
        ("一千零十二", "1012"),
        ("一百十二", "112"),
        ("三千零二十", "3020"),
        ("一万", "10000"),
        ("一万二", "12000"),
        ("十二万三千", "123000"),
        ("1.5万", "15000"),
        ("3千", "3000"),
        ("半", "0.5"),
        ("五", "5"),
    ],
)
def test_numbers_as_people_say_them(text: str, amount: str) -> None:
    assert read_amount(text) == Decimal(amount)


@each_row("text", ["", "几", "零", "0", "万", "千", "五三", "百千", "三万万", "五百3", "3五", "1,20"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert read_amount(text) is None


@each_row(
    ("words", "taken", "left"),
    [
        (["SKU1", "×500"], "500", ["SKU1"]),
        (["*500个", "SKU1"], "500个", ["SKU1"]),
        (["X999", "x5"], None, ["X999", "x5"]),
        (["SKU1", "*2.50kg"], "2.5kg", ["SKU1"]),
        (["M5×10", "螺丝"], None, ["M5×10", "螺丝"]),
        (["SKU1", "×0"], None, ["SKU1", "×0"]),
        (["×5y-1"], None, ["×5y-1"]),
    ],
)
def test_a_quantity_is_taken_out_of_a_line(words: list[str], taken: str | None, left: list[str]) -> None:
    assert Demand.take_marked(words) == taken
    assert words == left


@each_row(
    ("needed", "unit", "amount"),
    [
        ("500", "千个", "500"),
        ("500个", "个", "500"),
        ("500个", "把", "500"),
        ("500pcs", "件", "500"),
        ("500个", "千个", "0.5"),
        ("2千个", "个", "2000"),
        ("3公斤", "千克", "3"),
        ("3KG", "kg", "3"),
        ("5箱", "箱", "5"),
        ("5箱", "个", None),
        ("500个", "千克", None),
        ("5对", "个", None),
    ],
)
def test_in_the_unit_of_the_product(needed: str, unit: str, amount: str | None) -> None:
    """What is not surely the same is not compared: a wrong figure is worse than none."""
    assert Demand(needed).counted_in(unit) == (None if amount is None else Decimal(amount))


def test_it_is_typed_as_it_is_read() -> None:
    typed = typed_demand(Decimal(12000), "个")
    assert typed == "×12000个"
    assert Demand.take_marked([typed]) == "12000个"
