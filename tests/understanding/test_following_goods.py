"""What goes on from goods, a warehouse or a list keeps what the line before names, and asks where two may be meant."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.chat.questions.dialogues import LastQuestion
from bot.understanding.following.last_question import follow
from bot.understanding.grammar import Grammar
from tests.rows import each_row

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@each_row(
    ("last", "sentence", "line"),
    [
        ("/stock 落地电风扇 ×100台", "上海的够不够", "/stock 落地电风扇 @上海仓 ×100台"),
        ("/stock SKU123", "深圳仓有吗", "/stock SKU123 @深圳仓"),
        ("/stock @深圳仓", "缺啥", "/shortage @深圳仓"),
        ("/shortage @成都仓", "库存", "/stock @成都仓"),
        ("/stock RM-52", "下周到多少", "/arrivals RM-52 下周"),
        ("/arrivals SKU123 next week", "what do we have now", "/stock SKU123"),
        ("/chart stock SKU124 上个月", "现在还剩多少", "/stock SKU124"),
        ("/chart sales 上个月", "谁买得最多", "/customer best 上个月"),
        ("/report 本月", "卖得最好的是什么", "/product best 本月"),
        ("/bill overdue 宝钢", "所有供应商的", "/bill overdue"),
        ("/invoice 宏达 本月", "所有客户的呢", "/invoice 本月"),
        ('/price FAN-21 "Pacific Fasteners"', "FAN-22 same customer", '/price FAN-22 "Pacific Fasteners"'),
        ("/price SKU123 宏达", "SKU124同一个客户", "/price SKU124 宏达"),
        ("/invoice SO-1003", "kindly share tracking", "/delivery SO-1003"),
        ("/order late 恒兴", "货在哪", "/delivery 恒兴"),
        ("/customer 宏达", "算了看申力", "/customer 申力"),
    ],
)
def test_what_the_line_before_names_is_kept(last: str, sentence: str, line: str, grammar: Grammar) -> None:
    reading = follow(grammar, sentence, LastQuestion(line=last, at=NOW))
    assert reading is not None
    assert (reading.line, reading.unsure) == (line, False)


@each_row(("sentence", "command"), [("什么时候到货", "arrivals"), ("什么规格", "product"), ("用哪些料", "product")])
def test_of_two_products_each_is_offered(sentence: str, command: str, grammar: Grammar) -> None:
    reading = follow(grammar, sentence, LastQuestion(line="/stock SKU128 SKU129 @深圳仓", at=NOW))
    assert reading is not None
    assert reading.unsure
    assert (reading.line, *reading.alternatives) == (f"/{command} SKU128", f"/{command} SKU129")


@each_row(
    ("last", "sentence"),
    [
        ("/stock SKU123", "明天到什么货"),
        ("/stock SKU123", "上海仓有什么"),
        ("/stock @深圳仓", "SKU124缺吗"),
        ("/customer 申力", "再看看SKU123"),
        ("/customer owing", "谁买得最多"),
        ("/report", "谁买得最多"),
    ],
)
def test_what_asks_about_something_else_stands_for_itself(last: str, sentence: str, grammar: Grammar) -> None:
    reading = follow(grammar, sentence, LastQuestion(line=last, at=NOW))
    alone = grammar.read(sentence)
    assert alone is not None
    assert reading is None or reading.line == alone.line


def test_a_limit_in_characters_is_watched_of_the_product_before(grammar: Grammar) -> None:
    reading = follow(grammar, "低于五百告诉我", LastQuestion(line="/stock RM-52", at=NOW))
    assert reading is not None
    assert reading.change == "/watch RM-52 < 500"
