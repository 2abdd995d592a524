"""The number in what is quoted, told from counts, days and amounts."""

from __future__ import annotations

from bot.chat.questions.quoting import line_about, numbers_in, takes_number
from tests.rows import each_row


@each_row(
    ("words", "numbers"),
    [
        ("销售订单 SO-1001", ("SO-1001",)),
        ("采购单待审批 · PO-1001", ("PO-1001",)),
        ("您的采购单 PO-1001：已拒绝", ("PO-1001",)),
        ("PO-1001 转交给谁审批？", ("PO-1001",)),
        ("🟠 库存不足 · SKU123 M6 螺丝 ＊镀锌＊", ("SKU123", "M6")),
        ("SO-1001 的发货", ("SO-1001",)),
        ("Invoice SINV-2026/0007: overdue", ("SINV-2026/0007",)),
        ("采购单 P00012", ("P00012",)),
        ("Sales order 100234", ("100234",)),
        ("ＳＯ－１００１", ("SO-1001",)),
        ("延期订单 (23)", ()),
        ("11 条未结束的预警", ()),
        ("已记录 1/2 张", ()),
        ("本月钉钉额度已用 71%", ()),
        ("在 2026-11-05 10:30 之前", ()),
        ("¥18,600.00", ()),
        ("共 3.5 件", ()),
        ("没有权限", ()),
        ("", ()),
    ],
)
def test_numbers_are_told_from_counts_days_and_amounts(words: str, numbers: tuple[str, ...]) -> None:
    assert numbers_in(words) == numbers


def test_the_line_keeps_what_was_said_beside() -> None:
    assert line_about("reject", "PO-1001", "价格过高") == "/reject PO-1001 价格过高"
    assert line_about("stock", "SKU123", "") == "/stock SKU123"


def test_commands_about_one_thing_show_it_in_their_examples() -> None:
    assert takes_number(("/stock 螺丝", "/stock SKU123"))
    assert not takes_number(("/help", "/lang en"))
