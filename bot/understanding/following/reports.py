"""Sentences that go on from a report: compared with other days, of the same days a year ago, or drawn."""

from __future__ import annotations

import re

from bot.chat.questions.dialogues import LastQuestion
from bot.chat.questions.reading import ReadBy, Reading
from bot.understanding.following.continued import AGAINST, LAST_YEAR
from bot.understanding.following.subjects import said_in
from bot.understanding.grammar import Grammar
from bot.understanding.limits.comparisons import REPORT, compare_again

_DRAWN = re.compile(r"画|图|\b(?:chart|graph|plot|draw)\b", re.IGNORECASE)


def compared(grammar: Grammar, text: str, last: LastQuestion, usable: frozenset[str] | None) -> Reading | None:
    """Return the last report compared with other days, or of the same days a year ago: 同比呢, 去年同期呢."""
    before = grammar.commands.parse(last.line)
    if before.command != REPORT or (usable is not None and REPORT not in usable):
        return None
    words = before.rest.split()
    said = " ".join(word for word in words if word not in AGAINST) or "month"
    scan = grammar.recognition.scan(text)
    found = compare_again(scan, said, year_on_year=not LAST_YEAR.isdisjoint(words))
    return Reading(line=found.lines[0], by=ReadBy.CONTEXT, understood=said_in(scan)) if found else None


def is_drawn(grammar: Grammar, text: str, last: LastQuestion) -> bool:
    """Whether a picture of the report that is there is wanted."""
    return grammar.commands.parse(last.line).command == REPORT and _DRAWN.search(text) is not None
