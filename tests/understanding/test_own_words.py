"""Words that a company adds for what its people say in a sentence, beside those that ask for a command."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.chat.questions.dialogues import LastQuestion
from bot.chat.registry import Commands
from bot.understanding.following.last_question import follow
from bot.understanding.grammar import Grammar
from bot.understanding.reader import GrammarReader
from bot.understanding.sentences import DocumentStep, Sentences
from bot.understanding.vocabulary import Vocabulary
from bot.words.errors import ConfigurationError

from .test_dialogues import NOW

WORDS = """
late = ["黄了"]
status = ["滞港"]
papers = ["提货条"]
refusals = ["打叉", "bin it"]

[delivery]
names = ["提货条"]
lists.late = ["黄了"]

[states]
shipped = ["拉…走", "hauled off"]
"""


@pytest.fixture
def sentences(tmp_path: Path, commands: Commands) -> Sentences:
    own = tmp_path / "sentences.toml"
    own.write_text(WORDS, encoding="utf-8")
    return Sentences.load(commands, (own,))


@pytest.fixture
def own(commands: Commands, sentences: Sentences, vocabulary: Vocabulary) -> Grammar:
    return Grammar(commands, sentences, vocabulary)


@pytest.mark.parametrize("sentence", ["开了票没拉走的订单", "orders invoiced but not hauled off"])
def test_two_states_at_once_are_said(sentence: str, own: Grammar, grammar: Grammar) -> None:
    built_in, reading = grammar.read(sentence), own.read(sentence)
    assert "two states at once" not in str(built_in and built_in.unsupported)
    assert reading is not None
    assert "two states at once" in str(reading.unsupported)


def test_what_is_not_so_is_said(own: Grammar) -> None:
    reading = own.read("没滞港的订单")
    assert reading is not None
    assert "what is not so: “没滞港”" in str(reading.unsupported)


@pytest.mark.parametrize("sentence", ["打叉", "太贵了打叉", "please bin it"])
def test_a_purchase_order_is_turned_down(sentence: str, own: Grammar, grammar: Grammar) -> None:
    last = LastQuestion(line="/po PO-1001", at=NOW)
    reading = follow(own, sentence, last)
    assert reading is not None
    assert (reading.line, follow(grammar, sentence, last)) == ("/po PO-1001", None)


@pytest.mark.parametrize("sentence", ["谁打叉的", "did they bin it"])
def test_who_turned_it_down_is_no_decision(sentence: str, own: Grammar) -> None:
    reading = follow(own, sentence, LastQuestion(line="/po PO-1001", at=NOW))
    assert reading is None or reading.understood[0].kind != "document"


def test_a_list_is_no_part_of_the_document_before(commands: Commands, sentences: Sentences, own: Grammar) -> None:
    async def learn() -> Vocabulary:
        return own.vocabulary

    reader = GrammarReader(commands, lambda: sentences, learn)
    asyncio.run(reader.learn())
    reading = reader.read("黄了的提货条", None, LastQuestion(line="/order SO-1003", at=NOW))
    assert reading is not None
    assert (reading.line, reading.unsure) == ("/delivery late", False)


def test_every_deed_has_words_in_both_languages(grammar: Grammar) -> None:
    states = grammar.sentences.states
    assert {deed for deed in DocumentStep if {word.isascii() for word in states[deed].words} == {True, False}} == set(
        DocumentStep
    )


def test_a_state_that_nobody_knows_is_an_error(tmp_path: Path, commands: Commands) -> None:
    own = tmp_path / "sentences.toml"
    own.write_text('[states]\nlost = ["丢了"]\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="states may have invoiced"):
        Sentences.load(commands, (own,))
