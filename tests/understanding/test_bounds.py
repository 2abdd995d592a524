"""Bounds of amounts stand in the line; what no list can hold is offered, and not answered without it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.chat.amounts import AmountBounds, find_amounts, read_amounts
from bot.chat.questions.dialogues import LastQuestion
from bot.erp.model import Money
from bot.understanding.following.last_question import follow
from bot.understanding.grammar import Grammar
from tests.rows import each_row


@each_row(
    ("sentence", "line"),
    [
        ("逾期30天以上的发票", "/invoice overdue"),
        ("逾期超过30天的", "/invoice overdue"),
        ("本月超过100的订单", "/order 本月"),
        ("单价超过1000的订单", "/order"),
        ("五万左右的订单", "/order"),
        ("5万块的订单", "/order"),
        ("金额5万的收款", "/payment received"),
        ("欠款超过十万的客户", "/invoice open"),
        ("which customers owe more than 50k", "/invoice open"),
        ("谁欠我们超过十万", "/invoice open"),
        ("大于5万又大于3万的订单", "/order"),
        ("有没有十万以上等我批的采购单", "/pending"),
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


@each_row(
    "sentence",
    ["上海仓的SKU123够不够500", "最近3天的订单", "订单", "3天内到期的发票", "11月1号到15号的订单", "SO-1001到哪了"],
)
def test_what_a_line_holds_is_answered(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert not reading.unsure
    assert not {sign for sign in "<>" if sign in reading.line}


@pytest.mark.parametrize("sentence", ["本月退货", "本月毛利多少"])
def test_what_the_bot_does_not_know_is_not_answered_by_something_else(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.unsure
    assert reading.unsupported is not None


@each_row(
    ("said", "typed"),
    [
        ("超过十万", ">100000"),
        ("十万以上", ">=100000"),
        ("五万以内", "<=50000"),
        ("不到五千", "<5000"),
        ("不超过两千五", "<=2500"),
        ("不低于3万5", ">=35000"),
        ("有没有超过十万的", ">100000"),
        ("12万5千以上", ">=125000"),
        ("一百二十万以上", ">=1200000"),
        ("过万", ">10000"),
        ("上百万", ">=1000000"),
        ("5w以上", ">=50000"),
        ("1亿以上", ">=100000000"),
        ("一万到五万", "10000..50000"),
        ("5-10万", "50000..100000"),
        ("在1万和5万之间的", "10000..50000"),
        ("大于一万小于五万", ">10000<50000"),
        ("over 50k", ">50000"),
        ("above 1 lakh", ">100000"),
        ("at least 2.5 lakhs", ">=250000"),
        ("between 10k and 50k", "10000..50000"),
        ("from 10,000 to 50,000", "10000..50000"),
        ("over 10k but under 50k", ">10000<50000"),
        ("fifty thousand or more", ">=50000"),
        ("no more than 20,000", "<=20000"),
        ("more than rs 50,000/-", ">50000INR"),
        ("above rs. 1,00,000", ">100000INR"),
        ("€10k or more", ">=10000EUR"),
        ("一万美金以上", ">=10000USD"),
        ("超过5万人民币", ">50000CNY"),
        ("超过两万块", ">20000"),
        ("> 100000", ">100000"),
        (">=5万", ">=50000"),
        ("10000..50000", "10000..50000"),
        ("balance>50000", "balance>50000"),
        ("余额>50000", "balance>50000"),
        ("未收金额超过5万", "balance>50000"),
    ],
)
def test_how_people_say_amounts(said: str, typed: str) -> None:
    found = tuple(find_amounts(said))
    assert all(each.certain for each in found)
    whole = read_amounts(said) or found[0].range
    assert whole.typed == typed
    assert read_amounts(typed) == whole, "it is typed again"


@each_row(
    "said",
    [
        *(
            "逾期30天以上",
            "超过30天",
            "3天以内",
            "more than 5 orders",
            "超过3个",
            "1001到1005",
            "2025..2026",
            "SO-1001到SO-1005",
        ),
        *(
            "11月1号到15号",
            "2026-11-01..2026-11-05",
            "2026-11",
            "10:30到11:30",
            "M10以上",
            "5号到10号",
            "单价超过1000",
            "over 30",
        ),
        *("路过万达", "除了五万以上的", "10001到10005", "within 2 weeks", "单价超过1000", "over 30"),
    ],
)
def test_what_is_no_amount_is_none(said: str) -> None:
    assert read_amounts(said) is None


def test_each_amount_counts_in_its_own_currency() -> None:
    dollars, yuan = Money(Decimal("100"), "USD"), Money(Decimal("100.01"), "CNY")
    more, from_on = AmountBounds(least=Decimal(100), beyond=True), AmountBounds(least=Decimal(100))
    assert [each.holds(dollars) for each in (more, from_on)] == [False, True]
    assert more.holds(yuan)
    assert not AmountBounds(least=Decimal(1), currency="USD").holds(yuan)
    assert not more.holds(None)


@each_row(
    ("last", "sentence", "line"),
    [
        ("/order SO-1001", "五万以上的", None),
        ("/customer owing", "五万以上的", None),
        ("/invoice overdue", "不管多少都要", None),
        ("/order >=50000", "不管多少都要", "/order"),
    ],
)
def test_a_bound_goes_on_from_a_list_alone(last: str, sentence: str, line: str | None, grammar: Grammar) -> None:
    reading = follow(grammar, sentence, LastQuestion(line=last, at=datetime(2026, 3, 2, tzinfo=UTC)))
    assert (reading and reading.line) == line
