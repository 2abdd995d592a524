"""From what stands in a cell to the line that it asks for."""

from __future__ import annotations

import pytest

from bot.chat.registry import installed_commands
from bot.sheets.edits import check_rules, line_for, written_in
from bot.sheets.sheet import EditRefused, EditRules
from bot.words.errors import ConfigurationError
from tests.rows import each_row

COMMANDS = installed_commands()
RULES = {"同意": "/approve {number}", "no": "/reject {number} not needed", "*": "/reject {number} {value}"}


@each_row(
    "value, line",
    [
        ("同意", "/approve PO-1"),
        ("NO", "/reject PO-1 not needed"),
        ("too dear", '/reject PO-1 "too dear"'),
        ('say "yes" all', '/reject PO-1 "say ""yes"" all"'),
        ("=HYPERLINK(1)", "/reject PO-1 =HYPERLINK(1)"),
        ("/approve PO-2", '/reject PO-1 "/approve PO-2"'),
    ],
)
def test_a_text_is_one_word_of_its_line(value: str, line: str) -> None:
    assert line_for(COMMANDS, RULES, "PO-1", written_in(value)) == line


@each_row(
    "rules, number, value, said",
    [
        ({"yes": "/approve {number}"}, "PO-1", "perhaps", "write one of these: yes"),
        (RULES, "", "yes", "not of documents"),
        (RULES, "PO-1", "x" * 61, "no text"),
        (RULES, "PO-1", "@other books", "no text"),
        ({"*": "/approve {number} {value}"}, "PO-1", "undo", "a word of the command"),
        ({"*": "/approve {number} {value}"}, "PO-1", "确认", "a word of the command"),
    ],
)
def test_what_chooses_something_else_is_refused(rules: EditRules, number: str, value: str, said: str) -> None:
    with pytest.raises(EditRefused) as refused:
        line_for(COMMANDS, rules, number, written_in(value))
    assert said in str(refused.value.reason)


@each_row(
    "rules, said",
    [
        ({}, "say what may be written"),
        ({"yes": "/approve PO-1"}, "needs {number}"),
        ({"yes": "/approve x{number}"}, "needs {number}"),
        ({"yes": "/approve {number} {reason}"}, "only {number} and {value}"),
        ({"yes": "approve {number}"}, "begins with /"),
        ({"yes": "/nothing {number}"}, "the name of a command"),
        ({"yes": "/order {number}"}, "only asks"),
        ({"yes": "/proposal {number} yes"}, "only the person themselves"),
    ],
)
def test_lines_that_cannot_be_meant(rules: EditRules, said: str) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        check_rules(COMMANDS, "sheets.orders.edits.Decision", rules)
    assert "sheets.orders.edits.Decision" in wrong.value.detail
    assert said in wrong.value.detail


def test_good_lines_are_taken() -> None:
    check_rules(COMMANDS, "sheets.orders.edits.Decision", RULES)
