"""The reference agrees with the code: whoever changes a setting, a command or a metric runs ``make docs``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .reference import BLOCKS, PAGES, renewed


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: str(page.name))
def test_page_is_current(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert renewed(text) == text, "run `make docs`"


def test_every_block_has_its_page() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES.glob("*.md"))

    assert set(re.findall(r"<!-- (\w+): written by make docs -->", pages)) == BLOCKS.keys()
