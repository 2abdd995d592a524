"""The pages about kinds of documents and about filters show the code that there is, line by line."""

from __future__ import annotations

import re

import pytest

from .tree import ROOT

KIND, FILTER = "docs/how-to/add-a-kind-of-document.md", "docs/how-to/add-a-filter.md"


@pytest.mark.parametrize(
    ("page", "count", "shown"),
    [
        (KIND, 3, ("bot/erp/kinds/quotations.py", "commands/quote.py")),
        (FILTER, 2, ("bot/chat/records/created_by.py", "bot/chat/records/documents.py")),
    ],
)
def test_what_the_page_shows_stands_in_the_code(page: str, count: int, shown: tuple[str, ...]) -> None:
    code = {line.strip() for name in shown for line in (ROOT / name).read_text(encoding="utf-8").splitlines()}
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == count
    assert [line for block in blocks for line in block.splitlines() if line.strip() not in code] == []


@pytest.mark.parametrize("page", [KIND, FILTER])
def test_files_that_the_page_names_are_there(page: str) -> None:
    named = re.findall(r"`((?:bot|commands|docs|tests)/[\w/.]+)`", (ROOT / page).read_text(encoding="utf-8"))
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []
