"""Sentences that ask for two things: 宏达的订单和宝钢的采购单, "stock and price of FAN-21"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.chat.days import names_days
from bot.understanding.recognition import end_of, in_order
from bot.understanding.scanning import Scan, SpanKind

_BETWEEN = re.compile(
    r"和|跟|与|以及|还有(?!哪|多少|几|没|什么|啥|货|剩|多久|有)|顺便(?:帮我)?(?:看下|看看|看一下|查下|查一下|问下)?|另外|再看看?|[;；、&+]"
    r"|(?<![a-z])(?:and|plus|as well as|also)(?![a-z])",
    re.IGNORECASE,
)
_SUBJECTS = frozenset(
    {SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.PRODUCT, SpanKind.PARTNER, SpanKind.PERSON, SpanKind.NAME}
)

_DAYS = frozenset({SpanKind.DATE})


def parts_of(scan: Scan) -> Iterator[tuple[str, str]]:
    """Yield the ways in which a sentence may part into two, with what they are about in both of them."""
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
    """Yield where a sentence may part: at a word between two things, and before a second day."""
    for match in _BETWEEN.finditer(scan.text):
        inside = (span for span in scan.spans if span.start < match.end() and match.start() < end_of(span))
        if all(span.kind is SpanKind.CUE and span.text in match[0] for span in inside):
            yield match.span()
    days = [span for span in scan.of_kind(SpanKind.DATE) if names_days(span.text)]
    if len(days) > 1 and days[0].text != days[1].text:
        yield days[1].start, days[1].start
