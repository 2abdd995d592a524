"""What the reference says may be typed is answered, on the demo company with all documents kept."""

from __future__ import annotations

import re
from pathlib import Path

from bot.access.people import Person
from tests.commands.conftest import Ask
from tests.commands.demo.company import OWN_CHAT
from tests.rows import each_row

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "commands.md"
SALES = Person(user_id="sales01", name="李娜", roles=frozenset({"sales"}))


def typed() -> list[str]:
    """Return the examples of the section, each once."""
    section = PAGE.read_text(encoding="utf-8").partition("## What you may type")[2].partition("<!--")[0]
    return [*dict.fromkeys(re.findall(r"^\| `(/[^`]+)` \|", section, re.MULTILINE))]


def test_there_are_examples_of_everything() -> None:
    assert len(typed()) >= 20


@each_row("line", typed())
async def test_it_is_answered(ask: Ask, line: str) -> None:
    answer = await ask(line, person=SALES, where=OWN_CHAT)
    assert answer.outcome == "answered", answer.view
