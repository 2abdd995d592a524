"""Lines of tables and keys in a document."""

from __future__ import annotations

import tomllib

import pytest

from bot.rulefiles.positions import DocumentPath, find_positions

DOCUMENT = '''# a comment with = and [brackets]
plain = "a # no comment" # a comment
"quoted key" = 'x = 1'
dotted . "in three" . parts = 1
date = 2026-10-01 08:00:00 # with a blank
text = """
[not.a.table]
key = "value"
"""
quotes = """"a"""""
literal = \'\'\'
it's
\'\'\'
list = [
  1, # one
  "two",
  [3,
   4],
]
inline = {a = 1, b = {c = [1, 2]}, d = "}"}

[table]
key = true
[table.inner]
key = 1

[[routes]]
name = "a"
  [[routes.routes]]
  name = "a/a"
  [routes.routes.terms]
  x = 1
  [[routes.routes]]
  name = "a/b"
[[routes]]
steps = [
  {after = "1h"},
  {after = "2h", to = [
    "x"]}]
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("plain",), 2),
        (("quoted key",), 3),
        (("dotted", "in three", "parts"), 4),
        (("date",), 5),
        (("text",), 6),
        (("quotes",), 10),
        (("literal",), 11),
        (("list",), 14),
        (("list", 1), 16),
        (("list", 2, 1), 18),
        (("inline", "b", "c", 1), 20),
        (("inline", "d"), 20),
        (("table", "key"), 23),
        (("table", "inner", "key"), 25),
        (("routes", 0), 27),
        (("routes", 0, "name"), 28),
        (("routes", 0, "routes", 0, "name"), 30),
        (("routes", 0, "routes", 0, "terms", "x"), 32),
        (("routes", 0, "routes", 1), 33),
        (("routes", 0, "routes", 1, "name"), 34),
        (("routes", 1), 35),
        (("routes", 1, "steps", 1, "after"), 38),
        (("routes", 1, "steps", 1, "to", 0), 39),
        # What is not there: the closest thing around it.
        (("routes", 1, "steps", 0, "to"), 37),
        (("routes", 1, "name"), 35),
        (("nothing",), 1),
    ],
)
def test_lines(path: DocumentPath, line: int) -> None:
    assert find_positions(DOCUMENT).line(*path) == line


def test_the_document_is_one() -> None:
    assert tomllib.loads(DOCUMENT)["quotes"] == '"a""'
