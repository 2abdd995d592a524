"""Text of others can neither become markup nor disturb a card, whatever it holds."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from bot.cards.escape import MAX_TEXT, Markdown, _escape, clean, escape, escape_text, exact, link, narrowed, picture
from tests.rows import each_row


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Let each test work its texts out itself."""
    _escape.cache_clear()


@each_row(
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


@each_row("text", ["keeper_01", "cidKp3Lr+0000/0==", "a.b-c", "7"])
def test_ids_can_be_copied(text: str) -> None:
    assert exact(text) == text


@each_row("text", ["_a_", "a_", "-", "1.", "a b", "a*b", "库_存", "a" * (MAX_TEXT + 1), ""])
def test_what_is_no_id_is_escaped_like_any_text(text: str) -> None:
    assert exact(text) == escape(text)


@each_row(
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


@each_row(
    ("url", "made"),
    [
        ("https://erp.example/so/1", "[SO｜1](https://erp.example/so/1)"),
        ("https://erp.example/a(b)<c>", "[SO｜1](https://erp.example/a%28b%29%3Cc%3E)"),
        ("http://erp.example", "SO｜1"),
        ("javascript:alert(1)", "SO｜1"),
        ("https://erp.example/a b", "SO｜1"),
        ("https://erp.example/a\u3000b", "SO｜1"),
        ("https://erp.example/a\u200bb", "SO｜1"),
        ("https://erp.example/a\u2060b", "SO｜1"),
        ("https://erp.example/a\xadb", "SO｜1"),
        ("https://erp.example/\u202efdp.exe", "SO｜1"),
        ("https://erp.example/\u2067a\u2069", "SO｜1"),
        ("https://erp.example/\u200fa", "SO｜1"),
        ("https://erp.example/a\ufeff", "SO｜1"),
        ("https://erp.example/a\x00", "SO｜1"),
        ("https://erp.example/a\x7f", "SO｜1"),
        ("https://erp.example/a\ud800", "SO｜1"),
        (" HTTPS://erp.example/订单 ", "[SO｜1](HTTPS://erp.example/订单)"),
        ("", "SO｜1"),
    ],
)
def test_links_are_https_or_only_text(url: str, made: str) -> None:
    assert link("SO|1", url) == made


def test_the_text_of_a_link_shows_no_invisible_signs() -> None:
    assert link("SO\u202e-1\u200b", "https://erp.example") == "[SO-1](https://erp.example)"


@each_row(
    ("text", "kept"),
    [
        ("a  b", "a b"),
        ("  a\tb\n", "a b"),
        ("a\x00b", "ab"),
        ("a \x00 b", "a b"),
        ("a\u200bb", "ab"),
        ("螺\u202e丝", "螺丝"),
        ("螺 \u3164\u115f\u1160\uffa0 丝", "螺 丝"),
        ("e\u0301", "e\u0301"),
        ("\u3164", ""),
        ("\ue000x\U000e0001", "x"),
        ("\u0378", "\u0378"),
        ("\x7f", ""),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_goes_and_blanks_are_one(text: str, kept: str) -> None:
    assert clean(text) == kept


@each_row(
    ("text", "limit", "kept"),
    [
        ("abcd", 4, "abcd"),
        ("abcde", 4, "abc…"),
        ("ab cde", 4, "ab…"),
        ("a" + " " * 14 + "b", 4, "a b"),
        ("a" + " " * 15 + "b", 4, "a"),
        ("\u200b" * 12 + "abcd", 4, "abcd"),
        ("\u200b" * 13 + "abcd", 4, "abc"),
        ("abcd", 1, "…"),
    ],
)
def test_a_text_is_cut_to_its_limit_and_not_read_to_its_end(text: str, limit: int, kept: str) -> None:
    assert clean(text, limit) == kept
    assert escape(text, limit) == escape_text(text, limit) == kept


@each_row("count", [MAX_TEXT - 1, MAX_TEXT, MAX_TEXT + 1])
def test_a_hundred_characters_fit(count: int) -> None:
    cut = "a" * count if count <= MAX_TEXT else "a" * (MAX_TEXT - 1) + "…"
    assert clean("a" * count) == escape("a" * count) == escape_text("a" * count) == exact("a" * count) == cut


def test_long_texts_are_not_remembered() -> None:
    escape_text("a" * MAX_TEXT)
    assert _escape.cache_info().currsize == 1
    escape_text("a" * (MAX_TEXT + 1))
    assert _escape.cache_info().currsize == 1


def test_the_markup_of_others_passes_as_markdown() -> None:
    passed = escape(Markup("<b>"))
    assert type(passed) is Markdown
    assert passed == "<b>"
    assert escape(17) == "17"
    assert type(escape("a")) is type(exact("a")) is type(link("a", "")) is type(link("a", "https://a.b")) is Markdown


def test_an_id_of_a_hundred_signs_can_be_copied() -> None:
    assert exact("_".join(["a"] * 50) + "b") == "_".join(["a"] * 50) + "b"
    assert exact("_".join(["a"] * 51)) == "＿".join(["a"] * 50)[: MAX_TEXT - 1] + "…"


@each_row(
    ("text", "width", "kept"),
    [
        ("中文中", 3, "中文中"),
        ("中文中文", 3, "中文…"),
        ("ＡＢＣＤ", 3, "ＡＢ…"),
        ("abcdef", 3, "abcdef"),
        ("abcdefg", 3, "abcde…"),
        ("中", 0, "…"),
        ("ab", 0, "…"),
        ("文a", 1, "…"),
        ("abc", 1, "a…"),
    ],
)
def test_widths_are_those_of_the_letters(text: str, width: int, kept: str) -> None:
    assert narrowed(text, width) == kept


@each_row("address", ["ftp://erp.example", "https:/erp.example", "xhttps://erp.example", "//erp.example", "https//"])
def test_only_whole_addresses_are_links(address: str) -> None:
    assert link("a", address) == "a"


def test_what_could_end_a_link_is_written_otherwise() -> None:
    assert link("a", 'https://e.example/()<>"\\`') == "[a](https://e.example/%28%29%3C%3E%22%5C%60)"
    assert link(Markdown("**a**"), "https://e.example") == "[**a**](https://e.example)"


@each_row(
    ("media_id", "shown"),
    [
        ("@lADPDe7s1", "![销售］](@lADPDe7s1)"),
        ("https://example.com/x.png", "销售］"),
        ("@a)b", "销售］"),
        ("", "销售］"),
    ],
)
def test_a_picture_is_one_that_was_uploaded(media_id: str, shown: str) -> None:
    assert picture("销售]", media_id) == shown
