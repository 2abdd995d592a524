"""The command line as a whole: what is typed first decides how much of it is made."""

from __future__ import annotations

import gc
import sys

import pytest
from typer.testing import CliRunner

from bot.cli import cli, main


@pytest.mark.parametrize("typed", ["run", "demo", "simulator", "doctor", "understand"])
def test_a_command_alone_says_of_itself_what_it_says_among_all(
    typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["dingerp", typed, "--help"])

    with pytest.raises(SystemExit) as ended:
        main()

    among_all = CliRunner().invoke(cli, [typed, "--help"])
    assert ended.value.code == among_all.exit_code == 0
    assert _without_usage(capsys.readouterr().out) == _without_usage(among_all.stdout)


def _without_usage(told: str) -> list[str]:
    """Return the lines but the one that names the program, which is pytest here."""
    return [line for line in told.splitlines() if "Usage:" not in line]
