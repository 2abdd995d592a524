"""How fast the bot and its ERPs answered, from counts by classes of time: few rows a day, however much is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.words.phrase import Phrase, phrase


class Timed(StrEnum):
    """What is counted."""

    ANSWERS = "answers"
    """Questions, from the message to the answer being accepted by DingTalk."""
    CALLS = "calls"
    """Calls to an ERP, whatever came of them."""
    FAILURES = "failures"
    """Those of them that the ERP did not answer in time, or not as it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCount:
    """How many took at most ``within``, and longer than the next shorter class; None: longer than all classes.

    ``source`` is the ERP, empty for answers. Failures have no class.
    """

    timed: Timed
    source: str
    within: timedelta | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast one source was, or the bot (an empty source): the classes of the median and of the 90th percentile."""

    source: str
    number: int
    median: Phrase
    ninetieth: Phrase
    failed: int


def measure_speeds(counts: Sequence[TimeCount]) -> tuple[Speed, ...]:
    """Return the bot's speed and that of each ERP, by name; nothing of what was not asked."""
    found = []
    for source in sorted({count.source for count in counts}):
        timed = [one for one in counts if one.source == source and one.timed is not Timed.FAILURES]
        number = sum(one.number for one in timed)
        if number:
            failed = sum(one.number for one in counts if one.source == source and one.timed is Timed.FAILURES)
            median, ninetieth = _class_of(timed, 50 * number), _class_of(timed, 90 * number)
            found.append(Speed(source=source, number=number, median=median, ninetieth=ninetieth, failed=failed))
    return tuple(found)


def _class_of(counts: Sequence[TimeCount], hundredths: int) -> Phrase:
    """Return the class within which so many hundredths of a case lie."""
    reached, longest, over = 0, timedelta(0), False
    for count in sorted(counts, key=lambda count: (count.within is None, count.within)):
        longest = count.within or longest
        reached += 100 * count.number
        if reached >= hundredths:
            over = count.within is None
            break
    seconds = f"{longest / timedelta(seconds=1):g}"
    return phrase("over %(number)s s", number=seconds) if over else phrase("at most %(number)s s", number=seconds)
