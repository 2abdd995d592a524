"""What people in offices say beside work is not read, unless it names something of the company."""

from __future__ import annotations

from dataclasses import replace

from bot.chat.registry import Commands
from bot.understanding.grammar import Grammar
from bot.understanding.likeness import Likeness
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from tests.rows import each_row


@each_row("sentence", ["报销的钱什么时候到账", "工资多少钱", "is there any pizza left", "when does the flight arrive"])
def test_a_word_of_office_talk_silences_a_sentence(sentence: str, grammar: Grammar) -> None:
    assert replace(grammar, likeness=Likeness((), {})).read(sentence) is None


@each_row(
    ("sentence", "line"),
    [
        ("开会要用，SKU123还有多少", "/stock SKU123"),
        ("出差去宏达机电，他们还欠多少钱", "/invoice open 宏达机电"),
        ("客户在前台等，SO-1001发货了吗", "/delivery SO-1001"),
    ],
)
def test_what_is_named_of_the_company_is_answered_all_the_same(sentence: str, line: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.line == line


def test_who_sells_it_means_it(commands: Commands) -> None:
    sentences = Sentences.load(commands)
    assert Grammar(commands, sentences, Vocabulary()).read("会议桌还有多少") is None
    reading = Grammar(commands, sentences, Vocabulary(goods=("会议桌",))).read("会议桌还有多少")
    assert reading is not None
    assert reading.line == "/stock 会议桌"
