"""The git hooks run only the project's own tools, and their check of files finds mistakes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .tree import ROOT

CONFIG: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
HOOKS = [hook for repo in CONFIG["repos"] for hook in repo["hooks"]]
CHECK = ROOT / ".ci/check_files.py"


def test_hooks_need_no_network() -> None:
    assert {repo["repo"] for repo in CONFIG["repos"]} == {"local"}
    assert {hook["language"] for hook in HOOKS} == {"system"}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_hooks_run_what_is_in_the_virtual_environment(hook: dict[str, Any]) -> None:
    program, *arguments = hook["entry"].split()

    assert program.startswith(".venv/bin/")
    assert Path(sys.executable).with_name(Path(program).name).exists()
    assert all((ROOT / name).is_file() for name in arguments if name.endswith(".py"))
    re.compile(hook.get("files", ""))


def test_hooks_check_what_make_lint_checks() -> None:
    lint = re.search(r"^lint:.*\n((?:\t.+\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert lint is not None
    entries = " ".join(hook["entry"] for hook in HOOKS)

    for tool in re.findall(r"\$\(BIN\)/(.+)", lint[1]):
        words = [word for word in tool.split() if not word.startswith("--") and word != "."]
        assert " ".join(words) in re.sub(r" --\S+", "", entries)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("good.yaml", "a: 1\n---\nb: 2\n", ""),
        ("bad.yaml", "a: [1\n", "bad.yaml"),
        ("good.toml", "a = 1\n", ""),
        ("bad.toml", "a = \n", "bad.toml"),
        ("good.json", '{"a": 1}\n', ""),
        ("bad.json", "{'a': 1}\n", "bad.json"),
        ("merged.py", "a = 1\n" + "<" * 7 + " ours\n", "merged.py:2: merge conflict"),
        ("picture.png", b"\x89PNG\xff", ""),
    ],
)
def test_files_that_do_not_parse_are_named(name: str, content: str | bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    run = subprocess.run([sys.executable, CHECK, name], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (run.returncode, said in run.stdout, run.stderr) == (int(bool(said)), True, "")
    assert run.stdout.count("\n") == run.returncode
