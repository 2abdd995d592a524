"""Everything that users read is translated, and the checker would notice if it were not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cards.buttons import MAX_LABEL
from bot.cards.catalogue import ROOT, check, collect, main, update
from bot.cards.language import catalogue_path, load_languages
from bot.erp.kinds import KINDS

LABELLED = ("Button", "FirstQuestion")


def test_the_catalogues_are_complete() -> None:
    assert check() == []


def own_labels() -> Iterator[str]:
    """Yield the words that code puts on buttons."""
    for path in sorted(path for room in ("bot", "commands") for path in (ROOT / room).rglob("*.py")):
        code = path.read_text("utf-8")
        if not any(f"{name}(" in code for name in LABELLED):
            continue  # reading all code takes seconds
        for call in ast.walk(ast.parse(code)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in LABELLED:
                yield from phrases_in(call)


def phrases_in(call: ast.Call) -> Iterator[str]:
    for each in (inner for argument in call.args for inner in ast.walk(argument)):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "phrase":
            words = each.args[0]
            if isinstance(words, ast.Constant) and isinstance(words.value, str):
                yield words.value


def test_no_label_of_our_own_is_cut_off() -> None:
    of_kinds = {kind.cards.others.msgid for kind in KINDS if kind.cards.others}
    labels, languages = {*own_labels(), *of_kinds}, load_languages()
    assert {"Approve", "This customer's invoices", "Overdue invoices?"} <= labels
    said = [language.gettext(label) for label in sorted(labels) for language in languages.values()]
    assert [label for label in said if len(label) > MAX_LABEL] == []


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("bot", "commands", "templates/cards"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bot/one.py").write_text(
        'phrase("Stock of %(sku)s", sku=1)\nself.ngettext("%(num)d a", "%(num)d b", 2)'
    )
    (tmp_path / "commands/two.py").write_text('x = phrase(\n    "two "\n    "parts"\n)\nphrase(name)')
    (tmp_path / "templates/cards/c.md.j2").write_text(
        '{% block body %}{{ _("Card") }}{% trans n=1 %}one{% pluralize %}many {{ n }}{% endtrans %}{% endblock %}'
    )
    return tmp_path


def locales(root: Path) -> Path:
    return root / "locales"


def translate(root: Path, *changes: tuple[str, str]) -> None:
    path = catalogue_path(locales(root), "zh_CN")
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


COMPLETE = (
    ('msgid "Stock of %(sku)s"\nmsgstr ""', 'msgid "Stock of %(sku)s"\nmsgstr "%(sku)s 的库存"'),
    ('msgid_plural "%(num)d b"\nmsgstr[0] ""', 'msgid_plural "%(num)d b"\nmsgstr[0] "%(num)d 个"'),
    ('msgid "two parts"\nmsgstr ""', 'msgid "two parts"\nmsgstr "两段"'),
    ('msgid "Card"\nmsgstr ""', 'msgid "Card"\nmsgstr "卡片"'),
    ('msgid_plural "many %(n)s"\nmsgstr[0] ""', 'msgid_plural "many %(n)s"\nmsgstr[0] "%(n)s 个"'),
)


def test_messages_come_from_code_and_templates(root: Path) -> None:
    ids = {message.id for message in collect(root) if message.id}
    assert ids == {"Stock of %(sku)s", ("%(num)d a", "%(num)d b"), "two parts", "Card", ("one", "many %(n)s")}


def test_update_then_translate_then_check(root: Path) -> None:
    update(root, locales(root))
    assert len([line for line in check(root, locales(root)) if "not translated" in line]) == 5
    translate(root, *COMPLETE)
    assert check(root, locales(root)) == []
    before = catalogue_path(locales(root), "zh_CN").read_text("utf-8")
    update(root, locales(root))
    assert catalogue_path(locales(root), "zh_CN").read_text("utf-8") == before


@pytest.mark.parametrize("text", ["的库存", "%(kus)s 的库存", "%(sku)d 的库存", "%(sku)s 的库存 100%"])
def test_other_placeholders_are_found(root: Path, text: str) -> None:
    update(root, locales(root))
    translate(root, *COMPLETE, ("%(sku)s 的库存", text))
    assert ["Stock of %(sku)s" in line and "other placeholders" in line for line in check(root, locales(root))] == [
        True
    ]


def test_what_nobody_says_any_more_is_found_and_dropped(root: Path) -> None:
    update(root, locales(root))
    translate(root, *COMPLETE)
    (root / "commands/two.py").write_text("")
    assert check(root, locales(root)) == ["zh_CN: nobody says 'two parts' any more"]
    update(root, locales(root))
    assert check(root, locales(root)) == []


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "update|check" in capsys.readouterr().err
