"""Whoever writes a template cannot forget to escape, by any of Jinja2's ways to put text together."""

from __future__ import annotations

import pytest
from jinja2 import DictLoader, FileSystemLoader, TemplateAssertionError, UndefinedError

from bot.cards.environment import CardEnvironment
from bot.cards.presenter import Presenter
from bot.cards.renderer import CARDS
from tests.rows import each_row

EVIL = "*a*|<b>"
TAME = "＊a＊｜＜b＞"


def rendered(presenter: Presenter, source: str, **values: object) -> str:
    environment = CardEnvironment(DictLoader({"t": source}), presenter)
    environment.adopt_macros(CardEnvironment(FileSystemLoader(CARDS), presenter))
    return environment.get_template("t").render(**values)


@each_row(
    ("source", "expected"),
    [
        ("{{ x }}", TAME),
        ("{{ x ~ '<br>' }}", f"{TAME}＜br＞"),
        ("{{ (x | bold) ~ x }}", f"**{TAME}**{TAME}"),
        ("{{ (x | bold) + x }}", f"**{TAME}**{TAME}"),
        ("{{ '%s!' % x }}", f"{TAME}!"),
        ("{{ ('%s' | bold) % x }}", f"**{TAME}**"),
        ("{{ [x, x | bold] | join('*') }}", f"{TAME}＊**{TAME}**"),
        ("{{ ['a', 'b'] | join(', ') }}", "a, b"),
        ("{{ x ~ ' c ' ~ x }}", f"{TAME} c {TAME}"),
        ("{{ [x, x] | map('bold') | join(' ') }}", f"**{TAME}** **{TAME}**"),
        ("{% set y %}{{ x }}{% endset %}{{ y }}", TAME),
        ("{% macro m(a) %}**{{ a }}**{% endmacro %}{{ m(x) }}", f"**{TAME}**"),
        ("{% macro m(a) %}{{ a }}{% endmacro %}{{ m(x) + x }}", TAME * 2),
        ("{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ x }}{% endcall %}", TAME),
        ("{% filter red %}{{ x }}{% endfilter %}", f"<font colorTokenV2=common_red1_color>{TAME}</font>"),
        ("{{ _('Say %(a)s', a=x) }}", f"Say {TAME}"),
        ("{% trans a=x %}Say {{ a }}{% endtrans %}", f"Say {TAME}"),
        ("{% trans n=2, a=x %}{{ a }}{% pluralize n %}{{ n }} {{ a }}{% endtrans %}", f"2 {TAME}"),
        ("{{ _('100 %%') }}", "100 %"),
        ("{{ x | default('-') }} {{ x | first }}", f"{TAME} ＊"),
        ("{{ fact(x, x) }}", f"{TAME}: {TAME}"),
        ("{{ fact(value=x, label='a') }}", f"a: {TAME}"),
        ("{{ fact(*['a', x]) }}", f"a: {TAME}"),
        ("{{ heading(x) }} {{ heading(x, x) }}", f"**{TAME}** **{TAME}** {TAME}"),
        ("{{ (x | bold).upper() }}{{ 'a' if x.isascii() else 'b' }}", f"**{TAME.upper()}**a"),
        ("{{ _('Say %(class)s', class=x) }}", f"Say {TAME}"),
        ("{{ x | link('https://e.example') }}", f"[{TAME}](https://e.example)"),
        ("{{ x | cut(3) }}", "＊a＊｜＜…"),
        ("{{ 'cid_1/+==' | exact }}{{ x | exact }}", f"cid_1/+=={TAME}"),
        ("{{ x if true }}{{ (x, ) | list }}", None),
        ("{{ '{{ 7 * 7 }}' }}", "{{ 7 ＊ 7 }}"),
    ],
)
def test_escapes(english: Presenter, source: str, expected: str | None) -> None:
    text = rendered(english, source, x=EVIL)
    if expected is not None:
        assert text == expected
    assert "<b>" not in text
    assert "*a*" not in text


@each_row("name", ["safe", "e", "escape", "forceescape", "tojson", "replace", "format", "urlize", "xmlattr"])
def test_filters_that_escape_for_html_or_not_at_all_are_left_out(english: Presenter, name: str) -> None:
    with pytest.raises(TemplateAssertionError, match="No filter"):
        rendered(english, f"{{{{ x | {name} }}}}", x=EVIL)


@pytest.mark.parametrize("off", ["false", "x"])
def test_escaping_cannot_be_switched_off(english: Presenter, off: str) -> None:
    with pytest.raises(TemplateAssertionError, match="switched off"):
        rendered(english, f"{{% autoescape {off} %}}{{{{ x }}}}{{% endautoescape %}}", x=EVIL)


def test_a_missing_value_is_an_error(english: Presenter) -> None:
    for source in ("{{ y }}", "{{ x.y }}", "{{ y ~ x }}", "{{ _('%(a)s', a=y) }}"):
        with pytest.raises((UndefinedError, AttributeError)):
            rendered(english, source, x=EVIL)


def test_translations_are_those_of_the_language(chinese: Presenter) -> None:
    assert rendered(chinese, "{{ _('Unknown command') }}{{ colon }}{{ language }}") == "未知命令：zh＿CN"
    assert rendered(chinese, "{{ late(3) }}|{{ late(0) }}|{{ overdue(1) }}").count("逾期") == 1
