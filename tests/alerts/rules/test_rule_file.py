"""The document while it is edited."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.alerts.routing import AlertRules
from bot.alerts.rules.parser import follow_rules, parse_rules
from bot.alerts.rules.rule_set import AlertRuleSet
from bot.outbox.place import Place
from bot.rulefiles.errors import RulesError
from bot.rulefiles.followed_file import FollowedFile
from bot.rulefiles.names_in_force import NamesInForce
from bot.words.names import NOTHING_KNOWN
from bot.words.severity import Severity
from tests.alerts.rules.builders import COMPANY, NOW, event
from tests.rows import each_row

NAMES = NamesInForce(NOTHING_KNOWN, str)

GOOD = '[default]\nto = ["group:cidOne"]\n'
BETTER = 'revive = "1h"\n[default]\nto = ["group:cidTwo"]\n'
WRONG = '[default]\nto = ["group:cidTwo"]\nwiat = "5m"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.toml"


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def places(rules: FollowedFile[AlertRuleSet]) -> list[str]:
    rules.look()
    rules.look()
    return [str(target.place) for target in rules.current().route(event(), Severity.INFO, NOW).targets]


def test_without_a_file_everything_goes_to_the_default_groups_until_there_is_one(path: Path) -> None:
    rules = follow_rules([path], COMPANY, NAMES)
    assert places(rules) == ["group:cidOffice"]
    write(path, GOOD)
    assert places(rules) == ["group:cidOne"]


def test_wrong_edits_keep_the_last_good_rules_and_are_said(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(path, GOOD)
    rules = follow_rules([path], COMPANY, NAMES)
    assert str(rules.defect) == ""
    write(path, WRONG)
    for _ in range(5):
        assert places(rules) == ["group:cidOne"]
    assert str(rules.defect) == f"{path}: line 3: unknown key 'wiat'; did you mean 'wait'?"
    said = capsys.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if "rules are wrong" in line]
    assert len(lines) == 1
    assert "line 3" in lines[0]
    write(path, BETTER)
    assert (places(rules), str(rules.defect)) == (["group:cidTwo"], "")
    assert rules.current().revive.seconds == 3600
    assert rules.path == path


def test_wrong_at_the_start_is_an_error(path: Path) -> None:
    write(path, WRONG)
    with pytest.raises(RulesError, match="line 3: unknown key 'wiat'"):
        follow_rules([path], COMPANY, NAMES)


@each_row(
    "text",
    [
        "",
        "# nothing yet\n",
        "routes = []\n",
        "[default]\n",
        'revive = "1h"\n',
        "[owners]\nx = ['person:p1']\n",
        GOOD[:8],
    ],
)
def test_routes_do_not_go_by_accident(tmp_path: Path, text: str) -> None:
    path = tmp_path / "alerts.toml"
    write(path, GOOD)
    rules = follow_rules([path], COMPANY, NAMES)
    write(path, text)
    assert places(rules) == ["group:cidOne"]
    assert str(rules.defect)


@each_row("more", ["", "[[silences]]\nuntil = 2027-01-01\n"])
def test_the_default_by_its_word(tmp_path: Path, more: str) -> None:
    path = tmp_path / "alerts.toml"
    write(path, GOOD)
    rules = follow_rules([path], COMPANY, NAMES)
    write(path, "default = true\n" + more)
    assert (places(rules), str(rules.defect)) == (["group:cidOffice"], "")


@each_row(
    ("text", "reason"),
    [
        ("", "line 1: there are no rules in it; write some, or default = true if every alert goes to the groups of"),
        ("default = false\n", "line 1: there are no rules in it"),
    ],
)
def test_no_routes_are_told(text: str, reason: str) -> None:
    with pytest.raises(RulesError, match=re.escape(reason)):
        parse_rules(text.encode(), COMPANY)


def test_rules_are_read_in_one_thread_and_asked_in_others(path: Path) -> None:
    write(path, GOOD + "[[routes]]\nwhen = \"amount > 5 CNY && 'x' in tags\"\nto = ['person:p1']\n")
    rules = follow_rules([path], COMPANY, NAMES)
    what = event(amount="6 CNY", tags={"x": "1"})
    with ThreadPoolExecutor(4) as pool:
        asked = pool.map(lambda _: rules.current().route(what, Severity.INFO, NOW), range(200))
        assert {target.place for routing in asked for target in routing.targets} == {Place.parse("person:p1")}


def test_it_answers_all_questions_of_the_port(path: Path) -> None:
    write(
        path,
        GOOD
        + '[[severity]]\nmin_age = 1\nseverity = "critical"\n'
        + '[[inhibit]]\nsource = {min_age = 1}\ntarget = {types = ["stock.*"]}\n'
        + "[[silences]]\nuntil = 2027-01-01\n",
    )
    rules: AlertRules = follow_rules([path], COMPANY, NAMES).current()
    (target,) = rules.route(event(), Severity.INFO, NOW).targets
    silence = rules.silenced(event(), Severity.INFO, Place.parse("cidX"), NOW)
    assert rules.grade(event(due_on="2026-11-01")) is Severity.CRITICAL
    assert rules.inhibited(event(), Severity.INFO, []) is None
    assert silence is not None
    assert rules.shows_at(target, Severity.INFO, NOW) == NOW
