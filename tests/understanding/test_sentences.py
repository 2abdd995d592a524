"""The table of sentences: what people type, and the line that it is taken for, on the demo company."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bot.chat.questions.reading import ReadBy, Reading
from bot.chat.registry import Commands
from bot.understanding.grammar import Grammar

HERE = Path(__file__).parent
NOTHING, CHOICE = "-", "?"


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


def test_there_are_enough_of_them() -> None:
    assert len(SENTENCES) >= 400
    assert len(dict(SENTENCES)) == len(SENTENCES), "a sentence stands twice"


@pytest.fixture(scope="module")
def readings(grammar: Grammar) -> Mapping[str, Reading | None]:
    """The readings of all sentences: they take seconds."""
    return {sentence: grammar.read(sentence) for sentence, _ in SENTENCES}


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


def test_every_command_that_sentences_ask_for_is_in_the_table(grammar: Grammar) -> None:
    asked = {expected.removeprefix("/").partition(" ")[0] for _, expected in SENTENCES}
    assert grammar.sentences.commands | {"find", "export"} == asked - {NOTHING, CHOICE}


def test_no_sentence_writes(readings: Mapping[str, Reading | None], grammar: Grammar, commands: Commands) -> None:
    readable = grammar.sentences.commands | {"find", "export"}
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
