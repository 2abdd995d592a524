"""Why something is not done, what an order lacks, what can be promised, and two of a kind side by side."""

from __future__ import annotations

import pytest

from bot.understanding.grammar import Grammar
from tests.rows import each_row

WHY = (
    ("SO-1001为什么还没发", "/why SO-1001"),
    ("SO-1001怎么还没发货，为什么", "/why SO-1001"),
    ("why is SO-1001 not shipped yet", "/why SO-1001"),
    ("MO-1为什么还没完工", "/why MO-1"),
    ("why is MO-1 late", "/why MO-1"),
    ("why is MO-4 so slow", "/why MO-4"),
    ("MO-5为什么还没做完", "/why MO-5"),
    ("BILL-33为什么没付", "/why BILL-33"),
    ("why has BILL-33 not been paid", "/why BILL-33"),
    ("PO-1001为什么没批", "/why PO-1001"),
)
MISSING = (
    ("MO-1缺什么料", "/missing MO-1"),
    ("MO-1缺料吗", "/missing MO-1"),
    ("MO-2料齐了吗", "/missing MO-2"),
    ("SO-1006缺什么货", "/missing SO-1006"),
    ("MO-1齐套了吗", "/missing MO-1"),
    ("what is missing for SO-1001", "/missing SO-1001"),
    ("which parts are missing for MO-1", "/missing MO-1"),
)
PROMISE = (
    ("能不能答应客户500个FAN-20周五交货", "/promise FAN-20 ×500个 周五"),
    ("FAN-20能答应500台吗", "/promise FAN-20 ×500台"),
    ("SKU123 500个周五能交吗", "/promise SKU123 ×500个 周五"),
    ("can we promise 500 FAN-20 by Friday", "/promise FAN-20 ×500 by friday"),
    ("can i promise the customer 30 pcs of FAN-20", "/promise FAN-20 ×30pcs"),
)
COMPARE = (
    ("对比FAN-20和FAN-21", "/compare FAN-20 vs FAN-21"),
    ("FAN-20和FAN-21哪个卖得多", "/compare FAN-20 vs FAN-21"),
    ("上海仓和深圳仓对比一下", "/compare @上海仓 @深圳仓"),
    ("compare FAN-20 and FAN-21", "/compare FAN-20 vs FAN-21"),
    ("宏达和申力谁欠得多", "/compare 宏达 vs 申力"),
    ("申力和徽商谁下单多", "/compare 申力 vs 徽商"),
    ("宏达和申力哪个订单多", "/compare 宏达 vs 申力"),
    ("深圳仓和上海仓哪个货多", "/compare @深圳仓 @上海仓"),
)


@each_row("said", [*WHY, *MISSING, *PROMISE, *COMPARE])
def test_it_is_read_at_once(said: tuple[str, str], grammar: Grammar) -> None:
    sentence, line = said
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.line.casefold(), reading.unsure) == (line.casefold(), False), reading


@pytest.mark.parametrize("sentence", ["宝钢和宁波电机哪家准时", "FAN-20和FAN-21哪个便宜"])
def test_what_no_figure_tells_is_still_said(sentence: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.unsupported is not None
