"""A typed line: what is forgiven, how it is split, and that a written line is read back."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.parsing import command_line, normalise, split
from tests.rows import each_row

typed = st.text(st.characters(exclude_categories=()), max_size=60) | st.text(
    "/ 　@\"'，、;.?？SKUsku１２查库存的+-—\u200b\ud800", max_size=40
)


@each_row(
    ("text", "normal"),
    [
        ("／ｓｔｏｃｋ　ＳＫＵ１２３", "/stock SKU123"),
        ("  /stock \t SKU123 \n", "/stock SKU123"),
        ("\u2005/stock\u00a0SKU123\u202f", "/stock SKU123"),
        ("/st\u200bock \ufeffSKU\u00ad123", "/stock SKU123"),
        ("\u202e/stock SKU123\u202c", "/stock SKU123"),
        ("/order SO—1001", "/order SO-1001"),
        ("/order SO－1001。", "/order SO-1001"),
        ("/stock SKU123？！…", "/stock SKU123"),
        ("SKU＿1 ＊M6＊ ｜2", "SKU_1 *M6* |2"),
        ("?", "?"),
        ("？", "?"),
        ("/？", "/?"),
        ("。。。", ""),
        ("上海（中国）有限公司", "上海（中国）有限公司"),
        ("cafe\u0301", "café"),
        ("/stock 🔩\ufe0f", "/stock 🔩"),
        ("a\ud800b\x00c", "abc"),
    ],
)
def test_what_keyboards_and_clients_do_is_undone(text: str, normal: str) -> None:
    assert normalise(text) == normal


@given(typed)
@example("\u1fef\u037e")
@example("e\u200b\u0301")
@example("Ａ\u030a。 \ud800.")
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert once == once.strip()
    once.encode()


@each_row(
    ("text", "words"),
    [
        ("SKU1 SKU2", ("SKU1", "SKU2")),
        ("Acme, Inc", ("Acme,", "Inc")),
        ('"M6 Screw" @SH', ("M6 Screw", "@SH")),
        ('3/4" pipe', ('3/4"', "pipe")),
        ('"3/4"" pipe" x', ('3/4" pipe', "x")),
        ('"open end', ('"open', "end")),
        ('""', ()),
        ("", ()),
    ],
)
def test_blanks_part_words_and_quotes_hold_them_together(text: str, words: tuple[str, ...]) -> None:
    assert split(text) == words


@each_row("text", ["A B C", "A,B,C", "A, B;C", "A、B，C", "A；B ；、C", '"A" , B、C'])
def test_a_list_is_parted_by_commas_too(text: str) -> None:
    assert split(text, listed=True) == ("A", "B", "C")


words = st.lists(
    st.text(max_size=12).map(normalise).filter(lambda word: any(sign not in '" ' for sign in word)), max_size=4
)


@given(words, st.booleans())
@example(['3/4" x'], True)
@example(["SKU1."], False)
def test_what_a_button_writes_is_read_back(words: list[str], listed: bool) -> None:
    line = command_line("stock", *words)
    assert normalise(line) == line
    assert split(line.removeprefix("/stock"), listed=listed) == tuple(words)
