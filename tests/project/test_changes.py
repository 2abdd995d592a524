"""Change fragments: names, wording, and building the changelog from them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

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


def test_a_release_goes_on_top_of_the_changelog(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    before = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    fragments = tmp_path / "changes"
    fragments.mkdir()
    for kind in kinds():
        (fragments / f"7.{kind}.md").write_text(f"About {kind}.\n")

    subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--yes", "--version", "99.0.0", "--date", "2099-12-31"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )

    head, _, rest = before.partition("<!-- towncrier release notes start -->\n")
    after = (tmp_path / "CHANGELOG.md").read_text(encoding="utf-8")
    new = after.removeprefix(head).removesuffix(rest)
    assert after.startswith(head)
    assert after.endswith(rest)
    assert "## 99.0.0 (2099-12-31)" in new
    assert all(f"- About {kind}. (#7)" in new for kind in kinds())
    assert not any(fragments.glob("*.md"))


def test_every_released_version_has_its_heading() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert headings
    assert [heading for heading in headings if not re.fullmatch(r"\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)", heading)] == []
