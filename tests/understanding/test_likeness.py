"""What a sentence is like speaks for a command where words alone would choose another one, or none."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from bot.chat.registry import Commands
from bot.understanding.grammar import Grammar
from bot.understanding.likeness import NOTHING, Likeness
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from tests.rows import each_row
from tests.understanding.training import learn

KNOWN = Likeness.of(("order", "stock", NOTHING), {"a": {"order": 200, "stock": -100}, "b": {"stock": 50}})


def test_what_speaks_for_commands_adds_up() -> None:
    odds = KNOWN.odds(["a", "b", "b", "unknown"])
    assert max(odds, key=lambda name: odds[name]) == "order"
    assert math.isclose(odds["order"] - odds["stock"], 2.5)
    assert math.isclose(sum(map(math.exp, odds.values())), 1)


def test_nothing_is_known_before_anything_was_learnt() -> None:
    assert Likeness((), {}).odds(["a"]) == {}


def test_names_say_nothing_but_what_they_are(grammar: Grammar) -> None:
    def pieces(sentence: str) -> list[str]:
        return grammar.pieces(grammar.recognition.scan(sentence))

    assert pieces("宏达的SKU123什么价") == pieces("苏州精密的SKU130什么价")
    assert pieces("宏达的订单") != pieces("宝钢的订单")
    assert "<product> 还 有" in pieces("sku123还有吗")


@each_row("sentence", ["宏达还没付多少", "库存告警的物料", "SO-1004搞定了吗"])
def test_without_likeness_words_alone_choose(sentence: str, grammar: Grammar) -> None:
    assert replace(grammar, likeness=Likeness((), {})).read(sentence) is not None


def test_likeness_chooses_among_commands_that_may_be_used(grammar: Grammar) -> None:
    reading = grammar.read("SKU123给宏达的单价", frozenset({"stock", "find"}))
    assert reading is not None
    assert reading.line == "/stock SKU123"


def test_a_name_that_nobody_knows_is_like_nothing(grammar: Grammar) -> None:
    reading = grammar.read("欠宏图机电多少钱")
    assert reading is not None
    assert reading.line == "/invoice open 宏图机电"


def test_the_words_of_a_company_stand_against_likeness(tmp_path: Path, commands: Commands) -> None:
    """What somebody wrote into a file of their own was meant."""
    own = tmp_path / "sentences.toml"
    own.write_text('[order.lists]\nlate = ["甩单的"]\n[stock]\ndecisive = ["有得没得"]\n', encoding="utf-8")
    grammar = Grammar(commands, Sentences.load(commands, (own,)), Vocabulary())
    lines = {sentence: (reading := grammar.read(sentence)) and reading.line for sentence in ("甩单的", "SKU-1有得没得")}
    assert lines == {"甩单的": "/order late", "SKU-1有得没得": "/stock SKU-1"}


def test_the_same_sentences_give_the_same_weights(grammar: Grammar) -> None:
    table = [("SKU123还有吗", "/stock SKU123"), ("SKU124还有吗", "/stock SKU124"), ("宏达的订单", "/order 宏达")] * 2
    first, second = learn(grammar, table), learn(grammar, table)
    assert first == second
    assert first["commands"] == ["order", "stock"]
