"""Documents that are no TOML, or do not hold what their reader asks for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.rulefiles.document import MAX_BYTES, RuleTable, read_document
from bot.rulefiles.errors import RulesError
from bot.rulefiles.values import read_duration, read_text, written_duration
from tests.words_in_both import told


def read(table: RuleTable) -> timedelta:
    """Take what the tests write: ``wait``, and tables ``[[who]]`` that need a name."""
    for one in table.tables("who"):
        one.need("name", read_text, "", 'name = "a"')
        one.finish()
    found = table.take("wait", read_duration, timedelta(0))
    if found > timedelta(days=7):
        table.warn("wait", "nobody waits so long")
    table.finish()
    return found


def wrong(text: str | bytes) -> list[str]:
    with pytest.raises(RulesError) as caught:
        read_document(text if isinstance(text, bytes) else text.encode(), read, name="x.toml")
    return told(caught.value.problems)


WRONG = [
    ("[[routes]\n", "line 1: no TOML, column 9: Expected ']]' at the end of an array declaration"),
    ("\nwait = 4h\n", "line 2: no TOML, column 9: Expected newline or end of document after a statement"),
    ("wait = ", "line 1: no TOML: Invalid value"),
    ('\n\nwait = "4h"\nwait = "5h"\n', "line 4: no TOML, column 12: Cannot overwrite a value; this key stands here a"),
    ("\nwait = “4h”\n", 'line 2: no TOML, column 8: Invalid value; “ is a Chinese character, TOML needs "'),
    ('x = ["a"，"b"]\n', "line 1: no TOML, column 9: Unclosed array; ， is a Chinese character, TOML needs ,"),
    ('wait ＝ "4h"\n', "line 1: no TOML, column 6: Expected '=' after a key in a key/value pair; ＝ is a Chinese"),
    ('[[who]]\nnmae = "a"\n', "line 2: unknown key 'nmae'; did you mean 'name'?"),
    (b"# \xe4\n# \xff\n", "line 1: no UTF-8; save the file in that encoding"),
    ("x = " + "[" * 3000, "line 1: brackets lie too deep in each other"),
    ("x = " + "9" * 5000, "line 1: no TOML: Exceeds the limit"),
    ("#" * (MAX_BYTES + 1), f"line 1: {MAX_BYTES + 1} bytes are more than"),
    ("x = 1\n", "line 1: unknown key 'x'; there are: who, wait"),
    ("\nwiat = 1\n", "line 2: unknown key 'wiat'; did you mean 'wait'?"),
    ("who = 1\n", "line 1: who: is written as tables, [[who]]"),
    ("[[who]]\n", 'line 1: name is missing, an example is name = "a"'),
    ('\nwait = "soon"\n', 'line 2: wait: a duration is expected, examples are "30m", "2h", "1d"'),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said[:60] for _, said in WRONG])
def test_says_the_line_and_the_reason(text: str | bytes, said: str) -> None:
    found = wrong(text)
    assert len(found) == 1, found
    assert found[0].startswith(said)


def test_the_error_is_one_line_for_the_log() -> None:
    text = "a = 1\nb = 2\n" + "".join(f"c{number} = 1\n" for number in range(30))
    with pytest.raises(RulesError) as caught:
        read_document(text.encode(), read, name="x.toml")
    assert "\n" not in caught.value.detail
    assert caught.value.detail.startswith("x.toml: line 1: unknown key 'a'; ")
    assert caught.value.detail.endswith("; and 12 more")


def test_what_windows_editors_write_is_read() -> None:
    reviewed = read_document(b'\xef\xbb\xbfwait = "2h"\r\n[[who]]\r\nname = "a"\r\n', read, name="x")
    assert reviewed.rules == timedelta(hours=2)


def test_warnings_have_their_lines_and_are_no_errors() -> None:
    kept: list[RuleTable] = []

    def keep(table: RuleTable) -> timedelta:
        kept.append(table)
        return read(table)

    assert read_document(b'\n\nwait = "8d"\n', keep, name="x.toml").rules == timedelta(days=8)
    assert list(map(str, kept[0].errors.warnings)) == ["line 3: wait: nobody waits so long"]


@pytest.mark.parametrize("text", ["0m", "1m", "59m", "90m", "1h", "25h", "1d", "366d"])
def test_durations_are_written_as_they_are_read(text: str) -> None:
    assert written_duration(read_duration(text)) == text
