"""A document while it is edited."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from bot.rulefiles.errors import RuleProblem, RulesError
from bot.rulefiles.followed_file import FollowedFile, RulesChange


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rules.toml"


def write(path: Path, text: str, age: int) -> None:
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(age, age))


def read(content: bytes) -> list[str]:
    if b"wrong" in content:
        raise RulesError("rules.toml", (RuleProblem(3, "this is wrong"),))
    return content.decode().split()


def follow(path: Path, clock: Clock) -> FollowedFile[list[str]]:
    return FollowedFile(path, read, lambda: ["default"], monotonic=clock)


def test_without_a_file_the_default_holds_until_there_is_one(path: Path, clock: Clock) -> None:
    rules = follow(path, clock)
    assert rules.current() == ["default"]
    write(path, "one", 1)
    assert rules.current() == ["default"], "one look in a second"
    clock.now += 1
    assert rules.current() == ["one"]


def test_edits_count_at_the_next_look(path: Path, clock: Clock) -> None:
    write(path, "one", 1)
    rules = follow(path, clock)
    first = rules.current()
    clock.now += 60
    assert rules.current() is first, "unchanged files are not read again"
    write(path, "two", 2)
    clock.now += 0.9
    assert rules.current() is first
    clock.now += 0.1
    assert rules.current() == ["two"]
    write(path, "longer", 2)
    clock.now += 1
    assert rules.current() == ["longer"], "of another size"


def test_wrong_edits_keep_the_last_good_rules_and_are_said_once(
    path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    write(path, "one", 1)
    rules = follow(path, clock)
    assert rules.defect == ""
    write(path, "wrong", 2)
    for _ in range(5):
        clock.now += 1
        assert rules.current() == ["one"]
    assert rules.defect == "rules.toml: line 3: this is wrong"
    said = capsys.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if "rules are wrong" in line]
    assert len(lines) == 1
    assert "line 3" in lines[0]
    write(path, "two", 3)
    clock.now += 1
    assert (rules.current(), rules.defect) == (["two"], "")


def test_a_file_that_goes_away_keeps_its_rules(path: Path, clock: Clock) -> None:
    write(path, "one", 1)
    rules = follow(path, clock)
    path.unlink()
    clock.now += 1
    assert rules.current() == ["one"]
    assert rules.defect == f"{path}: line 1: it cannot be read: No such file or directory"
    write(path, "one", 1)
    clock.now += 1
    assert (rules.current(), rules.defect) == (["one"], "")


def test_wrong_at_the_start_is_an_error(path: Path, clock: Clock) -> None:
    write(path, "wrong", 1)
    with pytest.raises(RulesError, match="line 3: this is wrong"):
        follow(path, clock)


def test_a_folder_is_no_file(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(RulesError, match="it cannot be read"):
        follow(tmp_path, clock)


def test_who_listens_hears_of_every_edit_with_its_hash(path: Path, clock: Clock) -> None:
    write(path, "one\ntwo\nthree", 1)
    rules = follow(path, clock)
    heard: list[RulesChange] = []
    assert rules.digest == sha256(b"one\ntwo\nthree").hexdigest()
    rules.listen(heard.append)
    for stamp, content in enumerate(("one\n2\nthree\nfour", "wrong", "one\n2\nthree\nfour\n5"), 2):
        write(path, content, stamp)
        clock.now += 1
        rules.current()
    good = sha256(b"one\n2\nthree\nfour").hexdigest()
    assert [(change.sha256, change.added, change.removed, bool(change.defect)) for change in heard] == [
        (good, 2, 1, False),
        (good, 0, 0, True),
        (rules.digest, 1, 0, False),
    ]


def test_without_a_file_there_is_no_hash(path: Path, clock: Clock) -> None:
    assert follow(path, clock).digest == ""
