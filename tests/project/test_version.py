"""Only pyproject.toml states the version; the command line and the user agents take it from there."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import NoReturn

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.mechanisms import version

from .tree import ROOT, text_files

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    version.installed_version.cache_clear()
    yield
    version.installed_version.cache_clear()


def test_the_command_line_says_it() -> None:
    said = CliRunner().invoke(cli, ["--version"])

    assert (said.exit_code, said.stdout) == (0, f"dingerp {VERSION}\n")


def test_user_agents_say_it() -> None:
    assert version.user_agent() == f"dingerp/{VERSION}"


def test_code_that_is_not_installed_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> NoReturn:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)

    assert version.installed_version() == "0+unknown"


def test_the_code_does_not_repeat_it() -> None:
    literal = re.compile(rf"""(?:version\w*["']?\s*[:=]|dingerp/)\s*["']?{re.escape(VERSION)}""", re.IGNORECASE)
    code = [path for path in text_files() if path.suffix == ".py" and (ROOT / "bot") in path.parents]

    assert [str(path.relative_to(ROOT)) for path in code if literal.search(path.read_text(encoding="utf-8"))] == []


def test_quick_commands_do_not_pay_for_it() -> None:
    script = "import sys, bot.cli; sys.exit('importlib.metadata' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
