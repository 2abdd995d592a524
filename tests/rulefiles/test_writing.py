"""Writing a rule file: in one step, for the file that was looked at, and what is said where it cannot be done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.rulefiles.versions import as_whole, compare_texts, digest_of_content
from bot.rulefiles.writing import RuleChangeRefused, RuleFileOvertaken, find_obstacle, write_rule_file
from tests.rows import each_row

OLD, NEW = b"a = 1\n", b"a = 2\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_bytes(OLD)
    return path


@each_row("mode", [0o600, 0o640, 0o664])
def test_a_file_keeps_its_mode_and_owner(mode: int, file: Path) -> None:
    file.write_bytes(OLD)
    file.chmod(mode)
    if os.geteuid() == 0:
        os.chown(file, 1234, 4321)
    before = file.stat()
    write_rule_file(file, NEW, expected=digest_of_content(OLD))
    after = file.stat()
    assert file.read_bytes() == NEW
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert [*file.parent.iterdir()] == [file]


def test_a_file_that_is_another_one_by_now_is_not_written(file: Path) -> None:
    with pytest.raises(RuleFileOvertaken):
        write_rule_file(file, NEW, expected=digest_of_content(b"b = 1\n"))
    with pytest.raises(RuleFileOvertaken):
        write_rule_file(file, NEW, expected="")
    file.unlink()
    with pytest.raises(RuleFileOvertaken):
        write_rule_file(file, NEW, expected=digest_of_content(OLD))
    write_rule_file(file, NEW, expected="")
    assert file.read_bytes() == NEW


def test_what_cannot_be_written_says_why_and_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.chmod(0o440)
    assert "read-only" in str(find_obstacle(file))
    file.chmod(0o640)
    link = file.with_name("link.toml")
    link.symlink_to(file)
    assert str(file) in str(find_obstacle(link))
    assert "regular" in str(find_obstacle(file.parent))
    assert find_obstacle(file) == ""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RuleChangeRefused, match="No space left"):
        write_rule_file(file, NEW, expected=digest_of_content(OLD))
    assert file.read_bytes() == OLD
    assert sorted(file.parent.iterdir()) == [link, file]


@each_row(
    "typed, written",
    [
        ("a = 1", "a = 1\n# end\n"),
        ("a = 1\r\nb = 2\r\n\r\n", "a = 1\nb = 2\n# end\n"),
        ("\na = 1\n # end  \n\n", "\na = 1\n # end\n"),
        ("", "\n# end\n"),
    ],
)
def test_what_a_page_writes_says_that_it_is_whole(typed: str, written: str) -> None:
    assert as_whole(typed) == written
    assert as_whole(written) == written


def test_texts_are_compared_line_by_line_with_what_stands_around() -> None:
    before = "\n".join(f"line {number}" for number in range(1, 21))
    after = before.replace("line 3", "third").replace("line 18\n", "")
    shown = [(line.mark, line.text, line.old, line.new) for line in compare_texts(before, after)]
    assert ("-", "line 3", 3, 0) in shown
    assert ("+", "third", 0, 3) in shown
    assert ("-", "line 18", 18, 0) in shown
    assert ("…", "", 0, 0) in shown
    assert "line 10" not in [text for _, text, _, _ in shown]
    assert compare_texts(before, before) == ()
