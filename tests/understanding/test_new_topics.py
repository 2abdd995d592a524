"""A sentence that asks something new is answered so, whatever was asked before it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from bot.chat.questions.dialogues import LastQuestion
from bot.chat.registry import Commands
from bot.understanding.reader import GrammarReader
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from tests.rows import each_row

from .test_sentences import SENTENCES

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OF_A_DOCUMENT = frozenset({"收付款记录", "收款记录", "最近的付款记录", "生产进度怎么样", "采购单到货情况", "客户订单"})
"""Of the sentences of the tables, those that go on from a document."""


@pytest.fixture(scope="module")
def reader(commands: Commands, vocabulary: Vocabulary) -> GrammarReader:
    async def learn() -> Vocabulary:
        return vocabulary

    made = GrammarReader(commands, lambda: Sentences.load(commands), learn)
    asyncio.run(made.learn())
    return made


def read_after(before: str, sentence: str, reader: GrammarReader) -> str:
    reading = reader.read(sentence, None, LastQuestion(line=before, rows=(), at=NOW))
    return reading.line if reading and not reading.unsure else ""


@each_row("before", ["/order SO-1003", "/invoice INV-7", "/po PO-1001", "/delivery SO-1002", "/mo MO-1"])
@each_row(
    ("sentence", "line"),
    [
        ("谁还欠着我们的钱", "/invoice open"),
        ("who hasn't paid us yet", "/invoice open"),
        ("没收回来的发票", "/invoice open"),
        ("逾期没付的供应商发票", "/bill overdue"),
        ("还没发完的订单", "/order open"),
        ("一万美金以上的订单", "/order >=10000USD"),
        ("该发没发的有哪些", "/delivery late"),
        ("哪些工单在拖", "/mo late"),
        ("订单里有没有晚交的", "/order late"),
        ("申力有没有延期的", "/order late 申力"),
        ("查一下宏达这个客户", "/customer 宏达"),
        ("has Northwind paid its invoices", "/invoice Northwind"),
        ("which suppliers haven't delivered", "/po late"),
        ("what do I have to approve?", "/pending"),
        ("我盯着哪些东西", "/watches"),
    ],
)
def test_after_a_document(before: str, sentence: str, line: str, reader: GrammarReader) -> None:
    assert read_after(before, sentence, reader) == line


@each_row(
    ("before", "sentence", "line"),
    [
        ("/stock SKU123", "什么卖得最好", "/product best"),
        ("/stock SKU123", "最近有啥要到货", "/arrivals"),
        ("/stock SKU123", "车间现在在做什么", "/mo open"),
        ("/stock SKU123", "延误的生产工单", "/mo late"),
        ("/stock SKU123", "which orders missed their date", "/order late"),
        ("/stock SKU123", "C012这个客户什么情况", "/customer C012"),
        ("/stock SKU123", "ht-108给航天精工怎么报的", "/price HT-108 航天精工"),
        ("/stock SKU123", "成都仓有没有要补货的", "/shortage @成都仓"),
        ("/report", "应付款账龄图", "/chart payables"),
        ("/report", "周报同比", "/report week 同比"),
        ("/report", "宏达这个客户怎么样", "/customer 宏达"),
        ("/customer 宏达", "没到货的采购单", "/po open"),
        ("/customer 宏达", "哪个客户欠钱最多", "/customer owing"),
        ("/customer 宏达", "超期的应付账款", "/bill overdue"),
    ],
)
def test_after_products_reports_and_partners(before: str, sentence: str, line: str, reader: GrammarReader) -> None:
    assert read_after(before, sentence, reader) == line


@each_row(
    ("before", "sentence", "line"),
    [
        ("/invoice INV-7", "逾期了吗", "/invoice INV-7"),
        ("/order SO-1003", "发货了吗", "/delivery SO-1003"),
        ("/stock SKU123", "在途的呢", "/arrivals SKU123"),
        ("/stock SKU123", "工单", "/mo SKU123"),
        ("/customer 宏达", "没付的发票", "/invoice open 宏达"),
        ("/po 宝钢", "晚到的有没有", "/po late 宝钢"),
        ("/po PO-1002", "reject it please too costly", "/po PO-1002"),
        ("/po PO-1002", "不行太贵了 退回去", "/po PO-1002"),
        ("/why PO-1002", "价格太高不同意", "/po PO-1002"),
    ],
)
def test_what_goes_on_still_does(before: str, sentence: str, line: str, reader: GrammarReader) -> None:
    assert read_after(before, sentence, reader) == line


def test_the_part_that_is_of_what_was_there_is_offered(reader: GrammarReader) -> None:
    reading = reader.read("延误的生产工单", None, LastQuestion(line="/stock SKU123", rows=(), at=NOW))
    assert reading is not None
    assert "/mo late SKU123" in reading.alternatives


@pytest.mark.parametrize("every", [97, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("before", ["/order SO-1003", "/po PO-1001"])
def test_sentences_of_the_tables_are_read_as_by_themselves(before: str, every: int, reader: GrammarReader) -> None:
    for sentence, _ in SENTENCES[::every]:
        alone = reader.read(sentence)
        if alone is None or alone.unsure or sentence in OF_A_DOCUMENT:
            continue
        reading = reader.read(sentence, None, LastQuestion(line=before, rows=(), at=NOW))
        assert reading is not None, sentence
        lines = (reading.line, *reading.alternatives) if reading.unsure else (reading.line,)
        assert alone.line in lines, sentence
