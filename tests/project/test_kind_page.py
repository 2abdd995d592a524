"""The page about kinds of documents shows the code that there is, line by line."""

from __future__ import annotations

import re

from .tree import ROOT

SHOWN = ("bot/erp/kinds/quotations.py", "commands/quote.py")


def test_what_the_page_shows_stands_in_the_code() -> None:
    page = (ROOT / "docs/how-to/add-a-kind-of-document.md").read_text(encoding="utf-8")
    code = "".join((ROOT / name).read_text(encoding="utf-8") for name in SHOWN).splitlines()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 3
    assert [line for block in blocks for line in block.splitlines() if line not in code] == []


def test_files_that_the_page_names_are_there() -> None:
    page = (ROOT / "docs/how-to/add-a-kind-of-document.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:bot|commands|docs|tests)/[\w/.]+)`", page)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []
