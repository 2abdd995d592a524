"""What ``dingerp doctor`` says about access rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.bootstrap.names import known_names
from bot.chat.registry import installed_commands
from bot.doctor import CheckGrade
from bot.doctor.local import check_access_rules
from bot.settings import load_settings

EVERYTHING = "none; every member may ask everything and sees all of it. "
NOBODY = "Nobody decides purchase orders from chat: the role “approver” has no members."
BY_ROLE = "Members of the role “approver” decide purchase orders: boss01, boss02"
BY_RULES = "The approval rules say who decides purchase orders."
READS = "The bot only reads at present: it changes nothing in the ERP."
ONE_RULE = '[[rules]]\ncommands = ["po"]\nroles = ["*"]\n'
POLICY = '[[rules]]\nname = "all"\nlevels = [{any = ["person:boss01"]}]\n'
EMPTY = "access.toml: line 1: there are no rules in it; write some, or open = true if every member may ask"
APPROVERS = '[access.roles]\napprover = ["boss02", "boss01"]\n'


@pytest.mark.parametrize(
    ("files", "grade", "finding"),
    [
        ({}, CheckGrade.GOOD, EVERYTHING + NOBODY),
        ({"dingerp.toml": APPROVERS}, CheckGrade.GOOD, EVERYTHING + BY_ROLE),
        ({"dingerp.toml": APPROVERS, "approvals.toml": POLICY}, CheckGrade.GOOD, EVERYTHING + BY_RULES),
        ({"dingerp.toml": APPROVERS, "approvals.toml": "default = true"}, CheckGrade.GOOD, EVERYTHING + BY_ROLE),
        ({"access.toml": "open = true"}, CheckGrade.GOOD, EVERYTHING + NOBODY),
        ({"access.toml": ""}, CheckGrade.BAD, EMPTY),
        ({"access.toml": ONE_RULE}, CheckGrade.GOOD, f"1 are in force. {NOBODY}"),
        ({"access.toml": "read_only = true\n"}, CheckGrade.GOOD, EVERYTHING + READS),
        (
            {"access.toml": '[[rules]]\ncommands = ["pos"]\nroles = ["*"]\n'},
            CheckGrade.BAD,
            "access.toml: line 2: commands: there is no command 'pos'; did you mean 'po'?",
        ),
    ],
)
def test_access_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], grade: CheckGrade, finding: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    settings = load_settings()
    result = check_access_rules(settings, known_names(settings, installed_commands()))
    assert (result.grade, str(result.words)) == (grade, finding)
