"""Sentences with two questions: 宏达的订单和宝钢的采购单, "stock and price of FAN-21"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain

from bot.chat.days import names_days, read_days
from bot.chat.questions.reading import ReadBy, Reading
from bot.understanding.limits.limit_finding import LimitFinder
from bot.understanding.lines.composer import LineComposer
from bot.understanding.lines.lists import MOST_ALTERNATIVES
from bot.understanding.scanning.recognition import end_of, in_order
from bot.understanding.scanning.spans import Scan, SpanKind
from bot.understanding.sentences import LIST_WEIGHT

_BETWEEN = re.compile(
    r"和|跟|与|以及|还有(?!哪|多少|几|没|什么|啥|货|剩|多久|有)|顺便(?:帮我)?(?:看下|看看|看一下|查下|查一下|问下)?|另外|再看看?|[;；、&+]"
    r"|(?<![a-z])(?:and|plus|as well as|also)(?![a-z])",
    re.IGNORECASE,
)
_BLANK = re.compile(r"(?<=[\u3400-\u9fff])(?<!吧)\s+(?=有没有|有无|还有没有|什么时候|啥时候|多少钱|几[号时])")
"""Stands before a second question, if that asks for something else: 还有多少没付 有没有晚交的."""
_SUBJECTS = frozenset(
    {SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.PRODUCT, SpanKind.PARTNER, SpanKind.PERSON, SpanKind.NAME}
)

_DAYS = frozenset({SpanKind.DATE})
_SOME_DAY = date(2026, 1, 14)
"""A day on which 下星期 and 下周 are the same."""


_HOLD_SEVERAL = frozenset({"stock", "help"})
"""Commands of which one line holds several subjects, or none."""


def read_both(scan: Scan, read: Callable[[str], Reading | None], lines: LineComposer) -> Reading | None:
    """Return the two lines that a sentence asks for, each read by ``read``; None if it asks for one."""
    if LimitFinder.sets_side_by_side(scan.text):
        return None
    for parts in _parts_of(scan):
        if any(_is_a_number(part, scan) for part in parts):
            continue  # SO-1001和1002发了吗 asks one thing of two
        asked = [
            each for part in parts if (each := read(part)) and not each.unsupported and _says_what_it_asks(each, lines)
        ]
        if len(asked) == len(parts) and _are_apart(asked[0], asked[1], lines):
            if _BLANK.search(scan.text) and not _BETWEEN.search(scan.text) and _are_of_one(asked, lines):
                continue  # 宏达的订单 有没有延期的 asks for one list
            others = [line for each in asked if each.unsure for line in each.alternatives]
            line, *alternatives = dict.fromkeys([*(each.line for each in asked), *others])
            return Reading(
                line=line,
                by=ReadBy.GRAMMAR,
                alternatives=tuple(alternatives[:MOST_ALTERNATIVES]),
                unsure=True,
                understood=tuple(part for each in asked for part in each.understood),
            )
    return None


def _are_of_one(readings: list[Reading], lines: LineComposer) -> bool:
    """Return whether readings have the same command."""
    return len({lines.commands.parse(each.line).command for each in readings}) == 1


def _is_a_number(part: str, scan: Scan) -> bool:
    """Return whether a part of a sentence is only a document number."""
    return any(span.text == part for span in scan.spans if span.kind in {SpanKind.DOCUMENT, SpanKind.DELIVERY})


def _says_what_it_asks(reading: Reading, lines: LineComposer) -> bool:
    """Return whether a word says what is asked, or about what: 地址 alone may be anybody's."""
    kinds = {part.kind for part in reading.understood}
    if not kinds & {SpanKind.CUE, SpanKind.DOCUMENT, SpanKind.DELIVERY}:
        return False
    command = lines.commands.parse(reading.line).command
    words = (part.value.casefold() for part in reading.understood if part.kind == SpanKind.CUE)
    cues = [cue for word in words for cue in lines.sentences.cues_of(word) if cue.command == command]
    return bool(kinds - {SpanKind.CUE}) or any(cue.weight >= LIST_WEIGHT for cue in cues)


def _are_apart(first: Reading, last: Reading, lines: LineComposer) -> bool:
    """Return whether two readings are two questions that no line combines: 未交和延期的订单 are one list."""
    command, other = (lines.commands.parse(each.line).command or "" for each in (first, last))
    if command == other:
        return first.line != last.line and command not in _HOLD_SEVERAL
    scan = lines.recognition.scan(" ".join(part.text for part in last.understood))
    words = [lines.recognition.cues_of(span) for span in scan.of_kind(SpanKind.CUE)]
    return not words or not all(any(cue.keyword and cue.command == command for cue in cues) for cues in words)


def _parts_of(scan: Scan) -> Iterator[tuple[str, str]]:
    """Yield the possible splits of a sentence in two, with the common subject in both."""
    for start, end in _places(scan):
        first, last = scan.text[:start].strip(), scan.text[end:].strip()
        if not (first and last):
            continue
        for kinds in (_SUBJECTS, _DAYS):
            before = [span.text for span in in_order(scan.spans) if span.kind in kinds and end_of(span) <= start]
            after = [span.text for span in in_order(scan.spans) if span.kind in kinds and span.start >= end]
            if before and not after:
                last = f"{' '.join(before)} {last}"
            elif after and not before:
                first = f"{' '.join(after)} {first}"
        yield first, last


def _places(scan: Scan) -> Iterator[tuple[int, int]]:
    """Yield the possible split points of a sentence: at a word between two things, and before a second day."""
    for match in chain(_BETWEEN.finditer(scan.text), _BLANK.finditer(scan.text)):
        inside = (span for span in scan.spans if span.start < match.end() and match.start() < end_of(span))
        if all(span.kind is SpanKind.CUE and span.text in match[0] for span in inside):
            yield match.span()
    days = [span for span in scan.of_kind(SpanKind.DATE) if names_days(span.text)]
    if len(days) > 1 and len({read_days(span.text, _SOME_DAY) or span.text for span in days[:2]}) > 1:
        yield days[1].start, days[1].start
