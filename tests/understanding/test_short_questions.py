"""Short questions that leave out what they are about go on from the one thing that the line before names."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.questions.dialogues import LastQuestion
from bot.chat.registry import Commands
from bot.understanding.reader import GrammarReader
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from tests.rows import each_row

from .test_dialogues import NOW


@pytest.fixture(scope="module")
def reader(commands: Commands, vocabulary: Vocabulary) -> GrammarReader:
    async def learn() -> Vocabulary:
        return vocabulary

    made = GrammarReader(commands, lambda: Sentences.load(commands), learn)
    asyncio.run(made.learn())
    return made


@each_row(
    ("last", "sentence", "line", "others"),
    [
        ("/delivery SO-1001", "单号多少", "/delivery SO-1001", ()),
        ("/delivery SO-1001", "客户是谁", "/order SO-1001", ()),
        ("/delivery SO-1001", "and the invoice", "/invoice SO-1001", ()),
        ("/stock SKU123", "成都仓", "/stock SKU123 @成都仓", ()),
        ('/stock "螺栓 M12"', "M10的呢", '/stock "螺栓 M10"', ()),
        ("/price SKU136", "宏达多少", "/price SKU136 宏达", ()),
    ],
)
def test_it_goes_on(last: str, sentence: str, line: str, others: tuple[str, ...], reader: GrammarReader) -> None:
    reading = reader.read(sentence, None, LastQuestion(line=last, rows=(), at=NOW))
    assert reading is not None
    assert (reading.line, reading.alternatives) == (line, others)
    assert reading.unsure == bool(others)


@each_row("sentence", ["所有发货单", "今天的订单", "我的订单"])
def test_what_asks_of_all_does_not(sentence: str, reader: GrammarReader) -> None:
    alone = reader.read(sentence, None, None)
    assert alone is not None
    after = reader.read(sentence, None, LastQuestion(line="/order SO-1001", rows=(), at=NOW))
    assert after is not None
    assert after.line == alone.line


@each_row(
    ("last", "sentence", "done"),
    [
        ("/report 上周", "每天早上八点发我昨天的", "/subscribe report 昨天 08:00 daily"),
        ("/arrivals SKU123", "少于100提醒我", "/watch SKU123 < 100"),
        ("/watches", "都取消", "/unwatch all"),
        ("/subscriptions", "全部停掉吧", "/unsubscribe all"),
    ],
)
def test_a_wish_keeps_what_it_says(last: str, sentence: str, done: str, reader: GrammarReader) -> None:
    reading = reader.read(sentence, None, LastQuestion(line=last, rows=(), at=NOW))
    assert reading is not None
    assert reading.change == done
