"""Rules of the gate as administrators write them: what is wrong is said with its line."""

from __future__ import annotations

from datetime import UTC

import pytest

from bot.approvals.policy.loader import read_policy
from bot.rulefiles.errors import RulesError
from tests.project.tree import ROOT
from tests.rows import each_row

START = '[[gate]]\nname = "a"\nclasses = ["refund"]\n'


@each_row(
    ("rest", "said"),
    [
        ("", "what becomes of a request"),
        ("allow = true\ndeny = true", "what becomes of a request"),
        ('allow = true\nlevels = [{any = ["role:x"]}]', "what becomes of a request"),
        ("allow = true\nsample = 0.5", "a sample of what is allowed"),
        ('deny = true\nsample = 0.5\ntell = ["role:x"]', "a sample of what is allowed"),
        ('allow = true\nsample = 1.5\ntell = ["role:x"]', "a share above 0"),
        ("allow = true\nbudget = 0", "a number of requests a day"),
        ('levels = [{any = ["field:buyer"]}]', "no field that names somebody"),
        ("allow = true\nwhen = 'amont > 3'", "amont"),
        ("allow = true\nalow = 1", "alow"),
        ('allow = true\n[[gate]]\nname = "A"\nclasses = ["x"]\ndeny = true', "is called 'A' already"),
    ],
)
def test_what_is_wrong_is_said(rest: str, said: str) -> None:
    with pytest.raises(RulesError, match=said):
        read_policy(f"{START}{rest}\n".encode(), UTC)


@each_row("page", ["docs/how-to/ask-leave-at-the-gate.md", "docs/zh-CN/how-to/ask-leave-at-the-gate.md"])
def test_the_rules_of_the_guide_are_right(page: str) -> None:
    shown = (ROOT / page).read_text().partition("```toml\n")[2].partition("```")[0]
    rules = read_policy(shown.encode(), UTC)
    assert [rule.classes for rule in rules.gate] == [("refund",), ("refund",), ("delete.*",)]
