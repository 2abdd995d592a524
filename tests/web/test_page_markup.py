"""A card's text as HTML: what the cards' templates write is markup, and nothing else ever is."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.cards.escape import escape_text, link
from bot.cards.filters import paint
from bot.web.pages.markup import as_html, inline_html
from tests.rows import each_row

OUTSIDE = ' target="_blank" rel="noopener noreferrer"'
ALLOWED = frozenset({"p", "br", "strong", "span", "ul", "ol", "li", "blockquote", "h3", "table", "tr", "td", "a"})


@each_row(
    "markdown, html",
    [
        ("one<br>two\n\nthree", "<p>one<br>two</p><p>three</p>"),
        ("**SO-1**", "<p><strong>SO-1</strong></p>"),
        ("- one\n- two", "<ul><li>one</li><li>two</li></ul>"),
        ("1. one\n2. two", "<ol><li>one</li><li>two</li></ol>"),
        ("> said", "<blockquote>said</blockquote>"),
        ("#### Head", "<h3>Head</h3>"),
        (
            "|a|\n|-|\n|1|",
            '<table class="facts"><tr><td>a</td></tr><tr><td>1</td></tr></table>',
        ),
        (str(paint(escape_text("late"), "red")), '<p><span class="tone-red">late</span></p>'),
        ("<font colorTokenV2=common_red1_color>open", "<p>open</p>"),
        (
            str(link("ERP", "https://erp.example/a?b=1&c=2")),
            '<p><a href="https://erp.example/a?b=1&amp;c=2"' + OUTSIDE + ">ERP</a></p>",
        ),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("![chart](@media)", "<p>chart</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("<font colorTokenV2=common_red1_color onclick=x>a</font>", "<p>a</p>"),
        (
            '[a](https://x.example/"onmouseover="x)',
            '<p><a href="https://x.example/&quot;onmouseover=&quot;x"' + OUTSIDE + ">a</a></p>",
        ),
    ],
)
def test_markup(markdown: str, html: str) -> None:
    assert as_html(markdown) == html


@given(st.text())
def test_whatever_a_card_holds_makes_no_other_tags(text: str) -> None:
    for html in (as_html(text), inline_html(text)):
        tags = {part.split(">", 1)[0].strip("/").split(" ", 1)[0] for part in html.split("<")[1:]}
        assert tags <= ALLOWED
        assert all(address.startswith("https://") for address in re.findall(r'href="([^"]*)"', html))
