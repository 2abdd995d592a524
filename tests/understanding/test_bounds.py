"""What no list can hold back is not left out without a word: the line is offered, and not answered at once."""

from __future__ import annotations

import pytest

from bot.understanding.grammar import Grammar


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        ("金额超过10万的订单", "/order"),
        ("逾期30天以上的发票", "/invoice overdue"),
        ("逾期超过30天的", "/invoice overdue"),
        ("低于五千块的采购单", "/po"),
        ("invoices over 10000", "/invoice"),
        ("SKU123上个月卖了多少", "/stock SKU123"),
        ("SKU123的销量", "/stock SKU123"),
        ("SKU123 sales last month", "/stock SKU123"),
    ],
)
def test_a_bound_or_a_turnover_of_a_product_is_a_choice(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.unsure
    assert line in (reading.line, *reading.alternatives)


@pytest.mark.parametrize("sentence", ["上海仓的SKU123够不够500", "最近3天的订单", "订单", "3天内到期的发票"])
def test_what_a_line_holds_is_answered(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert not reading.unsure


@pytest.mark.parametrize("sentence", ["本月退货", "本月毛利多少"])
def test_what_the_bot_does_not_know_is_not_answered_by_something_else(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.unsure
    assert reading.gap is not None
