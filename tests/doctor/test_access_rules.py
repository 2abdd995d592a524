"""What ``dingerp doctor`` says about access rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.doctor import CheckGrade
from bot.doctor.local import check_access_rules
from bot.settings import load_settings


@pytest.mark.parametrize(
    ("text", "grade", "finding"),
    [
        ("", CheckGrade.GOOD, "none; every member may ask, and nobody may write"),
        ('[[rules]]\ncommands = ["po"]\nroles = ["*"]\n', CheckGrade.GOOD, "1 are in force"),
        ("read_only = true\n", CheckGrade.GOOD, "The bot only reads at present: it changes nothing in the ERP."),
        (
            '[[rules]]\ncommands = ["pos"]\nroles = ["*"]\n',
            CheckGrade.BAD,
            "access.toml: line 2: commands: there is no command 'pos'; did you mean 'po'?",
        ),
    ],
)
def test_access_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, grade: CheckGrade, finding: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "access.toml").write_text(text, encoding="utf-8")
    result = check_access_rules(load_settings())
    assert (result.grade, str(result.words)) == (grade, finding)
