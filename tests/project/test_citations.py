"""Citations in the code lead to existing pages and headings, references to code to what they name.

A citation reads ``docs: `` and a page below ``docs/reference`` with one or more of its headings:
``docs: platform/dingtalk/cards.md#updates``, ``docs: platform/dingtalk/stream.md#frames, #acks``. Further pages follow
after a comma.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from .tree import ROOT, anchors, text_files

REFERENCE = ROOT / "docs" / "reference"
PACKAGES = tuple(ROOT / name for name in ("bot", "commands", "templates", "tests"))

PAGE = r"(?:platform/(?:[\w-]+/)?[\w-]+|contracts)\.md"
CITED = re.compile(rf"({PAGE})(#[\w-]+(?:, #[\w-]+)*)?")
OPENED = re.compile(rf"\b[Dd]ocs: (?!{PAGE})")
PATH = re.compile(r"\bdocs/[\w/.-]+\.(?:md|json|toml)\b(?:#[\w-]+)?")

ELSEWHERE = re.compile(r"\b(?:DingTalk|ERP) sheet\b|\bsheet(?:'s)?,? (?:section |chapter )?\d|\bdesign, section\b")
"""Citations of documents outside this repository."""

anchors_of = cache(anchors)


def sources() -> list[Path]:
    """Return the files that may cite, except this one."""
    return [
        path for path in text_files() if path != Path(__file__) and any(package in path.parents for package in PACKAGES)
    ]


def places(path: Path, pattern: re.Pattern[str]) -> Iterator[tuple[str, re.Match[str]]]:
    text = path.read_text(encoding="utf-8")
    for found in pattern.finditer(text):
        yield f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}", found


def missing(page: Path, headings: str | None) -> bool:
    names = re.findall(r"#([\w-]+)", headings or "")
    return not page.is_file() or not {*names} <= {*anchors_of(page)}


def test_citations_lead_to_a_heading() -> None:
    wrong = [
        place for path in sources() for place, found in places(path, CITED) if missing(REFERENCE / found[1], found[2])
    ]

    assert not wrong


def test_citations_have_one_form() -> None:
    assert not [place for path in sources() for place, _ in places(path, OPENED)]


def test_paths_of_pages_exist() -> None:
    wrong = []
    for path in sources():
        for place, found in places(path, PATH):
            name, _, heading = found[0].partition("#")
            if missing(ROOT / name, f"#{heading}" if heading else None):
                wrong.append(place)

    assert not wrong


def test_nothing_outside_the_repository_is_cited() -> None:
    wrong = [place for path in text_files() if path != Path(__file__) for place, _ in places(path, ELSEWHERE)]

    assert not wrong


def test_headings_that_may_be_cited_are_unmistakable() -> None:
    pages = [REFERENCE / "contracts.md", *sorted((REFERENCE / "platform").rglob("*.md"))]
    numbered = [
        f"{page.relative_to(ROOT)}#{anchor}"
        for page in pages
        for anchor in anchors_of(page)
        if re.fullmatch(r".+-\d", anchor) and anchor[:-2] in anchors_of(page)
    ]

    assert not numbered


REFERENCE_IN_CODE = re.compile(r"(?<!`)`((?:bot|commands)(?:\.\w+)+)`(?!`)")
NAMES = re.compile(r"^\s*(?:async def|def|class) (\w+)|^\s*(\w+)(?::| =)", re.MULTILINE)


@cache
def names_in(module: Path) -> frozenset[str]:
    return frozenset(name for found in NAMES.findall(module.read_text(encoding="utf-8")) for name in found)


def is_defined(name: str) -> bool:
    """Whether a module, or what it defines, has this dotted name."""
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:size])
        module = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if module.is_file():
            return {*parts[size:]} <= names_in(module)
    return False


def test_references_to_code_lead_to_a_definition() -> None:
    code = [path for path in sources() if path.suffix == ".py"]

    assert not [place for path in code for place, found in places(path, REFERENCE_IN_CODE) if not is_defined(found[1])]


def described_modules(package: Path) -> list[str]:
    described = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""
    return re.findall(r"(?<!`)`([a-z_]+)`(?!`)", described)


def test_packages_describe_modules_that_they_have() -> None:
    packages = [path for path in sources() if path.name == "__init__.py" and ROOT / "tests" not in path.parents]
    wrong = []
    for package in packages:
        modules = {each.stem for each in package.parent.iterdir()}
        wrong += [f"{package}: {name}" for name in described_modules(package) if name not in modules]

    assert not wrong
