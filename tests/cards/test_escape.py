"""Text of others can neither become markup nor disturb a card, whatever it holds."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards.escape import MAX_TEXT, Markdown, clean, escape, exact, link, narrowed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SKU123", "SKU123"),
        ("螺丝 M6×20", "螺丝 M6×20"),
        ("**bold** _it_", "＊＊bold＊＊ ＿it＿"),
        ("<font color=red>x</font>", "＜font color=red＞x＜/font＞"),
        ("[here](https://evil.example)", "［here］(https://evil.example)"),
        ("a | b", "a ｜ b"),
        ("`code` ~~gone~~ \\*", "｀code｀ ～～gone～～ ＼＊"),
        ("# 1", "＃ 1"),
        ("> quote", "＞ quote"),
        ("- item", "－ item"),
        ("+ item", "＋ item"),
        ("---", "－--"),
        ("1. item", "1． item"),
        ("1) item", "1） item"),
        ("===", "＝=="),
        ("-5", "-5"),
        ("1.5", "1.5"),
        ("@all hello @王仓", "＠all hello ＠王仓"),
        ("mail a@b.example", "mail a@b.example"),
        ("&lt;b&gt; &#42;", "＆lt;b＆gt; &＃42;"),
        ("A&B", "A&B"),
        ("two\nlines\r\n\tand\u2028more", "two lines and more"),
        ("zero\u200bwidth\u202ebidi\x00nul", "zerowidthbidinul"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("{{ view }} {% if %}", "{{ view }} {% if %}"),
    ],
)
def test_shows_literally(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert escape("长" * 5000) == "长" * (MAX_TEXT - 1) + "…"
    assert clean("abcdef", 4) == "abc…"


def test_markdown_passes_and_escapes_what_joins_it() -> None:
    bold = Markdown("**a**")
    assert escape(bold) is bold
    assert bold + "*" == "**a**＊"
    assert "*" + bold == "＊**a**"
    assert Markdown("**%s**") % "*" == "**＊**"
    assert Markdown("{}").format("<b>") == "＜b＞"
    assert Markdown(" ").join(["*", bold]) == "＊ **a**"


@given(st.text())
def test_no_character_of_markup_survives(text: str) -> None:
    shown = escape(text)
    assert not set(shown) & set("*_#<>|[]`~\\\n\r\t\0")
    assert not shown.startswith(("@", "- ", "+ "))
    assert len(shown) <= MAX_TEXT
    shown.encode()
    assert not [sign for sign in shown if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}]


@given(st.text())
def test_escaping_twice_changes_nothing(text: str) -> None:
    once = escape(text)
    assert escape(str(once)) == once


@pytest.mark.parametrize("text", ["keeper_01", "cidKp3Lr+0000/0==", "a.b-c", "7"])
def test_ids_can_be_copied(text: str) -> None:
    assert exact(text) == text


@pytest.mark.parametrize("text", ["_a_", "a_", "-", "1.", "a b", "a*b", "库_存", "a" * (MAX_TEXT + 1), ""])
def test_what_is_no_id_is_escaped_like_any_text(text: str) -> None:
    assert exact(text) == escape(text)


@pytest.mark.parametrize(
    ("text", "width", "kept"),
    [
        ("上海宏图机械", 6, "上海宏图机械"),
        ("上海宏图机械", 5, "上海宏图…"),
        ("Acme Tools", 5, "Acme Tools"),
        ("Acme Tools GmbH", 5, "Acme Tool…"),
        ("M6 螺丝 加长", 5, "M6 螺丝…"),
        ("", 3, ""),
    ],
)
def test_cut_to_a_width(text: str, width: int, kept: str) -> None:
    assert narrowed(text, width) == kept


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("https://erp.example/so/1", "[SO｜1](https://erp.example/so/1)"),
        ("https://erp.example/a(b)<c>", "[SO｜1](https://erp.example/a%28b%29%3Cc%3E)"),
        ("http://erp.example", "SO｜1"),
        ("javascript:alert(1)", "SO｜1"),
        ("https://erp.example/a b", "SO｜1"),
        ("", "SO｜1"),
    ],
)
def test_links_are_https_or_only_text(url: str, made: str) -> None:
    assert link("SO|1", url) == made
