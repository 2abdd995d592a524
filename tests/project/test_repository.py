"""No file contains local paths, addresses of package indexes or secrets."""

from __future__ import annotations

import re
import subprocess

import pytest

from .tree import ROOT, text_files

FORBIDDEN = {
    "path of somebody's machine": re.compile(r"(?<![\w.{}/-])/(?:home/(?!dingerp)\w+|root|Users|work)/\w"),
    "host of a package index": re.compile(r"pypi\.(?:org|python)|pythonhosted|/simple/?\b(?=\s|$)|index-url\s*=", re.I),
    "robot webhook with its token": re.compile(r"robot/send\?access_token=[0-9a-f]{20}"),
    "unfinished work": re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in text_files()
        if path != ROOT / "tests/project/test_repository.py"
        if FORBIDDEN[what].search(text := path.read_text(encoding="utf-8"))
        for number, line in enumerate(text.splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]

    assert not found


def test_files_end_with_one_newline() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in text_files()
        if path.suffix in {".md", ".toml", ".yaml", ".py", ".j2"} and (text := path.read_text(encoding="utf-8"))
        if not text.endswith("\n") or text.endswith("\n\n")
    ]

    assert not wrong


def test_no_link_is_committed() -> None:
    """A link leads elsewhere on another machine: a virtual environment was one once."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "--stage"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert [line for line in listed.splitlines() if line.startswith("120000 ")] == []
