"""The documentation: links and anchors exist, every page is reachable, the two READMEs are in step."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from .tree import LINK, ROOT, anchors, code_blocks, files, links, markdown_files, without_blocks, without_code

DOCS = ROOT / "docs"
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")


def pages_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def _files_and_folders() -> frozenset[Path]:
    return frozenset(each for path in files() for each in (path, *path.parents))


@pytest.mark.parametrize("page", markdown_files(), ids=pages_id)
def test_links_lead_somewhere(page: Path) -> None:
    known = _files_and_folders()
    broken = []
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / unquote(name)).resolve() if name else page
        if target not in known or (anchor and target.suffix == ".md" and unquote(anchor) not in anchors(target)):
            broken.append(link)

    assert not broken


def test_every_page_is_reachable_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        targets = {
            (page.parent / unquote(link.partition("#")[0])).resolve() for link in links(page) if "://" not in link
        }
        waiting += [target for target in targets if target.suffix == ".md" and target.is_file() and target not in seen]

    assert {page for page in markdown_files() if DOCS in page.parents} <= seen


def test_every_room_is_on_the_page_about_the_architecture() -> None:
    page = (DOCS / "explanation/architecture.md").read_text(encoding="utf-8")
    rooms = {path.name for path in (ROOT / "bot").iterdir() if (path / "__init__.py").is_file()}
    named = [
        room for cell in re.findall(r"^\| (`.+?`) \|", page, re.MULTILINE) for room in re.findall(r"`bot/(\w+)/`", cell)
    ]

    assert sorted(named) == sorted(rooms)


def test_every_part_of_a_room_is_on_the_page_about_the_architecture() -> None:
    page = (DOCS / "explanation/architecture.md").read_text(encoding="utf-8")
    vendors = {path.parent for path in (ROOT / "bot").glob("erp/*/manifest.py")}
    parts = {path.parent for path in (ROOT / "bot").glob("*/*/__init__.py")} - vendors
    named = "".join(cell for cell in re.findall(r"^\| (.+)", page, re.MULTILINE))

    missing = [part for part in parts if not re.search(rf"[`/]{part.name}/", named)]
    assert not missing


def test_the_four_kinds_of_pages_are_there() -> None:
    assert {path.name for path in DOCS.iterdir() if path.is_dir()} >= {"tutorial", "how-to", "reference", "explanation"}


def test_the_readmes_are_in_step() -> None:
    english, chinese = (readme.read_text(encoding="utf-8") for readme in READMES)

    def shape(text: str) -> list[int]:
        return [len(marks) for marks in re.findall(r"^(#+) ", without_blocks(text), re.MULTILINE)]

    def code(text: str) -> list[tuple[str, str]]:
        return [(kind, re.sub(r"\s*#.*$", "", block, flags=re.MULTILINE)) for kind, block in code_blocks(text)]

    def targets(text: str) -> list[str]:
        return [link for link in LINK.findall(without_code(text)) if link not in {path.name for path in READMES}]

    assert shape(english) == shape(chinese)
    assert code(english) == code(chinese)
    assert targets(english) == targets(chinese)
    assert code(english)
