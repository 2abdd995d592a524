"""What is said around a question, deeds that begin a sentence, negations that are none, and letters of goods."""

from __future__ import annotations

from bot.understanding.grammar import Grammar
from bot.understanding.scanning.finding import without_address
from tests.rows import each_row


@each_row(
    ("said", "asked"),
    [
        ("那个谁你帮我看一下上个月卖了多少", "上个月卖了多少"),
        ("喂昨天的生意怎么样啊给我说说", "昨天的生意怎么样啊"),
        ("你给我查一下到底是哪几家欠钱", "哪几家欠钱"),
        ("师傅帮我看下SKU123还有多少产线在催了", "SKU123还有多少"),
        ("SO-1008发了没有客户在催我", "SO-1008发了没有"),
        ("不够的话什么时候来", "什么时候来"),
        ("那个谁的发票", "那个谁的发票"),
        ("老板电器的订单", "老板电器的订单"),
        ("客户在催", "客户在催"),
        ("谢谢", "谢谢"),
        ("在吗", "在吗"),
    ],
)
def test_what_is_said_around_a_question_is_left_out(said: str, asked: str) -> None:
    assert without_address(said) == asked


@each_row(
    "sentence",
    [
        "reject PO-1002 it's too costly",
        "reject PO-1002 because of the price",
        "approve PO-1002 please",
        "approve PO-1002 and tell the vendor",
    ],
)
def test_a_sentence_that_begins_with_a_deed_shows_the_document(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.line == "/po PO-1002"


@each_row(
    ("line", "whole"),
    [
        ("approve PO-1002", "/approve PO-1002"),
        ("/reject PO-1002 it's too costly", "/reject PO-1002 it's too costly"),
        ("驳回 PO-1002 太贵了", "/reject PO-1002 太贵了"),
        ("subscribe order open 18:00", "/subscribe order open 18:00"),
        ("unwatch all", "/unwatch all"),
    ],
)
def test_a_deed_that_is_typed_stays_one(line: str, whole: str, grammar: Grammar) -> None:
    reading = grammar.read(line)
    assert reading is not None
    assert reading.line == whole


@each_row(
    ("sentence", "line"),
    [
        ("佛山美居的应收是不是超期了", "/invoice overdue 佛山市顺德区美居电器有限公司"),
        ("航天精工的订单是不是晚了", "/order late 航天精工"),
        ("xd还剩多少", "/stock xd"),
        ("hd还有多少没付", "/invoice open 杭州宏达机电设备有限公司"),
        ("can we cover 2k of SKU123", "/stock SKU123 ×2000"),
        ("do we have 1.5 lakh pcs of SKU123", "/stock SKU123 ×150000pcs"),
        ("RM11下周有到货吗", "/arrivals RM-11 下周"),
        ("FAN-21的工单有没有拖", "/mo late FAN-21"),
    ],
)
def test_nothing_of_a_question_is_dropped(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.line == line
