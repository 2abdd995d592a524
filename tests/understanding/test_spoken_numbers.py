"""Numbers as people say them, and numbers whose prefix was said before."""

from __future__ import annotations

import pytest

from bot.understanding.grammar import Grammar
from tests.rows import each_row


@each_row(
    ("sentence", "line"),
    [
        ("一零二三那张销售订单", "/order SO-1023"),
        ("一千零五号订单", "/order SO-1005"),
        ("订单一千零八的货发了没有", "/delivery SO-1008"),
        ("SO一千零二十三什么情况", "/order SO-1023"),
        ("sku一百二十三还有吗", "/stock SKU123"),
        ("一百零五号发票", "/invoice INV-105"),
        ("二零二六年十月的订单", "/order 2026年十月"),
    ],
)
def test_a_number_that_is_spoken(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.line, reading.unsure) == (line, False)


@each_row(
    ("sentence", "line", "others"),
    [
        ("sku123、124、125的库存", "/stock SKU123 SKU124 SKU125", ()),
        ("SKU123/124库存", "/stock SKU123 SKU124", ()),
        ("SO-1001和1002发了吗", "/delivery SO-1001", ("/delivery SO-1002",)),
        ("INV-45、46付了没", "/invoice INV-45", ("/invoice INV-46",)),
        ("price of SKU140 and 141", "/price SKU140", ("/price SKU141",)),
        ("SKU123和SKU124什么时候到", "/arrivals SKU123", ("/arrivals SKU124",)),
    ],
)
def test_several_numbers(sentence: str, line: str, others: tuple[str, ...], grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.line, reading.alternatives, reading.unsure) == (line, others, bool(others))


@pytest.mark.parametrize("sentence", ["SKU123和500够吗", "SKU123、500个够不够"])
def test_how_much_is_needed_is_no_number(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.line.startswith("/stock SKU123 ×500")


@each_row(
    ("sentence", "needed"),
    [
        ("SKU123够不够一千零十个", "×1010个"),
        ("客户要一千零五十个SKU123", "×1050个"),
        ("SKU123够发一千零五十吗", "×1050"),
    ],
)
def test_a_needed_quantity_with_a_zero_in_it(sentence: str, needed: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.line == f"/stock SKU123 {needed}"


@pytest.mark.parametrize("sentence", ["三四五个螺丝", "二十五号到账的款有哪些"])
def test_an_amount_or_a_day_is_no_number(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is None or not any(digits in reading.line for digits in ("345", "25"))
