"""Who created documents, in sentences: their lines keep it, and follow-ups change it or take it off."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.chat.questions.dialogues import LastQuestion
from bot.understanding.following.last_question import follow
from bot.understanding.grammar import Grammar
from tests.rows import each_row


@each_row(
    ("sentence", "line"),
    [
        ("李娜开的订单", "/order by:李娜"),
        ("李娜上周开的采购单", "/po 上周 by:李娜"),
        ("制单人是李娜的发票", "/invoice by:李娜"),
        ("李娜制单的采购单", "/po by:李娜"),
        ("李娜录入的收货单", "/receipt by:李娜"),
        ("李娜开的宏达的订单", "/order 宏达 by:李娜"),
        ("李娜开的逾期发票", "/invoice overdue by:李娜"),
        ("李娜开的十万以上的订单", "/order >=100000 by:李娜"),
        ("王小明开的订单", "/order by:王小明"),
        ("我开的采购单", "/po by:me"),
        ("我上个月开的发票", "/invoice 上个月 by:me"),
        ("谁开的单", "/order by:who"),
        ("谁开的采购单", "/po by:who"),
        ("SO-1001是谁开的", "/order SO-1001"),
        ("orders created by Li Na", "/order by:李娜"),
        ("late orders created by Li Na", "/order late by:李娜"),
        ("orders created by li na last month", "/order last month by:李娜"),
        ("purchase orders I created", "/po by:me"),
        ("invoices created by me", "/invoice by:me"),
        ("who created these orders", "/order by:who"),
        ("宏达开的发票", "/invoice 宏达"),
        ("给我开的发票", "/invoice"),
    ],
)
def test_the_line_holds_who_created_it(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.line, reading.unsure) == (line, False)


@each_row(
    ("before", "sentence", "line"),
    [
        ("/order by:李娜", "孙悦开的呢", "/order by:孙悦"),
        ("/order late >1000", "那李娜开的呢", "/order late >1000 by:李娜"),
        ("/order by:李娜", "上个月的呢", "/order by:李娜 上个月"),
        ("/order by:李娜", "延期的", "/order late by:李娜"),
        ("/order by:李娜 >1000", "五万以上的", "/order by:李娜 >=50000"),
        ("/order late by:李娜", "不管谁开的", "/order late"),
        ("/order SO-1001", "谁开的单", "/order SO-1001"),
    ],
)
def test_a_follow_up_changes_it_or_takes_it_off(before: str, sentence: str, line: str, grammar: Grammar) -> None:
    last = LastQuestion(line=before, at=datetime(2026, 3, 2, tzinfo=UTC))
    reading = follow(grammar, sentence, last)
    assert reading is not None
    assert reading.line == line
