"""The file of access rules while it is edited: a good edit counts, and nothing opens by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessRequest
from bot.bootstrap.access import follow_access
from bot.bootstrap.names import names_in_force
from bot.chat.registry import Commands
from bot.rulefiles.errors import RulesError
from bot.rulefiles.followed_file import FollowedFile
from bot.settings import load_settings
from bot.words.errors import ConfigurationError
from tests.rows import each_row

CLERK = Person(user_id="clerk01", name="钱")
INVOICE = AccessRequest(command="invoice")
RULE = '[[rules]]\ncommands = ["invoice"]\nroles = ["{role}"]\n'
DENIAL = '[[rules]]\ncommands = ["order"]\nroles = ["*"]\neffect = "deny"\n'
SHARED = '[[rules]]\ncommands = ["order"]\nfields = ["quantity"]\nshared = true\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "access.toml"


def follow(**access: object) -> FollowedFile[AccessPolicy]:
    settings = load_settings(access=access)
    return follow_access(settings, names_in_force(settings, Commands.discover()))


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def may_ask(rules: FollowedFile[AccessPolicy]) -> bool:
    rules.look()
    rules.look()
    return rules.current().decide(CLERK, INVOICE).allowed


def test_an_edit_counts_while_the_bot_runs(file: Path) -> None:
    rules = follow()
    assert may_ask(rules)
    write(file, RULE.format(role="admin"))
    assert not may_ask(rules)


def test_a_broken_edit_keeps_the_rules_and_is_told(file: Path) -> None:
    write(file, RULE.format(role="admin"))
    rules = follow()
    write(file, RULE.format(role="nobody"))
    assert not may_ask(rules)
    assert "line 3: roles: there is no role 'nobody'" in str(rules.defect)
    write(file, RULE.format(role="*"))
    assert may_ask(rules)
    assert str(rules.defect) == ""


CLOSED = {"rule": RULE.format(role="admin"), "presets": "presets = true\n"}
EMPTIED = ["", "# later\n", "rules = []\n", "presets = false\n", "open = false\n", "read_only = true\n", DENIAL, SHARED]
"""What lets every member ask, as denials and shared rules alone do."""


@each_row(("closed", "text"), [(closed, text) for closed in CLOSED for text in EMPTIED])
def test_nothing_opens_by_accident(file: Path, closed: str, text: str) -> None:
    write(file, CLOSED[closed])
    rules = follow()
    assert not may_ask(rules)
    write(file, text)
    assert not may_ask(rules)
    assert "open = true if every member may ask" in str(rules.defect)


@each_row("more", ["", DENIAL, SHARED, "read_only = true\n"])
def test_open_by_its_word(file: Path, more: str) -> None:
    write(file, RULE.format(role="admin"))
    rules = follow()
    write(file, "open = true\n" + more)
    assert may_ask(rules)
    assert str(rules.defect) == ""


@each_row("text", ["", "# later\n", "rules = []\n", "presets = false\n"])
def test_at_the_start_it_is_an_error(file: Path, text: str) -> None:
    write(file, text)
    with pytest.raises(RulesError, match="there are no rules in it"):
        follow()


def test_rules_of_the_configuration_may_stand_alone(file: Path) -> None:
    """A file that only says that nothing may be changed closes more than it opens, and counts at once."""
    rules = follow(presets=True)
    write(file, "read_only = true\n")
    assert not may_ask(rules)
    assert (rules.current().read_only, str(rules.defect)) == (True, "")


def test_a_named_file_that_is_not_there_is_an_error(file: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"access\.file: there is no file"):
        follow(file=file)
