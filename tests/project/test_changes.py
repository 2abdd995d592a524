"""Change fragments: one file a change, named after its issue and kind, for the people who read the changelog."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

from .tree import ROOT, files

FRAGMENTS = [path for path in files() if path.parent == ROOT / "changes" and not path.name.startswith(".")]


def kinds() -> set[str]:
    towncrier = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["towncrier"]
    return {kind["directory"] for kind in towncrier["type"]}


def test_fragments_are_named_after_issue_and_kind() -> None:
    name = re.compile(rf"^\+?\w+\.(?:{'|'.join(sorted(kinds()))})(?:\.\d+)?\.md$")

    assert [path.name for path in FRAGMENTS if not name.match(path.name)] == []


def test_fragments_are_sentences() -> None:
    texts = {path.name: path.read_text(encoding="utf-8").strip() for path in FRAGMENTS}

    assert [name for name, text in texts.items() if not re.match(r"[A-Z`].*\.$", text, re.DOTALL)] == []


def test_the_changelog_can_be_built() -> None:
    draft = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "0.0.0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert draft.returncode == 0, draft.stderr
    assert all(path.read_text(encoding="utf-8").split()[0] in draft.stdout for path in FRAGMENTS)
