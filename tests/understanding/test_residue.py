"""No word of a sentence vanishes: its line uses it, it is filler, or the card tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from bot.chat.parsing import normalise, split
from bot.chat.questions.reading import ReadBy, Reading
from bot.understanding.exporting import drop_export
from bot.understanding.grammar import Grammar
from bot.understanding.limits.bounds import find_bounds
from bot.understanding.limits.residue import residue
from bot.understanding.scanning.spans import MASK, SpanKind
from tests.rows import each_row
from tests.understanding.test_left_out import lines_of
from tests.understanding.test_sentences import SENTENCES

CHOICE, TOLD, LONGEST = "?", "told ", 24


def told_by(reading: Reading) -> str:
    """Return all that the card of a reading says of its sentence, in lower case."""
    return " ".join((*reading.unknown, *reading.unheld, str(reading.gap or ""))).casefold()


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


@pytest.fixture(scope="module")
def read(grammar: Grammar) -> dict[str, Reading]:
    """The readings of the tables' sentences that are questions, and answered at once."""
    readings = {sentence: grammar.read(sentence) for sentence, _ in SENTENCES if drop_export(sentence) is None}
    return {
        sentence: reading
        for sentence, reading in readings.items()
        if reading and reading.by is ReadBy.GRAMMAR and not (reading.unsure or reading.change or reading.wants_erp)
    }


def test_no_way_of_reading_forgets_what_its_line_leaves_out(read: dict[str, Reading], grammar: Grammar) -> None:
    forgotten = {}
    for sentence, reading in read.items():
        text = grammar.limits.states.without_implied(normalise(sentence))
        left = residue(grammar.recognition, grammar.recognition.scan(find_bounds(text).rest), [reading.line])
        words = [word for word in (*left.unknown, *left.unheld) if word.casefold() not in told_by(reading)]
        if words:
            forgotten[sentence] = words
    assert forgotten == {}


def test_no_word_of_the_tables_vanishes(read: dict[str, Reading], grammar: Grammar) -> None:
    vanished = {
        sentence: left
        for sentence, reading in read.items()
        if not tells_all(reading, grammar) and (left := signs_left(sentence, reading, grammar))
    }
    assert vanished == {}


def tells_all(reading: Reading, grammar: Grammar) -> bool:
    """Return whether a line names a document by its number, or is about the asker: its card tells all of it."""
    numbers = map(grammar.recognition.vocabulary.document, reading.line.split())
    return any(numbers) or reading.line.partition(" ")[0] in {"/help", "/whoami", "/subscriptions", "/watches"}


def signs_left(sentence: str, reading: Reading, grammar: Grammar) -> str:
    """Return the signs of a sentence that are in no word that was recognised, is filler, or is told."""
    text = grammar.limits.states.without_implied(normalise(sentence))
    scan = grammar.recognition.scan(find_bounds(text).rest)
    rest = scan.rest
    for span in scan.spans:
        held = span.value.casefold() in reading.line.casefold() or grammar.recognition.is_in_a_name(span.value)
        if span.kind is not SpanKind.NAME or held:
            rest = rest[: span.start] + MASK * len(span.text) + rest[span.start + len(span.text) :]
    told = {word.casefold() for word in (*reading.unknown, *reading.unheld, *split(reading.line.casefold()))}
    needed = frozenset("零一二两三四五六七八九十百千万k备" if "×" in reading.line else "")
    words = grammar.sentences.without_meaning | needed
    for size in range(min(len(rest), LONGEST), 0, -1):
        for start in range(len(rest) - size + 1):
            word = rest[start : start + size]
            if (word in words or word in told) and not is_torn(rest, start, start + size):
                rest = rest[:start] + MASK * size + rest[start + size :]
    return "".join(sign for sign in rest if sign.isalpha())


def is_torn(text: str, start: int, end: int) -> bool:
    """Return whether a Latin word begins or ends inside another one."""
    return any(
        len(pair) == 2 and pair.isascii() and pair.isalpha()
        for pair in (text[max(start - 1, 0) : start + 1], text[end - 1 : end + 1])
    )


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
