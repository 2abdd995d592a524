"""The files of the project as in a fresh clone."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

LINK = re.compile(r"\]\(<?([^)\s>]+)[^)]*\)")
"""The target of a link or picture, also of a link around a picture."""

_BINARY = {".png", ".ico", ".jpg", ".wav", ".pdf", ".mo", ".zip"}


@cache
def files() -> tuple[Path, ...]:
    """Return all files that are committed or not ignored."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(sorted(path for name in listed.split("\0") if name and (path := ROOT / name).is_file()))


def text_files() -> list[Path]:
    return [path for path in files() if path.suffix not in _BINARY]


def markdown_files() -> list[Path]:
    """Return all Markdown pages that people read."""
    return [path for path in files() if path.suffix == ".md"]


def code_blocks(text: str) -> list[tuple[str, str]]:
    """Return ``(language, code)`` of each fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def without_code(text: str) -> str:
    """Return the prose of a page without fenced blocks and inline code."""
    return re.sub(r"`[^`\n]*`", "", without_blocks(text))


def without_blocks(text: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    """Return all targets of a page: inline links and pictures, link definitions, and HTML."""
    prose = without_code(page.read_text(encoding="utf-8"))
    return [
        *LINK.findall(prose),
        *re.findall(r"^ *\[[^\]]+\]: +<?([^\s>]+)", prose, re.MULTILINE),
        *re.findall(r"""<\w[^>]*\s(?:href|src)=["']([^"']+)""", prose),
    ]


def anchors(page: Path) -> list[str]:
    """Return the anchors of a page's headings as GitHub makes them: repeated headings are numbered."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} +(.+?)[ #]*$", without_blocks(page.read_text(encoding="utf-8")), re.MULTILINE):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        anchor, repeats = slug, 0
        while anchor in found:
            repeats += 1
            anchor = f"{slug}-{repeats}"
        found.append(anchor)
    return found


def targets() -> set[str]:
    """Return the targets that the Makefile offers."""
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
