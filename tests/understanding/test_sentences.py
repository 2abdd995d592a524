"""The table of sentences: what people type, and the line that it is taken for, on the demo company."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.chat.reading import ReadBy
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


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES)
def test_it_is_taken_for_the_right_line(sentence: str, expected: str, grammar: Grammar) -> None:
    reading = grammar.read(sentence)
    if expected == NOTHING:
        assert reading is None
        return
    assert reading is not None
    assert expected == CHOICE if reading.unsure else _plain(reading.line) == _plain(expected)


def test_every_command_that_sentences_ask_for_is_in_the_table(grammar: Grammar) -> None:
    asked = {expected.removeprefix("/").partition(" ")[0] for _, expected in SENTENCES}
    assert grammar.sentences.commands | {"find", "export"} == asked - {NOTHING, CHOICE}


@pytest.mark.parametrize("sentence", [sentence for sentence, _ in SENTENCES])
def test_no_sentence_writes(sentence: str, grammar: Grammar, commands: Commands) -> None:
    reading = grammar.read(sentence)
    if reading is None or reading.by is ReadBy.COMMAND:
        return
    for line in (reading.line, *reading.alternatives):
        parsed = commands.parse(line)
        assert parsed.command in grammar.sentences.commands | {"find", "export"}


def _plain(line: str) -> str:
    """Return a line without regard to case: ERPs compare codes and numbers so."""
    return line.casefold()
