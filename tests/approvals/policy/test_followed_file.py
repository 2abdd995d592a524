"""Approval rules that are edited while the bot runs."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.approvals.plan import ApprovalPolicy
from bot.approvals.policy.loader import follow_policy
from bot.approvals.policy.rule_policy import RuleBasedPolicy
from bot.rulefiles.errors import RulesError
from bot.rulefiles.followed_file import FollowedFile
from bot.rulefiles.names_in_force import NamesInForce
from bot.words.names import NOTHING_KNOWN
from tests.approvals.company import FakeCompanyDirectory, document
from tests.rows import each_row

ZONE, NAMES = ZoneInfo("Asia/Shanghai"), NamesInForce(NOTHING_KNOWN, str)
RULES = '[[rules]]\nname = "{0}"\nlevels = [{{any = ["role:{0}"]}}]\n'


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def look(rules: FollowedFile[RuleBasedPolicy]) -> RuleBasedPolicy:
    rules.look()
    rules.look()
    return rules.current()


def approvers(policy: ApprovalPolicy) -> tuple[str, ...]:
    plan = policy.plan(document(), FakeCompanyDirectory()).plan
    assert plan is not None
    return plan.levels[0].approvers


def test_the_rules_follow_the_file(tmp_path: Path) -> None:
    path = tmp_path / "approvals.toml"
    rules = follow_policy([path], ZONE, NAMES)
    assert (approvers(rules.current()), rules.current().version) == (("wang", "qian"), "default")
    write(path, RULES.format("board"))
    first = look(rules)
    assert approvers(first) == ("sun", "zhou")
    write(path, "[[rules]]\n")
    assert look(rules) is first, "the last good rules stay in force"
    assert str(rules.defect).startswith(f"{path}: line 1: ")
    write(path, RULES.format("finance"))
    assert approvers(look(rules)) == ("qian",)
    assert str(rules.defect) == ""
    assert rules.current().version not in {first.version, "default"}


SUBSTITUTE = '[[substitutes]]\nperson = "sun"\nby = "zhou"\nfrom = 2026-10-01\nuntil = 2026-10-07\n'


@each_row("text", ["", "# later\n", "rules = []\n", SUBSTITUTE, RULES.format("board")[:9]])
def test_those_whom_no_rule_names_do_not_decide_by_accident(tmp_path: Path, text: str) -> None:
    path = tmp_path / "approvals.toml"
    write(path, RULES.format("board"))
    rules = follow_policy([path], ZONE, NAMES)
    write(path, text)
    assert approvers(look(rules)) == ("sun", "zhou")
    assert str(rules.defect)


@each_row("more", ["", SUBSTITUTE])
def test_the_default_by_its_word(tmp_path: Path, more: str) -> None:
    path = tmp_path / "approvals.toml"
    write(path, RULES.format("board"))
    rules = follow_policy([path], ZONE, NAMES)
    write(path, "default = true\n" + more)
    assert (approvers(look(rules)), str(rules.defect)) == (("wang", "qian"), "")


def test_an_empty_file_at_the_start_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "approvals.toml"
    path.touch()
    wanted = "there are no rules in it; write some, or default = true if the members of the role 'approver' decide"
    with pytest.raises(RulesError, match=wanted):
        follow_policy([path], ZONE, NAMES)


def test_wrong_at_the_start_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "approvals.toml"
    write(path, "x = 1\n")
    with pytest.raises(RulesError, match="line 1: unknown key 'x'"):
        follow_policy([path], ZONE, NAMES)
