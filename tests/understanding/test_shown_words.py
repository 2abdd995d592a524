"""The words that the page about sentences shows are understood as it says, once they stand in a company's own file."""

from __future__ import annotations

import pytest

from bot.chat.registry import Commands
from bot.understanding.grammar import Grammar
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary
from tests.project.tree import ROOT, code_blocks
from tests.rows import each_row

PAGE = (ROOT / "docs/how-to/extend-sentences.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, commands: Commands, vocabulary: Vocabulary) -> Grammar:
    file = tmp_path_factory.mktemp("own") / "sentences.toml"
    file.write_text("\n".join(code for kind, code in code_blocks(PAGE) if kind == "ini"), encoding="utf-8")
    return Grammar(commands, Sentences.load(commands, (file,)), vocabulary)


@each_row(
    ("sentence", "line"),
    [
        ("螺丝还有没得", "/stock 螺丝"),
        ("侬好甩单的", "/order late"),
        ("昨天拉货的订单", "/delivery 昨天"),
        ("SKU123压在哪些单", "/order SKU123"),
    ],
)
def test_a_line_is_read(sentence: str, line: str, shown: Grammar) -> None:
    reading = shown.read(sentence)
    assert reading is not None
    assert reading.line == line


@each_row(
    ("sentence", "said", "line"),
    [
        ("刚签的客户", "Since when", "/customer best"),
        ("SKU123顶替", "take the place of", "/product SKU123"),
        ("拉了走没开票的订单", "拉了走没开票", "/order"),
        ("托盘押金多少", "托盘押金", "/delivery"),
        ("押了3个托盘", "押了3个托盘", "/delivery"),
    ],
)
def test_what_no_line_holds_is_said(sentence: str, said: str, line: str, shown: Grammar) -> None:
    reading = shown.read(sentence)
    assert reading is not None
    assert said in str(reading.unsupported)
    assert reading.line == line


@each_row(("sentence", "wish"), [("帮我盯SKU123", "/watch SKU123"), ("SKU123低于50提醒我", "/watch SKU123 < 50")])
def test_a_wish_names_the_line_to_send(sentence: str, wish: str, shown: Grammar) -> None:
    reading = shown.read(sentence)
    assert reading is not None
    assert reading.change == wish
