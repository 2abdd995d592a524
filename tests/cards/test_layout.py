"""A line of a template is a line on the card, and lists, tables and paragraphs keep what they need around them."""

from __future__ import annotations

from bot.cards.layout import EMPTY_MARK, card_markdown, cut_bytes, cut_lines, lines_of, plain_markdown, split_text
from tests.rows import each_row


@each_row(
    ("text", "card", "plain"),
    [
        ("a\nb", "a<br>b", "a  \n  b"),
        ("\n\n a \n\n\n b \n\n", "a\n\nb", "a\n\nb"),
        ("a<br>b", "a<br>b", "a  \n  b"),
        ("a\n- b\n- c\nd", "a\n- b\n- c\n\nd", "a  \n  - b  \n  - c  \n  d"),
        ("a\n1. b\n2. c", "a\n1. b\n2. c", "a  \n  1. b  \n  2. c"),
        (
            "a\n| x | y |\n| :- | -: |\n| 1 | 2 |\nb",
            "a\n\n| x | y |\n| :- | -: |\n| 1 | 2 |\n\nb",
            "a  \n  x · y  \n  1 · 2  \n  b",
        ),
        ("#### a\nb", "#### a\nb", "#### a  \n  b"),
        ("> a\nb", "> a\n\nb", "> a  \n  b"),
        ("2026 a\n3 b", "2026 a<br>3 b", "2026 a  \n  3 b"),
        (f"a\n{EMPTY_MARK}\nb {EMPTY_MARK}\n{EMPTY_MARK}c", "a<br>b<br>c", "a  \n  b  \n  c"),
        ("<font colorTokenV2=common_red1_color>a</font>", None, "a"),
        ("<a atId=u1>王仓</a> a", None, "王仓 a"),
        ("", "", ""),
    ],
)
def test_lines(text: str, card: str | None, plain: str) -> None:
    lines = lines_of(text)
    assert card_markdown(lines) == (text if card is None else card)
    assert plain_markdown(lines) == plain


def test_cutting_keeps_whole_lines() -> None:
    lines = ["one", "", "two", "three"]
    assert cut_lines(lines, 18, "…") == ["one", "", "two", "", "…"]
    assert cut_lines(lines, 10, "…") == ["one", "", "…"]


@each_row(
    ("text", "limit", "count", "parts"),
    [
        ("one", 3, 2, ["one"]),
        ("one\n\ntwo", 7, 2, ["one", "two"]),
        ("one\n\ntwo", 8, 2, ["one\n\ntwo"]),
        ("one<br>1\n\ntwo<br>2", 10, 2, ["one<br>1", "two<br>2"]),
        ("one\n\ntwo\n\nthree", 10, 3, ["one\n\ntwo", "three"]),
        # A paragraph that is too long alone is parted between its lines.
        ("one<br>two<br>three", 11, 2, ["one<br>two", "three"]),
        ("- one\n- two\n- three", 12, 3, ["- one\n- two", "- three"]),
        # The last part takes what there was no room for.
        ("one\n\ntwo\n\nthree", 4, 2, ["one", "two\n\nthree"]),
        ("one\n\ntwo", 4, 1, ["one\n\ntwo"]),
        ("中中中", 4, 3, ["中", "中", "中"]),
        ("", 4, 3, [""]),
    ],
)
def test_a_text_is_parted_between_paragraphs(text: str, limit: int, count: int, parts: list[str]) -> None:
    assert split_text(text, limit, count) == parts


def test_cutting_fills_all_parts() -> None:
    lines = ["one", "", "two", "", "three", "", "four"]
    assert cut_lines(lines, 8, "…", 2) == ["one", "", "two", "", "…"]
    assert cut_lines(lines, 10, "…", 2) == ["one", "", "two", "", "three", "", "…"]


def test_a_single_line_loses_its_markup_before_it_is_cut() -> None:
    line = "<font colorTokenV2=common_red1_color>**中文**[link](https://e.example)</font>" + "中" * 50
    kept = cut_lines([line], 40, "…")
    assert kept[0] == "中文link中中中中中中中…"
    assert len(card_markdown(kept).encode()) <= 40


@each_row(("limit", "text"), [(12, "中中中中"), (11, "中中…"), (3, "…"), (2, "")])
def test_characters_stay_whole(limit: int, text: str) -> None:
    assert cut_bytes("中中中中", limit) == text
