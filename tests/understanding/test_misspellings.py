"""Latin words with a letter too many, too few, wrong or swapped."""

from __future__ import annotations

from bot.understanding.grammar import Grammar
from bot.understanding.scanning.misspellings import Misspellings
from tests.rows import each_row

KNOWN = Misspellings(["received", "delivery", "purchase orders", "arrived"])


@each_row(
    ("typed", "meant"),
    [
        ("recieved", "received"),
        ("payments Recived", "payments received"),
        ("purchsae orders", "purchase orders"),
        ("deliverry", "delivery"),
        ("received", "received"),
        ("perceived", "perceived"),
        ("SO-orderd", "SO-orderd"),
        ("arive", "arive"),
    ],
)
def test_the_word_that_was_meant_is_found(typed: str, meant: str) -> None:
    assert KNOWN.mend(typed, lambda word: False) == meant


def test_what_is_known_as_it_was_written_stays() -> None:
    assert KNOWN.mend("recieved", lambda word: word == "recieved") == "recieved"


def test_where_two_words_could_be_meant_nothing_is_mended() -> None:
    assert Misspellings(["stacks", "stocks"]).mend("sticks", lambda word: False) == "sticks"


def test_a_name_in_pinyin_is_no_misspelling(grammar: Grammar) -> None:
    reading = grammar.read("hongda invoices")
    assert reading is not None
    assert reading.line == "/invoice 杭州宏达机电设备有限公司"
