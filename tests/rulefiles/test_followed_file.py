"""A document while it is edited: nothing that happens to the file by accident changes what is in force."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from bot.rulefiles.absence import NoRules
from bot.rulefiles.document import Reviewed, RuleTable, read_document
from bot.rulefiles.endings import END, find_loss
from bot.rulefiles.errors import RulesError
from bot.rulefiles.followed_file import FollowedFile, RuleContent, RulesChange
from bot.rulefiles.names_in_force import NamesInForce
from bot.rulefiles.values import read_texts
from bot.words.names import NOTHING_KNOWN, KnownNames
from bot.words.phrase import phrase
from tests.rows import each_row

OPEN = NoRules("open", phrase("everybody may"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rules.toml"


def write(path: Path, *names: str) -> None:
    path.write_text(f"names = {[*names]}\n", encoding="utf-8")


def read(content: bytes, name: str, known: KnownNames) -> Reviewed[RuleContent[list[str]]]:
    def parse(document: RuleTable) -> RuleContent[list[str]]:
        names = [*document.take("names", read_texts, ())]
        says_none = OPEN.is_chosen(document)
        document.take("further", read_texts, ())
        document.finish()
        return RuleContent(rules=names, decides=bool(names), says_none=says_none)

    return read_document(content, parse, name=name, known=known)


def follow(*places: Path) -> FollowedFile[list[str]]:
    default = RuleContent(rules=["default"], decides=False)
    return FollowedFile(places, read, lambda: default, none=OPEN, names=NamesInForce(NOTHING_KNOWN, str))


def look(rules: FollowedFile[list[str]]) -> list[str]:
    """Let both looks pass that an edit takes."""
    rules.look()
    rules.look()
    return rules.current()


def test_without_a_file_the_default_holds_until_there_is_one(path: Path) -> None:
    rules = follow(path)
    assert (look(rules), rules.in_force.path) == (["default"], None)
    write(path, "one")
    assert (look(rules), rules.in_force.path) == (["one"], path)


def test_an_edit_counts_when_the_file_stays_as_it_is(path: Path) -> None:
    write(path, "one")
    rules = follow(path)
    first = look(rules)
    assert look(rules) is first, "an unchanged file is not read again"
    path.write_text('names = ["tw')
    rules.look()
    write(path, "two")
    rules.look()
    assert (rules.current(), str(rules.defect)) == (["one"], ""), "somebody is still writing it"
    rules.look()
    assert rules.current() == ["two"]


def test_an_edit_of_the_same_size_and_time_is_seen(path: Path) -> None:
    write(path, "one")
    os.utime(path, ns=(1, 1))
    rules = follow(path)
    write(path, "two")
    os.utime(path, ns=(1, 1))
    assert look(rules) == ["two"]


def test_wrong_edits_keep_the_last_good_rules_and_are_said_once(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(path, "one")
    rules = follow(path)
    assert str(rules.defect) == ""
    path.write_text("names = 1")
    for _ in range(5):
        assert look(rules) == ["one"]
    assert str(rules.defect).startswith(f"{path}: line 1: names: a list of texts is expected")
    said = capsys.readouterr()
    assert (said.out + said.err).count("rules are wrong") == 1
    write(path, "two")
    assert (look(rules), str(rules.defect)) == (["two"], "")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def remove(path: Path) -> None:
    path.unlink()


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def put_behind_a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


ACCIDENTS = [
    (empty, "there are no rules in it; write some, or open = true if everybody may"),
    (lambda path: path.write_text("# later\n"), "there are no rules in it"),
    (lambda path: path.write_text("names = []\n"), "there are no rules in it"),
    (lambda path: path.write_text("open = false\n"), "there are no rules in it"),
    (lambda path: path.write_text('further = ["x"]\n'), "its rules are gone, and the ones before stay in force"),
    (lambda path: path.write_text('names = ["one"'), "no TOML"),
    (lambda path: path.write_bytes(b"\xff\xfe"), "no UTF-8"),
    (remove, "it cannot be read"),
    (replace_by_folder, "it cannot be read"),
    (replace_by_dangling_link, "it cannot be read"),
    (put_behind_a_loop, "it cannot be read"),
]


@pytest.mark.parametrize(("happens", "reason"), ACCIDENTS)
def test_no_accident_opens_anything(path: Path, happens: Callable[[Path], object], reason: str) -> None:
    write(path, "one")
    rules = follow(path)
    happens(path)
    assert look(rules) == ["one"]
    assert reason in str(rules.defect)
    if path.is_dir():
        path.rmdir()
    elif path.is_symlink():
        path.unlink()
    write(path, "one")
    assert (look(rules), str(rules.defect)) == (["one"], ""), "well again without a restart"


@pytest.mark.parametrize(("happens", "reason"), [row for row in ACCIDENTS if row[0] is not remove])
def test_at_the_start_it_is_an_error(path: Path, happens: Callable[[Path], object], reason: str) -> None:
    write(path, "one")
    happens(path)
    if reason.startswith("its rules are gone"):
        assert follow(path).current() == [], "what else stands there never had rules, as far as the file tells"
        return
    with pytest.raises(RulesError, match=reason[:30]):
        follow(path)


@each_row("text", ["open = true\n", 'open = true\nfurther = ["x"]\n'])
def test_no_rules_by_the_word(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.toml"
    write(path, "one")
    rules = follow(path)
    path.write_text(text)
    assert (look(rules), str(rules.defect)) == ([], "")
    assert rules.in_force.content.says_none


WHOLE = """
further = ["a"]
[[rules]]
name = "first"
commands = ["invoice"]

