"""Sentences that name a company, where there are several: every line is asked of its books."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.questions.dialogues import LastQuestion
from bot.chat.registry import Commands
from bot.understanding.reader import GrammarReader
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from tests.commands.company import NOW
from tests.rows import each_row

BOOKS = ("深圳公司", "上海", "north")


@pytest.fixture(scope="module")
def reader(commands: Commands, vocabulary: Vocabulary) -> GrammarReader:
    async def learn() -> Vocabulary:
        return vocabulary

    made = GrammarReader(commands, lambda: Sentences.load(commands), learn, BOOKS)
    asyncio.run(made.learn())
    return made


@each_row(
    ("sentence", "line"),
    [
        ("深圳公司的应收", "/invoice @深圳公司"),
        ("深圳公司应收多少", "/invoice open @深圳公司"),
        ("查一下深圳公司逾期的发票", "/invoice overdue @深圳公司"),
        ("深圳公司那边的SKU123还有多少", "/stock SKU123 @深圳公司"),
        ("逾期发票 @深圳公司", "/invoice overdue @深圳公司"),
        ("上海的逾期发票", "/invoice overdue @上海"),
        ("overdue invoices of north", "/invoice overdue @north"),
        ("north's late orders", "/order late @north"),
        ("逾期的发票", "/invoice overdue"),
        ("上海仓的SKU123还有多少", "/stock SKU123 @上海仓"),
        ("深圳公司、上海和north的逾期发票", "/invoice overdue"),
    ],
)
def test_the_company_that_a_sentence_names(reader: GrammarReader, sentence: str, line: str) -> None:
    reading = reader.read(sentence)
    assert reading is not None
    assert reading.line == line


def test_of_several_companies_each_has_a_line(reader: GrammarReader) -> None:
    reading = reader.read("深圳公司和上海的逾期发票")
    assert reading is not None
    assert reading.unsure
    assert (reading.line, *reading.alternatives) == ("/invoice overdue @深圳公司", "/invoice overdue @上海")


@each_row(
    ("last", "sentence", "line"),
    [
        ("/invoice open @深圳公司", "上海的呢", "/invoice open @上海"),
        ("/invoice open", "那深圳公司呢", "/invoice open @深圳公司"),
        ("/invoice open @深圳公司", "逾期的呢", "/invoice overdue @深圳公司"),
        ("/order late @深圳公司", "SKU123还有多少", "/stock SKU123"),
    ],
)
def test_what_goes_on_stays_with_the_company(reader: GrammarReader, last: str, sentence: str, line: str) -> None:
    reading = reader.read(sentence, None, LastQuestion(line=last, rows=(), at=NOW))
    assert reading is not None
    assert reading.line == line
