"""The table of sentences: what people type, and the line that it is taken for, on the demo company."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path

import pytest

import commands as commands_package
from bot.chat.parsing import normalise, split
from bot.chat.questions.reading import ReadBy, Reading
from bot.chat.registry import Commands
from bot.understanding.exporting import drop_export
from bot.understanding.grammar import Grammar
from bot.understanding.limits.bounds import find_bounds
from bot.understanding.limits.residue import residue
from bot.understanding.scanning.spans import MASK, Scan, SpanKind

HERE = Path(__file__).parent
NOTHING, CHOICE, LONGEST = "-", "?", 24


def table() -> Iterator[tuple[str, str]]:
    """Yield the sentences with what is expected."""
    for file in sorted(HERE.glob("sentences_*.txt")):
        expected = NOTHING
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("/") or line in {NOTHING, CHOICE}:
                expected = line
            elif line and not line.startswith("#"):
                yield line, expected


SENTENCES = tuple(table())
WITHOUT_WORDS = {"find", "export", "compare"}
"""Commands of which sentences have no words of their own."""


def test_there_are_enough_of_them() -> None:
    assert len(SENTENCES) >= 400
    assert len(dict(SENTENCES)) == len(SENTENCES), "a sentence stands twice"


@pytest.fixture(scope="module")
def readings_and_scans(grammar: Grammar) -> Mapping[str, tuple[Reading | None, Scan]]:
    """The readings of all sentences, each with the words recognised in it while those are known: they take seconds."""
    return {sentence: (grammar.read(sentence), scan_of(grammar, sentence)) for sentence, _ in SENTENCES}


def scan_of(grammar: Grammar, sentence: str) -> Scan:
    without = grammar.limits.states.without_implied
    return grammar.recognition.scan(find_bounds(without(normalise(sentence))).rest)


@pytest.fixture(scope="module")
def readings(readings_and_scans: Mapping[str, tuple[Reading | None, Scan]]) -> Mapping[str, Reading | None]:
    return {sentence: reading for sentence, (reading, _) in readings_and_scans.items()}


# Thousands of tests, a sentence each, would take several times as long.
def test_each_is_taken_for_the_right_line(readings: Mapping[str, Reading | None]) -> None:
    wrong = [
        f"{sentence}: {line}, not {expected}"
        for sentence, expected in SENTENCES
        if _plain(line := _line_of(readings[sentence])) != _plain(expected)
    ]
    assert wrong == []


def _line_of(reading: Reading | None) -> str:
    if reading is None:
        return NOTHING
    return CHOICE if reading.unsure else reading.line


def test_no_template_stands_for_thousands_of_phrases() -> None:
    """Each is written out when the bot starts: one with days and twelve other words had doubled the time for all."""
    folder = Path(commands_package.__file__ or "").parent / "sentences"
    templates = [text for file in folder.glob("*.toml") for text in re.findall(r'"([^"\n]+)"', file.read_text("utf-8"))]
    choices = {text: prod(group.count("|") + 1 for group in re.findall(r"\(([^()]*)\)", text)) for text in templates}
    assert {text: count for text, count in choices.items() if count > 5_000} == {}


def test_every_command_that_sentences_ask_for_is_in_the_table(grammar: Grammar) -> None:
    asked = {expected.removeprefix("/").partition(" ")[0] for _, expected in SENTENCES}
    assert grammar.sentences.commands | WITHOUT_WORDS == asked - {NOTHING, CHOICE}


def test_no_sentence_writes(readings: Mapping[str, Reading | None], grammar: Grammar, commands: Commands) -> None:
    readable = grammar.sentences.commands | WITHOUT_WORDS
    writing = [
        f"{sentence}: {line}"
        for sentence, reading in readings.items()
        if reading is not None and reading.by is not ReadBy.COMMAND
        for line in (reading.line, *reading.alternatives)
        if commands.parse(line).command not in readable
    ]
    assert writing == []


def _plain(line: str) -> str:
    """Return a line without regard to case: ERPs compare codes and numbers so."""
    return line.casefold()


def words_told(reading: Reading | None) -> str:
    """Return the words of a sentence that its card says are not held."""
    return ", ".join((*reading.unknown, *reading.unheld)) if reading else ""


def test_only_what_is_left_out_is_told(readings: Mapping[str, Reading | None]) -> None:
    told = [f"{sentence} => {words}" for sentence, reading in readings.items() if (words := words_told(reading))]
    assert told == (HERE / "told_of_the_tables.txt").read_text(encoding="utf-8").splitlines()[2:]


def told_by(reading: Reading) -> str:
    """Return all that the card of a reading says of its sentence, in lower case."""
    return " ".join((*reading.unknown, *reading.unheld, str(reading.unsupported or ""))).casefold()


@pytest.fixture(scope="module")
def read(readings_and_scans: Mapping[str, tuple[Reading | None, Scan]]) -> Sequence[tuple[Reading, Scan]]:
    """The readings of the sentences that are questions, and answered at once, with the words recognised in them."""
    return [
        (reading, scan)
        for sentence, (reading, scan) in readings_and_scans.items()
        if reading and reading.by is ReadBy.GRAMMAR and not (reading.unsure or reading.change or reading.wants_erp)
        if drop_export(sentence) is None
    ]


def test_no_way_of_reading_forgets_what_its_line_leaves_out(
    read: Sequence[tuple[Reading, Scan]], grammar: Grammar
) -> None:
    forgotten = []
    for reading, scan in read:
        left = residue(grammar.recognition, scan, [reading.line])
        words = [word for word in (*left.unknown, *left.unheld) if word.casefold() not in told_by(reading)]
        if words:
            forgotten.append((scan.text, words))
    assert forgotten == []


def test_no_word_of_the_tables_vanishes(read: Sequence[tuple[Reading, Scan]], grammar: Grammar) -> None:
    vanished = [
        (scan.text, left)
        for reading, scan in read
        if not tells_all(reading, grammar) and (left := signs_left(reading, scan, grammar))
    ]
    assert vanished == []


def tells_all(reading: Reading, grammar: Grammar) -> bool:
    """Return whether a line names a document by its number, or is about the asker: its card tells all of it."""
    numbers = map(grammar.recognition.vocabulary.document, reading.line.split())
    return any(numbers) or reading.line.partition(" ")[0] in {"/help", "/whoami", "/subscriptions", "/watches"}


def signs_left(reading: Reading, scan: Scan, grammar: Grammar) -> str:
    """Return the signs of a sentence that are in no word that was recognised, is filler, or is told."""
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
