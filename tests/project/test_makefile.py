"""The documented make targets exist, and each sets up what it needs first."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.conftest import LONG

from .tree import ROOT, code_blocks, markdown_files, targets


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make without the variables of an outer make."""
    outer = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, env={**outer, **environment}
    )


def test_the_prescribed_targets_exist() -> None:
    assert targets() >= {
        "demo",
        "test",
        "soak",
        "coverage",
        "lint",
        "fmt",
        "bench",
        "lock",
        "docs-check",
        "clean",
        "help",
    }


def test_the_files_that_are_begun_first_exist() -> None:
    assert [file for file in LONG if not (ROOT / file).is_file()] == []


def test_help_lists_every_target() -> None:
    listed = re.findall(r"^make ([a-z-]+)", make("help").stdout, re.MULTILINE)

    assert set(listed) == targets()


def test_documented_make_commands_exist() -> None:
    named = {(str(page.relative_to(ROOT)), target) for page in markdown_files() for target in documented_targets(page)}

    assert {(page, target) for page, target in named if target not in targets()} == set()


def documented_targets(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    commands = "\n".join(code for _, code in code_blocks(text)) + "\n".join(re.findall(r"`(make [^`]+)`", text))
    return set(re.findall(r"^make ([a-z-]+)", commands, re.MULTILINE))


def test_set_up_comes_before_the_demo(tmp_path: Path) -> None:
    steps = make("--dry-run", "demo", f"VENV={tmp_path}/venv").stdout

    assert 0 < steps.index("-m venv") < steps.index("-r requirements.lock") < steps.index("dingerp demo")
    assert "requirements-dev.lock" not in steps


def test_an_old_python_is_refused_in_plain_words(tmp_path: Path) -> None:
    result = make(f"{tmp_path}/venv/bin/python", f"VENV={tmp_path}/venv", "PATH=/nonexistent", "SHELL=/bin/sh")

    assert result.returncode != 0
    assert "needs Python 3.11 or newer" in result.stderr


def test_the_ci_script_is_sound() -> None:
    script = ROOT / ".ci/run"

    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert re.findall(r"^make (\w+)", script.read_text(), re.MULTILINE) == ["test", "lint"]
