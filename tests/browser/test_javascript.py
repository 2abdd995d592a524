"""The page's scripts without a browser: syntax, layout rules, and the markdown parser under Node's own test runner."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.kit.simulator import server

PAGE = Path(server.__file__).parent / "page"
SCRIPTS = sorted(PAGE.glob("*.js"))
TESTS = Path(__file__).parent / "js"
# One Node process parses them all; `node --check` takes one file, and a start takes longer than thirty scripts.
PARSE = """
import { readFileSync } from 'node:fs';
import { SourceTextModule } from 'node:vm';
for (const file of process.argv.slice(1)) {
  new SourceTextModule(readFileSync(file, 'utf8'), { identifier: file });
  console.log(file);
}
"""
FORBIDDEN = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc")


@pytest.fixture(scope="module")
def node() -> str:
    path = shutil.which("node")
    if path is None:
        pytest.skip("no node here: apt-get install nodejs")
    return path


def test_the_scripts_are_sound(node: str) -> None:
    assert SCRIPTS
    done = subprocess.run(
        [node, "--experimental-vm-modules", "--input-type=module", "--eval", PARSE, "--", *SCRIPTS],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(script) for script in SCRIPTS]


def test_the_markdown_parser(node: str) -> None:
    done = subprocess.run([node, "--test", str(TESTS)], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"^# pass [1-9]", done.stdout, re.MULTILINE), done.stdout[-500:]


def test_data_never_becomes_markup() -> None:
    for script in SCRIPTS:
        assert not FORBIDDEN.search(script.read_text()), script.name


def test_the_page_needs_nothing_from_elsewhere() -> None:
    for file in (*SCRIPTS, *PAGE.glob("*.css"), *PAGE.glob("*.html")):
        outside = re.findall(r"""(?:from |import |src=|href=|url\()['"]?((?:https?:)?//[^'")\s]+)""", file.read_text())
        assert outside == [], file.name