[[rules]]
name = "no orders"
commands = ["order"]
fields = ["quantity"]
levels = [{any = ["x"]}, {all = ["y"]}]
"""


def cut_before(words: str) -> str:
    return WHOLE[: WHOLE.index(words)]


def lost_between(before: str, after: str) -> str:
    return str(find_loss(before.encode(), after.encode(), word=OPEN.word))


LOSSES = [
    (cut_before('[[rules]]\nname = "no'), "3 of 4 tables of rules are gone (“no orders”)"),
    (cut_before("fields"), "2 of 4 tables of rules are gone"),
    (cut_before("[[rules]]"), "4 of 4 tables of rules are gone (“first”, “no orders”)"),
    (WHOLE.replace('fields = ["quantity"]\n', ""), "the last entry of rules is shorter"),
    (WHOLE.replace(', {all = ["y"]}', ""), "1 of 4 tables of rules are gone"),
    (WHOLE.replace('further = ["a"]\n', ""), "further is gone"),
    ('further = ["b"]\n[[rules]]\nname = "another"\ncommands = ["*"]\n', "3 of 4 tables of rules are gone (“first”,"),
    (cut_before("[[rules]]") + "# end\n# or not\n", "4 of 4 tables of rules are gone"),
]


@each_row("after, lost", LOSSES)
def test_a_document_that_lost_some_says_what(after: str, lost: str) -> None:
    assert lost_between(WHOLE, after).startswith(lost)
    assert lost_between(WHOLE, f"{after}\n  {END}  \r\n\r\n") == "", "it says that it is whole"
    assert lost_between(f"{WHOLE}{END}\n", after).startswith(lost)


@each_row(
    "after",
    [
        WHOLE,
        "\ufeff# a comment\n" + WHOLE.replace("\n", "\r\n"),
        WHOLE.replace('"quantity"', ""),
        WHOLE.replace('["order"]', "[\n'stock',\n]"),
        WHOLE + '[[rules]]\nname = "third"\n',
        WHOLE.replace('commands = ["invoice"]\n', ""),
    ],
)
def test_other_edits_lose_nothing(after: str) -> None:
    assert lost_between(WHOLE, after) == ""
    assert lost_between(f"{WHOLE}{END}", after) == "its last line '# end' is gone"


def test_a_file_that_was_cut_off_changes_nothing_until_it_says_that_it_is_whole(path: Path) -> None:
    path.write_text('names = ["one"]\nfurther = ["x"]\n')
    rules = follow(path)
    path.write_text('names = ["two"]\n')
    assert look(rules) == ["one"]
    assert "it may be cut off" in str(rules.defect)
    assert str(rules.defect).endswith("further is gone; if nothing is missing, write '# end' as its last line")
    rules.read_again()
    assert rules.current() == ["one"], "nor by a signal"
    path.write_text('names = ["two"]\n# end\n')
    assert (look(rules), str(rules.defect)) == (["two"], "")
    path.write_text('names = ["three"]\n')
    assert look(rules) == ["two"], "whoever has said it once says it always"


def test_the_word_for_no_rules_is_no_word_for_a_file_that_had_it(path: Path) -> None:
    path.write_text('open = true\nnames = ["one"]\n')
    rules = follow(path)
    path.write_text("open = true\n")
    assert look(rules) == ["one"]


def test_what_never_had_rules_needs_no_word(path: Path) -> None:
    rules = follow(path)
    path.write_text('further = ["x"]\n')
    assert (look(rules), str(rules.defect)) == ([], "")


def test_a_wrong_file_that_comes_and_goes_leaves_the_default(path: Path) -> None:
    rules = follow(path)
    path.write_text("names = 1")
    assert look(rules) == ["default"]
    assert str(rules.defect)
    path.unlink()
    assert (look(rules), str(rules.defect)) == (["default"], "")


def test_of_two_places_the_first_counts_and_the_other_is_named(tmp_path: Path) -> None:
    beside, inside = tmp_path / "rules.toml", tmp_path / "data.toml"
    write(inside, "inside")
    rules = follow(beside, inside)
    assert (rules.current(), rules.path, rules.unread) == (["inside"], inside, None)
    write(beside, "beside")
    assert (look(rules), rules.path, rules.unread) == (["beside"], beside, inside)
    write(inside, "unheard")
    assert look(rules) == ["beside"]
    inside.unlink()
    assert (look(rules), rules.unread) == (["beside"], None)


def test_a_wrong_file_in_the_first_place_changes_nothing(tmp_path: Path) -> None:
    beside, inside = tmp_path / "rules.toml", tmp_path / "data.toml"
    write(inside, "inside")
    rules = follow(beside, inside)
    beside.touch()
    assert (look(rules), rules.path) == (["inside"], inside)
    assert str(rules.defect).startswith(f"{beside}: line 1: there are no rules in it")


def test_the_other_place_does_not_stand_in_for_a_file_that_went_away(tmp_path: Path) -> None:
    beside, inside = tmp_path / "rules.toml", tmp_path / "data.toml"
    write(beside, "beside")
    write(inside, "inside")
    rules = follow(beside, inside)
    beside.unlink()
    assert (look(rules), rules.unread) == (["beside"], inside)
    assert str(rules.defect) == f"{beside}: line 1: it cannot be read: No such file or directory"


def test_who_listens_hears_of_every_edit_with_its_hash(path: Path) -> None:
    lines = ('names = [\n"one",\n"two",\n]', 'names = [\n"one",\n"2",\n"three",\n]', "", 'names = ["one"]')
    path.write_text(lines[0])
    rules = follow(path)
    heard: list[RulesChange] = []
    rules.listen(heard.append)
    assert rules.in_force.sha256 == sha256(lines[0].encode()).hexdigest()
    for content in lines[1:]:
        path.write_text(content)
        look(rules)
    path.touch()
    look(rules)
    good = sha256(lines[1].encode()).hexdigest()
    assert [(change.sha256, change.added, change.removed, bool(change.defect)) for change in heard] == [
        (good, 2, 1, False),
        (good, 0, 0, True),
        (rules.in_force.sha256, 1, 5, False),
    ]


def test_without_a_file_there_is_no_hash(path: Path) -> None:
    assert follow(path).in_force.sha256 == ""
