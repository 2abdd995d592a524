"""The table of sentences: what people type, and the line that it is taken for, on the demo company."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import pytest

import commands as commands_package
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


def test_no_template_stands_for_thousands_of_phrases() -> None:
    """Each is written out when the bot starts: one with days and twelve other words had doubled the time for all."""
    folder = Path(commands_package.__file__ or "").parent / "sentences"
    templates = [text for file in folder.glob("*.toml") for text in re.findall(r'"([^"\n]+)"', file.read_text("utf-8"))]
    choices = {text: prod(group.count("|") + 1 for group in re.findall(r"\(([^()]*)\)", text)) for text in templates}
    assert {text: count for text, count in choices.items() if count > 5_000} == {}


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


def words_told(reading: Reading | None) -> str:
    """Return the words of a sentence that its card says are not held."""
    return ", ".join((*reading.unknown, *reading.unheld)) if reading else ""


def test_only_what_is_left_out_is_told(readings: Mapping[str, Reading | None]) -> None:
    told = [f"{sentence} => {words}" for sentence, reading in readings.items() if (words := words_told(reading))]
    assert told == (HERE / "told_of_the_tables.txt").read_text(encoding="utf-8").splitlines()[2:]
