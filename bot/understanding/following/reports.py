"""Sentences that continue a report: compared with other days, for the same days a year ago, or as a chart."""

from __future__ import annotations

import re

from bot.chat.questions.reading import Reading
from bot.understanding.following.follow_up import FollowUp
from bot.understanding.limits.comparisons import AGAINST, LAST_YEAR, REPORT, compare_again

_DRAWN = re.compile(r"画|图|\b(?:chart|graph|plot|draw)\b", re.IGNORECASE)


def compared(follow_up: FollowUp) -> Reading | None:
    """Return the last report compared with other days, or for the same days a year ago: 同比呢, 去年同期呢."""
    if follow_up.before.command != REPORT or not follow_up.may_use(REPORT):
        return None
    words = follow_up.before.rest.split()
    said = " ".join(word for word in words if word not in AGAINST) or "month"
    found = compare_again(follow_up.scan, said, year_on_year=not LAST_YEAR.isdisjoint(words))
    return follow_up.reading(found.lines[0]) if found else None


def is_drawn(follow_up: FollowUp) -> bool:
    """Return whether a chart of the current report is wanted."""
    return follow_up.before.command == REPORT and _DRAWN.search(follow_up.text) is not None
