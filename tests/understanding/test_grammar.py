"""What the grammar promises beside the table: it is pure, bounded, tolerant, and never writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.questions.reading import ReadBy
from bot.chat.registry import Commands
from bot.understanding.grammar import MAX_SENTENCE, Grammar
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import NumberShape, Vocabulary
from bot.words.errors import ConfigurationError
from tests.rows import each_row

PIECES = st.sampled_from(
    [
        "SO-1001",
        "PO-1001",
        "SKU123",
        "同意",
        "批准",
        "拒绝",
        "approve",
        "通过",
        "上海仓",
        "螺丝",
        "吗",
        "了",
        "吧",
        " ",
        "请",
        "mute",
        "静音",
        "关注",
        "500个",
    ]
)


@given(sentence=st.one_of(st.text(max_size=60), st.lists(PIECES, min_size=1, max_size=8).map("".join)))
def test_what_is_read_as_a_sentence_never_names_a_command_that_may_change_anything(
    sentence: str, grammar: Grammar, commands: Commands
) -> None:
    reading = grammar.read(sentence)
    if reading is None or reading.by is ReadBy.COMMAND:
        return
    for line in (reading.line, *reading.alternatives):
        assert commands.parse(line).command in grammar.sentences.commands | {"find"}


@each_row("deed", ["批准PO-1001", "请同意PO-1001", "通过PO-1001了吗", "帮我驳回PO-1001", "approve it please"])
def test_a_deed_in_a_sentence_is_at_most_a_look_at_the_document(deed: str, grammar: Grammar) -> None:
    reading = grammar.read(deed)
    assert reading is None or reading.by is ReadBy.COMMAND or reading.line in {"/po PO-1001", "/po pending"}


@given(
    extra=st.sampled_from(["请问", "麻烦您", "", "你好，", "帮我看看"]),
    end=st.sampled_from(["", "？", "吗?", "，谢谢", "!!"]),
)
def test_politeness_and_punctuation_change_nothing(extra: str, end: str, grammar: Grammar) -> None:
    reading = grammar.read(f"{extra}SO-1001发货了{end}")
    assert reading is not None
    assert reading.line == "/delivery SO-1001"


def test_a_typed_command_is_left_as_it_is(grammar: Grammar) -> None:
    for line, whole in {"/stock SKU123 @上海仓": "/stock SKU123 @上海仓", "同意 PO-1001": "/approve PO-1001"}.items():
        reading = grammar.read(line)
        assert reading is not None
        assert (reading.by, reading.line) == (ReadBy.COMMAND, whole)


def test_what_the_asker_may_not_use_is_not_offered(grammar: Grammar) -> None:
    assert grammar.read("INV-7付了吗", frozenset({"stock", "order"})) is None
    assert grammar.read("谁欠我们钱", frozenset({"stock", "order"})) is None


def test_stories_are_not_read(grammar: Grammar) -> None:
    assert grammar.read("SO-1001发货了吗" + "，" * MAX_SENTENCE + "然后呢") is None


def test_the_card_can_say_what_was_understood(grammar: Grammar) -> None:
    reading = grammar.read("上海仓还有多少螺丝")
    assert reading is not None
    assert [(part.kind, part.text) for part in reading.understood] == [
        ("warehouse", "上海仓"), ("cue", "还有多少"), ("name", "螺丝"),
    ]  # fmt: skip


@each_row(
    ("number", "typed", "whole"),
    [
        ("SO-1001", "so 7", "SO-7"),
        ("S00012", "s31", "S00031"),
        ("INV/2024/00001", "inv2024 7", "INV/2024/00007"),
        ("SAL-ORD-2024-00001", "sal-ord-2024-00033", "SAL-ORD-2024-00033"),
        ("XSDD000001", "xsdd12", "XSDD000012"),
    ],
)
def test_numbers_are_spelled_as_the_company_writes_them(number: str, typed: str, whole: str) -> None:
    shape = NumberShape.of(number)
    assert shape is not None
    assert shape.number(typed) == whole


def test_without_a_shape_the_usual_prefixes_tell_the_command() -> None:
    nothing_learnt = Vocabulary()
    assert nothing_learnt.document("XSDD000001") == ("order", "XSDD000001")
    assert nothing_learnt.document("CGDD000001") == ("po", "CGDD000001")
    assert nothing_learnt.document("HT-113") is None


def test_a_company_adds_words_of_its_own(tmp_path: Path, commands: Commands, vocabulary: Vocabulary) -> None:
    file = tmp_path / "sentences.toml"
    file.write_text('[stock]\nquestions = ["还有没得"]\n', encoding="utf-8")
    own = Grammar(commands, Sentences.load(commands, [file]), vocabulary)
    reading = own.read("螺丝还有没得")
    assert reading is not None
    assert reading.line == "/stock 螺丝"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[stok]\nnames = ['x']", "there is no command 'stok'"),
        ("[approve]\nnames = ['批了吧']", "/approve may change something"),
        ("[lang]\nnames = ['说英语']", "/lang may change something"),
        ("[stock]\nnmaes = ['x']", "stock.nmaes is unknown"),
        ("[order.lists]\nlatte = ['x']", "has no list 'latte'"),
        ("[stock]\nnames = 'x'", "must be a list of words"),
        ("[stock", "sentences.toml"),
        ("[gaps]\nnew_friend = ['x']", "gaps may have bound"),
        ("[deeds]\napprove = ['x']", "/approve may change something"),
    ],
)
def test_a_mistake_in_the_file_is_named(text: str, complaint: str, tmp_path: Path, commands: Commands) -> None:
    file = tmp_path / "sentences.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=complaint):
        Sentences.load(commands, [file])
