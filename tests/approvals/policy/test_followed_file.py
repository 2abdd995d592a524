"""Approval rules that are edited while the bot runs."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.approvals.plan import ApprovalPolicy
from bot.approvals.policy.loader import KnownNames, follow_policy
from bot.rulefiles.errors import RulesError
from tests.approvals.company import FakeCompanyDirectory, document

KNOWN = KnownNames(zone=ZoneInfo("Asia/Shanghai"))
RULES = '[[rules]]\nname = "{0}"\nlevels = [{{any = ["role:{0}"]}}]\n'


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def write(path: Path, text: str, age: int) -> None:
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(age, age))


def approvers(policy: ApprovalPolicy) -> tuple[str, ...]:
    plan = policy.plan(document(), FakeCompanyDirectory()).plan
    assert plan is not None
    return plan.levels[0].approvers


def test_the_rules_follow_the_file(tmp_path: Path) -> None:
    path = tmp_path / "approvals.toml"
    rules = follow_policy(path, KNOWN, monotonic=Clock())
    assert (approvers(rules.current()), rules.current().version) == (("wang", "qian"), "default")
    write(path, RULES.format("board"), 1)
    first = rules.current()
    assert approvers(first) == ("sun", "zhou")
    write(path, "[[rules]]\n", 2)
    assert rules.current() is first, "the last good rules stay in force"
    assert rules.defect.startswith(f"{path}: line 1: ")
    write(path, RULES.format("finance"), 3)
    assert approvers(rules.current()) == ("qian",)
    assert rules.defect == ""
    assert rules.current().version not in {first.version, "default"}


def test_wrong_at_the_start_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "approvals.toml"
    write(path, "x = 1\n", 1)
    with pytest.raises(RulesError, match="line 1: unknown key 'x'"):
        follow_policy(path, KNOWN, monotonic=Clock())
