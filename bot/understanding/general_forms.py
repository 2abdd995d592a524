"""The form of a sentence that many may ask: names, numbers and days give way to their kinds.

Words that nobody knows stay, since they are what the bot may be taught; so a form may still hold a name that the
company's ERPs do not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.understanding.scanning.recognition import SHORTEST_NAME, Recognition
from bot.understanding.scanning.spans import Scan, SpanKind

_KINDS = {SpanKind.DELIVERY: "document", SpanKind.DIGITS: "number"}
"""The kinds that are called otherwise in a form."""
_PARTS = (
    (re.compile(r"\S*@\S+"), "person"),
    (re.compile(r"[A-Za-z0-9._/#-]*\d[A-Za-z0-9._/#-]*|[零〇一二两三四五六七八九十百千万亿]{2,}"), "number"),
)
"""Mentions, addresses, codes and numbers of which no list knows anything."""
_SHOWN = "〈{}〉"
_IN_PLACE = 0xE000
"""The first of Unicode's private characters: they stand for kinds while names are taken out."""


def general_form(recognition: Recognition, text: str) -> str:
    """Return the general form of a normalised sentence; empty for office talk, and where nothing but names is said."""
    scan = recognition.scan(text)
    if scan.of_kind(SpanKind.OFF_TOPIC):
        return ""
    form = scan.text.casefold()
    kinds = _named(recognition, scan)
    signs = {kind: chr(_IN_PLACE + place) for place, kind in enumerate(dict.fromkeys([*kinds.values(), *_OTHERS]))}
    for name in sorted(kinds, key=len, reverse=True):
        form = form.replace(name, signs[kinds[name]])
    for pattern, kind in _PARTS:
        form = pattern.sub(signs[kind], form)
    if not any(map(str.isalpha, form)):
        return ""
    for kind, sign in signs.items():
        form = form.replace(sign, _SHOWN.format(kind))
    return form


_OTHERS = tuple(kind for _, kind in _PARTS)


def _named(recognition: Recognition, scan: Scan) -> dict[str, str]:
    """Return the names and numbers of a scan with the words for their kinds."""
    found: dict[str, str] = {}
    for span in scan.spans:
        text = span.text.casefold()
        if span.kind is SpanKind.NAME:
            found.update((part, SpanKind.NAME.value) for part in _names_in(recognition, text))
        elif span.kind is not SpanKind.CUE:
            found[text] = _KINDS.get(span.kind, span.kind.value)
    return found


def _names_in(recognition: Recognition, piece: str) -> Iterator[str]:
    """Yield the beginning or end of an unrecognised piece that is in a name of the company: 宏达 in 宏达要不要熏蒸."""
    for size in range(len(piece), SHORTEST_NAME - 1, -1):
        for part in (piece[:size], piece[-size:]):
            if part not in recognition.sentences.known_words and recognition.is_in_a_name(part):
                yield part
                return
