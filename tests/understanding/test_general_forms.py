"""The form of a sentence in which it is counted: names and numbers are gone, what may be taught stays."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.registry import Commands
from bot.understanding.grammar import MAX_SENTENCE
from bot.understanding.reader import GrammarReader
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from tests.rows import each_row


@pytest.fixture(scope="module")
def reader(commands: Commands, vocabulary: Vocabulary) -> GrammarReader:
    async def learn() -> Vocabulary:
        return vocabulary

    known = GrammarReader(commands, lambda: Sentences.load(commands), learn)
    asyncio.run(known.learn())
    return known


@each_row(
    "sentence, form",
    [
        ("宏达的合同编号", "〈partner〉的合同编号"),
        ("SKU123的毛重是多少？", "〈product〉的毛重是多少"),
        ("PO-1001的提单号", "〈document〉的提单号"),
        ("螺丝的毛重", "〈name〉的毛重"),
        ("宏达要不要熏蒸", "〈name〉要不要熏蒸"),
        ("熏蒸宏达", "熏蒸〈name〉"),
        ("上海仓的消防检查", "〈warehouse〉的消防检查"),
        ("上周五的装柜照片", "〈date〉的装柜照片"),
        ("两千三百块的那笔", "〈quantity〉的那笔"),
        ("@王小明 报关单", "〈person〉 报关单"),
        ("anna@acme.example 的唛头", "〈person〉 的唛头"),
        ("唛头_7的样张", "唛头〈number〉的样张"),
        ("唛头零零三五", "唛头〈number〉"),
        ("The MSDS of SKU123", "the msds of 〈product〉"),
        ("那个很急的东西怎么样了", "那个很急的东西怎么样了"),
    ],
)
def test_names_and_numbers_give_way_to_their_kinds(sentence: str, form: str, reader: GrammarReader) -> None:
    assert reader.general_form(sentence) == form


@each_row(
    "sentence",
    ["李娜的工资", "我刚跟客户说了", "SKU123", "PO-1001 SKU123", "1044", "唛" * (MAX_SENTENCE + 1)],
)
def test_what_asks_for_nothing_or_only_names_something_has_no_form(sentence: str, reader: GrammarReader) -> None:
    assert reader.general_form(sentence) == ""
