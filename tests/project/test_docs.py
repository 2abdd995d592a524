"""The documentation: links and anchors exist, every page is reachable, Chinese pages are in step with the English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from .tree import LINK, ROOT, anchors, code_blocks, files, links, markdown_files, without_blocks, without_code

DOCS = ROOT / "docs"
CHINESE = DOCS / "zh-CN"


def pages_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def _files_and_folders() -> frozenset[Path]:
    return frozenset(each for path in files() for each in (path, *path.parents))


def test_links_lead_somewhere() -> None:
    assert [f"{pages_id(page)}: {link}" for page in markdown_files() for link in broken_links(page)] == []


def broken_links(page: Path) -> Iterator[str]:
    known = _files_and_folders()
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / unquote(name)).resolve() if name else page
        if target not in known or (anchor and target.suffix == ".md" and unquote(anchor) not in anchors(target)):
            yield link


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


def chinese_pages() -> list[Path]:
    return [page for page in markdown_files() if page.name == "README.zh-CN.md" or CHINESE in page.parents]


def english_of(page: Path) -> Path:
    """Return the English page of a Chinese one; any other is its own."""
    page = page.with_name("README.md") if page.name == "README.zh-CN.md" else page
    return DOCS / page.relative_to(CHINESE) if CHINESE in page.parents else page


@pytest.mark.parametrize("page", chinese_pages(), ids=pages_id)
def test_a_chinese_page_is_in_step_with_the_english_one(page: Path) -> None:
    english, chinese = (each.read_text(encoding="utf-8") for each in (english_of(page), page))

    def shape(text: str) -> list[str]:
        return re.findall(r"^(?:#+ |\d+\. |- |\| ---.*|\|)", without_blocks(text), re.MULTILINE)

    def code(text: str) -> list[tuple[str, str]]:
        return [(kind, re.sub(r"\s*#.*$", "", block, flags=re.MULTILINE)) for kind, block in code_blocks(text)]

    assert shape(english) == shape(chinese)
    assert code(english) == code(chinese)
    assert sorted(targets(english_of(page))) == sorted(targets(page))
    assert shape(english)


def targets(page: Path) -> Iterator[str]:
    """Addresses and English pages that a page leads to; the link to its other language is none of them."""
    for link in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if "://" in link:
            yield link
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / unquote(name)).resolve() if name else page
        if target == page or english_of(target) != english_of(page):
            yield f"{english_of(target)}{'#' if anchor else ''}"


def test_a_chinese_page_leads_to_chinese_pages() -> None:
    translated = {english_of(page) for page in chinese_pages()}
    english = [
        f"{pages_id(page)}: {link}"
        for page in chinese_pages()
        for link in links(page)
        if "://" not in link
        and (target := (page.parent / unquote(link.partition("#")[0])).resolve()) in translated
        and target != english_of(page)
    ]

    assert english == []
