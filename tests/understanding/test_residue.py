"""No word of a sentence vanishes: its line uses it, it is filler, or the card tells it. See `test_sentences`, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.chat.questions.reading import Reading
from bot.understanding.grammar import Grammar
from tests.rows import each_row
from tests.understanding.test_left_out import lines_of
from tests.understanding.test_sentences import told_by

CHOICE, TOLD = "?", "told "


def outcomes() -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in lines_of("told_or_right.txt"):
        sentence, _, accepted = line.partition(" => ")
        yield sentence, tuple(accepted.split(" | "))


def is_accepted(reading: Reading | None, accepted: Iterable[str]) -> bool:
    if reading is None or reading.unsure:
        return CHOICE in accepted
    told = (each.removeprefix(TOLD) for each in accepted if each.startswith(TOLD))
    return reading.line in accepted or any(word.casefold() in told_by(reading) for word in told)


def test_sentences_of_five_kinds_of_work_are_right_or_told(grammar: Grammar) -> None:
    table = dict(outcomes())
    assert len(table) >= 60
    read = {sentence: grammar.read(sentence) for sentence in table}
    wrong = [sentence for sentence, reading in read.items() if not is_accepted(reading, table[sentence])]
    assert {sentence: read[sentence] and read[sentence].line for sentence in wrong} == {}


@each_row(
    ("sentence", "line", "told"),
    [
        ("宏达的订单上架了没", "/order 宏达", ("上架",)),
        ("宏达的红色订单", "/order 宏达", ("红色",)),
        ("SKU123给华为留了多少", "/stock SKU123", ("华为",)),
        ("repeat customers", "/customer", ("repeat",)),
    ],
)
def test_a_word_beside_a_line_is_told(sentence: str, line: str, told: tuple[str, ...], grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert (reading.line, reading.unsure) == (line, False)
    assert all(word in told_by(reading) for word in told)


@each_row(
    ("sentence", "lines", "words"),
    [
        ("今天哪些货要上架", ("/arrivals 今天",), "上架"),
        ("pending dispatches", ("/po pending", "/delivery"), "pending"),
    ],
)
def test_what_asks_for_something_else_makes_a_choice(
    sentence: str, lines: tuple[str, ...], words: str, grammar: Grammar
) -> None:
    reading = grammar.read(sentence)
    assert reading is not None
    assert reading.unsure
    assert {reading.line, *reading.alternatives} == set(lines)
    assert words in told_by(reading)
