"""Which command a line means: a table of what people write."""

from __future__ import annotations

import time

from hypothesis import given

from bot.chat.parsing import LineParser
from bot.chat.registry import Commands
from tests.chat.test_line import typed
from tests.rows import each_row

COMMANDS = Commands.discover()


@each_row(
    ("line", "command", "rest"),
    [
        ("/stock SKU123", "stock", "SKU123"),
        ("/STOCK sku123", "stock", "sku123"),
        ("／ｓｔｏｃｋ　ＳＫＵ１２３", "stock", "SKU123"),
        ("/ stock SKU123", "stock", "SKU123"),
        ("//stock SKU123", "stock", "SKU123"),
        ("、库存 SKU123", "stock", "SKU123"),
        ("\\stock SKU123", "stock", "SKU123"),
        ("stock SKU123", "stock", "SKU123"),
        ("stock: SKU123", "stock", "SKU123"),
        ("库存 SKU123", "stock", "SKU123"),
        ("库存SKU123", "stock", "SKU123"),
        ("/库存SKU123", "stock", "SKU123"),
        ("库存：SKU123", "stock", "SKU123"),
        ("库存查询 SKU123", "stock", "SKU123"),
        ("kc SKU123", "stock", "SKU123"),
        ("KC SKU123。", "stock", "SKU123"),
        ("查库存 SKU123", "stock", "SKU123"),
        ("查一下 SKU123 的库存", "stock", "SKU123"),
        ("请帮我查一下SKU123库存", "stock", "SKU123"),
        ("SKU123 库存", "stock", "SKU123"),
        ("SKU123库存多少？", "stock", "SKU123"),
        ("SKU123 还有多少库存", "stock", "SKU123"),
        ("SKU123 stock", "stock", "SKU123"),
        ("please check stock SKU123", "stock", "SKU123"),
        ("@李四 /stock SKU123", "stock", "SKU123"),
        ("@李四 @王五 库存 SKU123", "stock", "SKU123"),
        ("/stock SKU123 @李四", "stock", "SKU123 @李四"),
        ("麻烦看一下 /stock SKU123", "stock", "SKU123"),
        ("/stock", "stock", ""),
        ("库存", "stock", ""),
        ("/order late", "order", "late"),
        ("订单SO-1001", "order", "SO-1001"),
        ("销售订单 SO-1001", "order", "SO-1001"),
        ("SO-1001 订单状态", "order", "SO-1001"),
        ("show late orders", "order", "late"),
        ("有哪些延期的订单？", "order", "延期"),
        ("哪些订单延期了", "order", "延期"),
        ("采购订单 PO-1", "po", "PO-1"),
        ("采购单PO-1", "po", "PO-1"),
        ("PO-1001的采购订单", "po", "PO-1001"),
        ("po PO-1001", "po", "PO-1001"),
        ("生产订单 MO-1", "mo", "MO-1"),
        ("工单MO-1", "mo", "MO-1"),
        ("逾期发票", "invoice", "逾期"),
        ("我是谁？", "whoami", ""),
        ("?", "help", ""),
        ("/？", "help", ""),
        ("你好，请问库存SKU123", "stock", "SKU123"),
        ("hello, show stock SKU123 please", "stock", "SKU123"),
    ],
)
def test_a_line_means_a_command(line: str, command: str, rest: str) -> None:
    reading = COMMANDS.parse(line)
    assert (reading.command, reading.rest) == (command, rest)


@each_row(
    ("line", "rest", "word"),
    [
        ("SKU123", "SKU123", "SKU123"),
        ("查 SKU123", "SKU123", "SKU123"),
        ("so-1001。", "so-1001", "so-1001"),
        ("/stcok SKU123", "SKU123", "stcok"),
        ("stcok SKU123", "stcok SKU123", "stcok"),
        ("stockSKU123", "stockSKU123", "stockSKU123"),
        ("orderly", "orderly", "orderly"),
        ("看板", "看板", "看板"),
        ("看 板", "板", "板"),
        ("查一下螺丝", "螺丝", "螺丝"),
        ("查", "", ""),
        ("您好！", "", ""),
        ("Hi", "", ""),
        ("highlighter", "highlighter", "highlighter"),
        ("İstock", "İstock", "İstock"),
        ("", "", ""),
        ("/", "", ""),
        ("@李四", "@李四", "@李四"),
    ],
)
def test_a_line_without_a_command_keeps_its_text(line: str, rest: str, word: str) -> None:
    reading = COMMANDS.parse(line)
    assert (reading.command, reading.rest, reading.word) == (None, rest, word)


@each_row(
    ("line", "rest", "offset"),
    [
        ("/order late +8", "late", 8),
        ("/order +16", "", 16),
        ("/order late ＋8", "late", 8),
        ("/order C++", "C++", 0),
        ("/order late +x", "late +x", 0),
        ("/order +9999999", "+9999999", 0),
    ],
)
def test_a_page_can_be_typed(line: str, rest: str, offset: int) -> None:
    reading = COMMANDS.parse(line)
    assert (reading.command, reading.rest, reading.offset) == ("order", rest, offset)


@given(typed)
def test_any_line_can_be_read_and_what_follows_the_command_is_normal(line: str) -> None:
    reading = COMMANDS.parse(line)
    assert reading.command is None or reading.command in COMMANDS
    assert reading.rest == reading.rest.strip()
    reading.rest.encode()


@each_row("end", ["", "x"])
@each_row("part", ["查", "看 ", "@a ", "多少", "的 ", "了", " /a", "多 ", "“", '"', "库存", "\u200b"])
def test_a_very_long_line_is_read_at_once(part: str, end: str) -> None:
    def cost(count: int) -> float:
        """Return what reading it takes of the processor, the least of three."""
        costs = []
        for _ in range(3):
            began = time.thread_time()
            COMMANDS.parse(part * count + end)
            costs.append(time.thread_time() - began)
        return min(costs)

    # Four times as long: it would take sixteen times as long if every letter were read again for every other.
    assert cost(20_000) < 9 * cost(5_000) + 0.02


def test_without_commands_nothing_is_found() -> None:
    assert LineParser({}).parse("/stock SKU123").command is None
    assert LineParser({}).parse("库存").command is None


@each_row(
    "line, name",
    [("/today", "today"), ("/今天", "today"), ("today", None), ("orders today", "order"), ("今天", None)],
)
def test_names_that_are_words_of_other_lines_count_after_a_slash_alone(line: str, name: str | None) -> None:
    assert COMMANDS.parse(line).command == name


def test_a_line_inside_another_needs_no_slash() -> None:
    assert COMMANDS.line_of("today") == "/today"
    assert COMMANDS.line_of("延期订单") == "/order 延期"
